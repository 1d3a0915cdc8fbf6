"""Parts of your own, unlabelled mixtures: learned, split, rendered and composed again."""

from .certify import PartsCertificate, certify
from .decomposition import Decomposition
from .from_songs import from_songs
from .learn import learn
from .lesson import Lesson
from .model import Composable
from .objectives import Compose, Objective
from .operators import compose
from .remix import MixIT, Remix
from .windows import Batch, mixtures

__all__ = [
    "Batch",
    "Composable",
    "Compose",
    "Decomposition",
    "Lesson",
    "MixIT",
    "Objective",
    "PartsCertificate",
    "Remix",
    "certify",
    "compose",
    "from_songs",
    "learn",
    "mixtures",
]
