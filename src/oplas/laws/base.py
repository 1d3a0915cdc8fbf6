"""The interface of a law, and trials as a space sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from .._spelled import Spelled
from .._types import Trials
from ..actions.base import Action
from ..data.base import Dataset
from ..encoders.base import Encoder


class Seeing(Protocol):
    """What a law needs of a space: the way to latents and, if it was given one, the way back to codes."""

    def project(self, y: Tensor) -> Tensor: ...

    def lift(self, z: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Seen:
    """Trials and their latents in one space.

    Shape:
        - before: ``[n, k, d]`` latents of the parts, zeros where absent
        - after: ``[n, d]`` latents of the whole
    """

    space: Seeing
    trials: Trials
    before: Tensor
    after: Tensor

    @classmethod
    def through(cls, space: Seeing, trials: Trials) -> Seen:
        """Project every code of the trials once."""
        z = space.project(trials.codes)
        parts = int(trials.present.sum())
        before = z.new_zeros(*trials.present.shape, z.shape[1])
        before = before.index_put((trials.present,), z[:parts])
        return cls(space, trials, before, z[parts:])

    @property
    def latents(self) -> Tensor:
        """Latents of every part and every whole, in the order of ``trials.codes``, ``[m, d]``."""
        return torch.cat([self.before[self.trials.present], self.after])


class Law(Spelled, nn.Module, ABC):
    """A claim about a space. ``learn`` minimises ``weight`` times the mean square of :meth:`residual`."""

    weight: float = 1.0
    of_batch: bool = False
    """Whether the residual is a statistic of the batch, not of each trial: such laws shape a space, they do not judge it."""
    action: Action | None = None

    def trials(self, encoder: Encoder, data: Dataset, count: int, generator: Generator, *, grid: bool = False) -> Trials | None:
        """Frozen evidence for this law, or None where the evidence of the space's other laws serves."""
        return None if self.action is None else self.action.trials(encoder, data, count, generator, grid=grid)

    @abstractmethod
    def residual(self, seen: Seen) -> Tensor:
        """What is zero where the law holds, ``[batch, ...]``."""
