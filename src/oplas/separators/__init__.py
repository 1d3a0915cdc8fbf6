"""Separators that learn nothing: the rows beside which every learned decomposition stands."""

from .base import Masking, Separator, frame, istft, stft
from .ft2d import FT2D
from .hpss import HPSS
from .nmf import NMF
from .plain import Crossover, Ideal, Mixture
from .repet import REPET, REPETSIM
from .rpca import RPCA

__all__ = [
    "Separator",
    "Masking",
    "Mixture",
    "Crossover",
    "HPSS",
    "NMF",
    "RPCA",
    "REPET",
    "REPETSIM",
    "FT2D",
    "Ideal",
    "frame",
    "stft",
    "istft",
]
