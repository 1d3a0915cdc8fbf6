"""Songs made of parts: files, a built-in band, and toys with known answers."""

from . import toys
from .band import band
from .base import Dataset, Scene, Slot
from .download import get
from .render import render
from .stems import Stems, stems

__all__ = ["Dataset", "Scene", "Slot", "Stems", "band", "get", "render", "stems", "toys"]
