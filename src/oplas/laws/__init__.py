"""Claims about a space that can be trained and certified."""

from .base import Law, Seen
from .equivariance import Equivariance
from .factor import AntiParallel, Orthogonal, Parallel
from .group import Commute, Homomorphism, Identity, Inverse, Order
from .ring import Ring
from .roundtrip import RoundTrip
from .spread import Decorrelation, Gaussian, VarianceFloor, nondegenerate
from .step import Recognised, Step, UnitVariance, Whitened

__all__ = [
    "AntiParallel", "Commute", "Decorrelation", "Equivariance", "Gaussian", "Homomorphism", "Identity", "Inverse", "Law", "Order",
    "Orthogonal", "Parallel", "Recognised", "Ring", "RoundTrip", "Seen", "Step", "UnitVariance", "VarianceFloor", "Whitened",
    "nondegenerate",
]  # fmt: skip
