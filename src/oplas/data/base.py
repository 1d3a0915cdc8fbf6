"""What every dataset of mixtures offers: scenes of parts that sound together, split by song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Slot:
    """A window of a song: where it starts (samples at the asked rate) and which parts are heard in it."""

    song: int
    start: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """Parts that sound together in one window.

    Shape:
        - parts: ``[k, samples]``, one row a part, in the order of ``labels``
    """

    parts: Tensor
    labels: tuple[str, ...]
    song: int


class Dataset(Protocol):
    """Songs made of parts. ``rate`` is in samples per second, ``samples`` and ``hop`` in samples at that rate."""

    @property
    def names(self) -> Sequence[str]:
        """One name a song; ``Slot.song`` and ``Scene.song`` index it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of what the data are, for the certificate and the card."""
        ...

    def split(self, *fractions: float, seed: int = 0) -> tuple[Self, ...]:
        """Disjoint datasets by song, never by window."""
        ...

    def grid(self, rate: int, samples: int, hop: int | None = None) -> list[Slot]:
        """Every window (``hop`` apart, default ``samples``) in which at least one part is heard."""
        ...

    def scene(self, slot: Slot, rate: int, samples: int) -> Scene:
        """The parts heard in a slot."""
        ...

    def draw(self, rate: int, samples: int, least: int, generator: torch.Generator) -> Scene:
        """A window of a random song at a random place in which at least ``least`` parts are heard."""
        ...
