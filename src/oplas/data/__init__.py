"""Songs made of parts: files, a built-in band, and toys with known answers."""

from . import toys
from .band import band
from .base import Dataset, Scene, Slot
from .download import get
from .midi import midi
from .notes import Notes, read_midi
from .pianoroll import Crops, roll, unroll
from .pop909 import pop909
from .render import render
from .rolls import Rolls
from .stems import Stems, stems
from .transposed import render_transposed

__all__ = [
    "Crops",
    "Dataset",
    "Notes",
    "Rolls",
    "Scene",
    "Slot",
    "Stems",
    "band",
    "get",
    "midi",
    "pop909",
    "read_midi",
    "render",
    "render_transposed",
    "roll",
    "stems",
    "toys",
    "unroll",
]
