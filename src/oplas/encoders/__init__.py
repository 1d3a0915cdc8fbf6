"""Frozen encoders: exact front ends, pretrained networks, and codes a user already has.

Importing this package loads torch and nothing else; what an encoder needs beyond that is imported when it is made.
"""

from .base import Encoder, freeze
from .cache import Cached
from .cropped import cropped_cqt
from .hub import huggingface
from .jamendo import jamendo
from .mini import mini
from .named import named
from .onnx import onnx
from .precomputed import Precomputed, load_embeddings
from .rolls import pitch_classes, pitch_durations
from .skey import skey
from .spectral import chroma, cqt, log_mel, power_mel
from .toy import mixer
from .vggish import vggish

__all__ = [
    "Encoder",
    "freeze",
    "Cached",
    "mini",
    "power_mel",
    "log_mel",
    "chroma",
    "cqt",
    "cropped_cqt",
    "pitch_durations",
    "pitch_classes",
    "skey",
    "jamendo",
    "vggish",
    "huggingface",
    "onnx",
    "named",
    "Precomputed",
    "load_embeddings",
    "mixer",
]
