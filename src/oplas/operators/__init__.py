"""What should happen in the space: modules (z, theta) -> z'."""

from .base import Operator
from .free import FreeOperator
from .linear import Scale, Sum

__all__ = ["FreeOperator", "Operator", "Scale", "Sum"]
