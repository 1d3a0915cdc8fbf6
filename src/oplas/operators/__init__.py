"""What should happen in the space: modules (z, theta) -> z'."""

from .base import Operator
from .composed import Composition, Power
from .fader import Fader
from .film import FiLMR
from .free import FreeOperator
from .linear import Scale, Sum
from .matrices import Householder, Koopman, Linear, Unipotent
from .rotation import CyclicRotation, Rotation
from .translation import Translation

__all__ = [
    "Composition", "CyclicRotation", "Fader", "FiLMR", "FreeOperator", "Householder", "Koopman", "Linear", "Operator", "Power",
    "Rotation", "Scale", "Sum", "Translation", "Unipotent",
]  # fmt: skip
