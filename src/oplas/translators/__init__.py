"""Maps from one space to another, learned from pairs that mean the same (anchors)."""

from .affine import Affine, Linear, Ridge
from .base import Translator
from .closed import ClosedForm
from .orthogonal import LOrtho, Orthogonal

__all__ = [
    "Affine",
    "ClosedForm",
    "LOrtho",
    "Linear",
    "Orthogonal",
    "Ridge",
    "Translator",
]
