"""Deeds done to sound."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..data.base import Dataset, Scene
from ..encoders.base import Encoder
from .base import Action, decibels


class Mix(Action):
    r"""Between ``least`` and ``most`` parts are set to gains drawn in dB and added: :math:`x'=\sum_i 10^{\theta_i/20}x_i`.

    The parts before the deed are the parts *as they sound in the mix*, gain included. Of the mixes drawn to learn from, the
    share ``across`` takes parts of two songs, so that a few songs make endless mixes; certificates never do.
    """

    def __init__(self, least: int = 2, most: int = 4, *, gain_db: tuple[float, float] = (-6.0, 6.0), across: float = 0.5) -> None:
        if not 1 <= least <= most or gain_db[0] > gain_db[1] or not 0 <= across <= 1:
            raise ValueError(
                f"Mix({least}, {most}, gain_db={gain_db}, across={across}): give 1 <= least <= most, gains from low to high "
                "and a share between 0 and 1"
            )
        self.least, self.most, self.gain_db, self.across = least, most, gain_db, across

    def _draws(self, encoder: Encoder, data: Dataset, count: int, generator: Generator) -> Iterator[Scene]:
        for scene in super()._draws(encoder, data, count, generator):
            if float(torch.rand(1, generator=generator)) < self.across:
                other = data.draw(encoder.rate, encoder.samples, 1, generator)
                scene = Scene(torch.cat([scene.parts, other.parts]), (*scene.labels, *other.labels), scene.song)
            yield scene

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        heard = len(scene.parts)
        k = int(torch.randint(self.least, min(self.most, heard) + 1, (1,), generator=generator))
        chosen = torch.randperm(heard, generator=generator)[:k]
        theta = decibels(*self.gain_db, k, generator)
        before = scene.parts[chosen] * (10 ** (theta / 20))[:, None].to(scene.parts)
        return before, before.sum(0), theta, chosen.tolist()


class Gain(Action):
    r"""One part is made louder or softer: :math:`x'=10^{\theta/20}x`, theta in dB."""

    def __init__(self, low: float = -12.0, high: float = 12.0) -> None:
        self.low, self.high = low, high

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        which = int(torch.randint(len(scene.parts), (1,), generator=generator))
        theta = decibels(self.low, self.high, 1, generator)
        before = scene.parts[which : which + 1]
        return before, before[0] * (10 ** (theta / 20)).to(before), theta, [which]
