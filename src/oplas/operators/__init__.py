"""What should happen in the space: modules (z, theta) -> z'."""

from .base import Operator
from .free import FreeOperator
from .linear import Scale, Sum
from .translation import Translation

__all__ = ["FreeOperator", "Operator", "Scale", "Sum", "Translation"]
