"""Frozen encoders: exact front ends, pretrained networks, and codes a user already has.

Importing this package loads torch and nothing else; what an encoder needs beyond that is imported when it is made.
"""

from .base import Encoder, freeze
from .cache import Cached
from .jamendo import jamendo
from .mini import mini
from .spectral import chroma, cqt, log_mel, power_mel
from .toy import mixer

__all__ = ["Cached", "Encoder", "chroma", "cqt", "freeze", "jamendo", "log_mel", "mini", "mixer", "power_mel"]
