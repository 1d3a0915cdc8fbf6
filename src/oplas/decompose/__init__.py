"""Parts of your own, unlabelled mixtures: learned, split, rendered and composed again."""

from .decomposition import Decomposition
from .learn import learn
from .model import Composable
from .objectives import Compose, Objective
from .operators import compose
from .windows import Batch, mixtures

__all__ = ["Batch", "Composable", "Compose", "Decomposition", "Objective", "compose", "learn", "mixtures"]
