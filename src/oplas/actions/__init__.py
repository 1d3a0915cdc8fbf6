"""What is done to data: verbs."""

from .audio import Gain, Mix
from .base import Action
from .harmony import CropShift, Rendered
from .pianoroll import KeyChange, Shift, Stretch, Transpose, Velocity

__all__ = ["Action", "CropShift", "Gain", "KeyChange", "Mix", "Rendered", "Shift", "Stretch", "Transpose", "Velocity"]
