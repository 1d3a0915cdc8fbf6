"""Things, each seen at several places: what a self-supervised loop learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .._errors import ShapeError


@dataclass(frozen=True)
class Views:
    """Each of n things seen m times, every time moved in pitch and in time by known numbers of steps; the first is at rest.

    Shape:
        - x: ``[n, m, ...]`` what is seen
        - moves: ``[n, m, 2]`` how far it was moved from where it rests: rows (pitch, semitones), columns (time, steps)
    """

    x: Tensor
    moves: Tensor

    def __post_init__(self) -> None:
        if self.moves.shape != (*self.x.shape[:2], 2):
            raise ShapeError(f"moves {list(self.moves.shape)} for views {list(self.x.shape)}: one (pitch, time) for each view")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def flat(self) -> Tensor:
        """All views one after another, ``[n * m, ...]``."""
        return self.x.flatten(0, 1)

    def pick(self, rows: Tensor) -> Views:
        """Some of the things, by index or mask."""
        return Views(self.x[rows], self.moves[rows])

    def to(self, device: str | torch.device) -> Views:
        """The same views on another device."""
        return replace(self, x=self.x.to(device), moves=self.moves.to(device))


def cat(views: list[Views]) -> Views:
    """Several lots of views, as one."""
    return Views(torch.cat([each.x for each in views]), torch.cat([each.moves for each in views]))
