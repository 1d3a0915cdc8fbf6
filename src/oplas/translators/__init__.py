"""Maps from one space to another, learned from pairs that mean the same (anchors)."""

from ..functional.pairs import PairStatistics
from .affine import Affine, Linear, Ridge
from .auto import Auto
from .base import Translator
from .blind import Blind, GromovWasserstein, Profiles
from .feeds import gather, load_statistics, paired, save_statistics
from .kernel import Kernel
from .orthogonal import LOrtho, Orthogonal
from .paper import PaperAffine, PaperLinear, PaperLOrtho, PaperOrtho
from .parallel import ParallelAnchors
from .relative import Invariances, Relative, choose_anchors
from .residual import Residual
from .seeking import Seeking
from .spectral import CCA, ReducedRank
from .subspace import Subspace

__all__ = [
    "Affine",
    "Auto",
    "Blind",
    "CCA",
    "GromovWasserstein",
    "Invariances",
    "Kernel",
    "LOrtho",
    "Linear",
    "Orthogonal",
    "PairStatistics",
    "PaperAffine",
    "PaperLOrtho",
    "PaperLinear",
    "PaperOrtho",
    "ParallelAnchors",
    "Profiles",
    "ReducedRank",
    "Relative",
    "Residual",
    "Ridge",
    "Seeking",
    "Subspace",
    "Translator",
    "choose_anchors",
    "gather",
    "load_statistics",
    "paired",
    "save_statistics",
]
