"""What certificates are made of: figures that say how well a law holds and what the space still knows."""

from .additivity import Additivity, additivity, homogeneity
from .bounds import bootstrap, conformal
from .kept import family_probe, neighbour_overlap
from .retrieval import missing_part, ranks

__all__ = [
    "Additivity",
    "additivity",
    "bootstrap",
    "conformal",
    "family_probe",
    "homogeneity",
    "missing_part",
    "neighbour_overlap",
    "ranks",
]
