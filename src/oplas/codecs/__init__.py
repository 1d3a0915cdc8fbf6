"""Codecs: sound to a few numbers a frame, in which parts are learned, and back."""

from .base import Ceiling, Codec
from .mel import Mel
from .named import codec

__all__ = ["Codec", "Ceiling", "Mel", "codec"]
