"""Maps from one space to another, learned from pairs that mean the same (anchors)."""

from ..functional.pairs import PairStatistics
from .affine import Affine, Linear, Ridge
from .base import Translator
from .feeds import gather, load_statistics, paired, save_statistics
from .orthogonal import LOrtho, Orthogonal
from .paper import PaperAffine, PaperLinear, PaperLOrtho, PaperOrtho
from .spectral import CCA, ReducedRank

__all__ = [
    "Affine",
    "CCA",
    "LOrtho",
    "Linear",
    "Orthogonal",
    "PairStatistics",
    "PaperAffine",
    "PaperLOrtho",
    "PaperLinear",
    "PaperOrtho",
    "ReducedRank",
    "Ridge",
    "Translator",
    "gather",
    "load_statistics",
    "paired",
    "save_statistics",
]
