"""Claims about a space that can be trained and certified."""

from .base import Law, Seen
from .equivariance import Equivariance
from .roundtrip import RoundTrip
from .spread import Decorrelation, Gaussian, VarianceFloor, nondegenerate

__all__ = ["Decorrelation", "Equivariance", "Gaussian", "Law", "RoundTrip", "Seen", "VarianceFloor", "nondegenerate"]
