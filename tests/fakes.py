"""Songs and encoders with known answers, small enough for any test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from oplas._errors import DataError
from oplas.data.base import Scene, Slot
from oplas.encoders.base import Encoder, freeze

LABELS = ("bass", "drums", "lead", "chords")


@dataclass(frozen=True)
class Clouds:
    """Songs whose parts are vectors: each label has its own centre, each window its own point about it."""

    names: tuple[str, ...]
    size: int = 6
    spread: float = 1.0
    windows: int = 12

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def split(self, *fractions: float, seed: int = 0) -> tuple[Clouds, ...]:
        if len(self.names) < len(fractions):
            raise DataError(f"{len(self.names)} songs cannot make {len(fractions)} splits")
        cut = min(max(round(fractions[0] * len(self.names)), 1), len(self.names) - 1)
        return tuple(Clouds(names, self.size, self.spread, self.windows) for names in (self.names[:cut], self.names[cut:]))

    def _parts(self, generator: Generator) -> Tensor:
        centres = 2 * torch.randn(len(LABELS), self.size, generator=Generator().manual_seed(0))
        return centres + self.spread * torch.randn(len(LABELS), self.size, generator=generator)

    def grid(self, rate: int, samples: int, hop: int | None = None) -> list[Slot]:
        return [Slot(song, start, LABELS) for song in range(len(self.names)) for start in range(self.windows)]

    def scene(self, slot: Slot, rate: int, samples: int) -> Scene:
        seed = int.from_bytes(hashlib.sha256(f"{self.names[slot.song]} {slot.start}".encode()).digest()[:6], "big")
        return Scene(self._parts(Generator().manual_seed(seed)), LABELS, slot.song)

    def draw(self, rate: int, samples: int, least: int, generator: Generator) -> Scene:
        song = int(torch.randint(len(self.names), (1,), generator=generator))
        return Scene(self._parts(generator), LABELS, song)


class Straight(Encoder):
    """y = x: a mix is the sum of its parts by construction."""

    rate = 0

    def __init__(self, dim: int = 6) -> None:
        super().__init__()
        self.name, self.samples, self.dim = type(self).__name__.lower(), dim, dim

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


class Bent(Straight):
    """y = asinh(3 x) + 1: one to one, and neither additive nor zero at silence."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.asinh(3 * x) + 1


class Constant(Straight):
    """The same code for everything."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ones_like(x)


def clouds(songs: int = 8, **facts: float) -> Clouds:
    return Clouds(tuple(f"song {index}" for index in range(songs)), **facts)


def straight(dim: int = 6) -> Encoder:
    return freeze(Straight(dim))


def bent(dim: int = 6) -> Encoder:
    return freeze(Bent(dim))


def constant(dim: int = 6) -> Encoder:
    return freeze(Constant(dim))
