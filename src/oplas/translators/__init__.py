"""Maps from one space to another, learned from pairs that mean the same (anchors)."""

from ..functional.pairs import PairStatistics
from .affine import Affine, Linear, Ridge
from .auto import Auto
from .base import Translator
from .feeds import gather, load_statistics, paired, save_statistics
from .kernel import Kernel
from .orthogonal import LOrtho, Orthogonal
from .paper import PaperAffine, PaperLinear, PaperLOrtho, PaperOrtho
from .residual import Residual
from .spectral import CCA, ReducedRank

__all__ = [
    "Affine",
    "Auto",
    "CCA",
    "Kernel",
    "LOrtho",
    "Linear",
    "Orthogonal",
    "PairStatistics",
    "PaperAffine",
    "PaperLOrtho",
    "PaperLinear",
    "PaperOrtho",
    "ReducedRank",
    "Residual",
    "Ridge",
    "Translator",
    "gather",
    "load_statistics",
    "paired",
    "save_statistics",
]
