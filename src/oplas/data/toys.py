"""Data with known answers: the two-dimensional mixer, in which a mix of points is their sum, and :func:`blobs`."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from .._errors import DataError, ShapeError
from .base import Scene, Slot
from .blobs import blobs

__all__ = ["Points", "blobs", "mixer"]

SLOTS = 256


@dataclass(frozen=True)
class Points:
    r"""Scenes of `k` points in the plane, each with its own fader; a mix is their sum (OpLaS mixer toy).

    .. math:: x_i = f_i u_i, \qquad f_i = \pm 1 + \tfrac12 \tanh 2v_i, \qquad v_i \sim U[-1,1], \quad u_i \sim U[-1,1]^2,

    the first point 1.2 times as far out.

    A song is a seed: its 256 scenes are the same whenever they are asked for. Draws are fresh from the same law.
    There is no sample rate: ``rate`` is 0 and ``samples`` 2, as :func:`oplas.encoders.toy.mixer` has them.

    >>> Points(("0", "1"), parts=3).draw(0, 2, 2, torch.Generator().manual_seed(0)).parts.shape
    torch.Size([3, 2])
    """

    names: tuple[str, ...]
    parts: int = 4
    dtype: torch.dtype = torch.float32

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"points {self.parts} {' '.join(self.names)}".encode()).hexdigest()[:16]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"point {index + 1}" for index in range(self.parts))

    @cached_property
    def _songs(self) -> list[Tensor]:
        seeds = [int.from_bytes(hashlib.sha256(f"points {name}".encode()).digest()[:7]) for name in self.names]
        return [self.draw_batch(SLOTS, self.parts, torch.Generator().manual_seed(seed)) for seed in seeds]

    def __len__(self) -> int:
        return len(self.names)

    def split(self, *fractions: float, seed: int = 0) -> tuple[Self, ...]:
        """Disjoint sets of songs, one for each fraction.

        Raises:
            DataError: the fractions exceed 1, or there are fewer songs than fractions.
        """
        edges = [round(sum(fractions[:index]) * len(self.names)) for index in range(len(fractions) + 1)]
        if not fractions or min(fractions) <= 0 or sum(fractions) > 1 + 1e-9 or len(set(edges)) < len(edges):
            raise DataError(
                f"{len(self)} songs cannot be split by {fractions}; give fractions that add up to at most 1, or more songs"
            )
        order = torch.randperm(len(self.names), generator=torch.Generator().manual_seed(seed)).tolist()
        groups = [sorted(order[a:b]) for a, b in itertools.pairwise(edges)]
        return tuple(type(self)(tuple(self.names[index] for index in group), self.parts, self.dtype) for group in groups)

    def grid(self, rate: int = 0, samples: int = 2, hop: int | None = None) -> list[Slot]:
        """Every scene of every song, in order."""
        _check(rate, samples)
        return [Slot(song, start, self.labels) for song in range(len(self.names)) for start in range(SLOTS)]

    def scene(self, slot: Slot, rate: int = 0, samples: int = 2) -> Scene:
        """The points of a slot, faders applied: ``[k, 2]``."""
        _check(rate, samples)
        keep = [self.labels.index(label) for label in slot.labels]
        return Scene(self._songs[slot.song][slot.start, keep], slot.labels, slot.song)

    def draw(self, rate: int, samples: int, least: int, generator: torch.Generator) -> Scene:
        """A fresh scene of all its parts."""
        _check(rate, samples)
        if least > self.parts:
            raise DataError(f"{least} parts are asked for and every scene has {self.parts}; make the toy with parts={least}")
        song = int(torch.randint(len(self.names), (), generator=generator))
        return Scene(self.draw_batch(1, self.parts, generator)[0], self.labels, song)

    def draw_batch(self, count: int, parts: int, generator: torch.Generator) -> Tensor:
        """``[count, parts, 2]``: fresh scenes at once, each point times its own fader."""
        uniform = torch.rand(count, parts, 4, generator=generator, dtype=self.dtype, device=generator.device) * 2 - 1
        points, sign, turn = uniform[..., :2], uniform[..., 2:3], uniform[..., 3:]
        points[:, :1] *= 1.2
        return points * (torch.where(sign < 0, -1.0, 1.0) + 0.5 * torch.tanh(2 * turn)).to(self.dtype)


def mixer(songs: int = 64, parts: int = 4, seed: int = 0, dtype: torch.dtype = torch.float32) -> Points:
    """The mixer toy: ``songs`` seeds, scenes of ``parts`` points."""
    if songs < 1 or parts < 2:
        raise DataError(f"the mixer toy needs at least 1 song of 2 parts; {songs} of {parts} were asked for")
    return Points(tuple(f"{seed}.{index}" for index in range(songs)), parts, dtype)


def _check(rate: int, samples: int) -> None:
    if (rate, samples) != (0, 2):
        asked = f"windows of {samples} samples at {rate} Hz were asked for"
        raise ShapeError(f"the mixer toy holds points (rate 0, samples 2); {asked}; use encoders.toy.mixer()")
