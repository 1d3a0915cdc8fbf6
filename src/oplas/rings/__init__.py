"""Rings: spaces in which a deed done again and again comes round, learned from its steps and certified."""

from .certificate import RingCertificate, certify_ring
from .learn import Rings, learn_rings

__all__ = ["RingCertificate", "Rings", "certify_ring", "learn_rings"]
