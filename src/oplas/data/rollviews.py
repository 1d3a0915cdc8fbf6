"""Windows of songs, each seen at rest and moved: what networks for piano rolls learn from."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from .pianoroll import Crops
from .views import Views


@dataclass(frozen=True)
class RollViews:
    """Random windows at rest and moved twice: both in pitch, both in time, or once in each, a third of the time each.

    Moves are uniform in ±1 … ±semitones and ±1 … ±steps; where a window has no room above or below, it moves the other way.
    """

    crops: Crops = field(repr=False)
    semitones: int = 6
    steps: int = 8

    def views(self, count: int, generator: Generator) -> Views:
        """Fresh views ``[count, 3, 2, 128, size]``."""
        index = torch.randint(len(self.crops), (count,), generator=generator)
        scheme = torch.randint(3, (count,), generator=generator)
        reach = torch.tensor([self.semitones, self.steps])
        far = 1 + (torch.rand(count, 2, 2, generator=generator) * reach).long()
        step = far * (2 * torch.randint(2, (count, 2, 2), generator=generator) - 1)
        room = self.crops.room(index, self.steps)[:, None]
        pitch = step[..., 0]
        pitch = torch.where((pitch < -room[..., 0]) | (pitch > room[..., 1]), -pitch, pitch)
        pitch = pitch.maximum(-room[..., 0]).minimum(room[..., 1])
        along = torch.stack([scheme == 1, scheme != 0], 1)  # in time: both, neither, or the second alone
        moves = torch.zeros(count, 3, 2, dtype=torch.long)
        moves[:, 1:, 0] = torch.where(along, 0, pitch)
        moves[:, 1:, 1] = torch.where(along, step[..., 1], 0)
        return Views(self.seen(index, moves), moves)

    def seen(self, index: Tensor, moves: Tensor) -> Tensor:
        """Windows at the moves given: ``index [n]``, ``moves [n, m, 2]`` to ``[n, m, 2, 128, size]``."""
        rows = index.repeat_interleave(moves.shape[1])
        far = moves.flatten(0, 1).long()
        return self.crops.rolls(rows, far[:, 0], far[:, 1]).unflatten(0, moves.shape[:2])
