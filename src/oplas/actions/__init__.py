"""What is done to data: verbs."""

from .audio import Gain, Mix
from .base import Action

__all__ = ["Action", "Gain", "Mix"]
