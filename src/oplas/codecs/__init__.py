"""Codecs: sound to a few numbers a frame, in which parts are learned, and back."""

from .base import Ceiling, Codec
from .encodec import Encodec
from .mel import Mel
from .named import KINDS, codec
from .tiny import Tiny, tiny

__all__ = ["Codec", "Ceiling", "Mel", "Tiny", "Encodec", "KINDS", "codec", "tiny"]
