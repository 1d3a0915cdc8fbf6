"""A space of rolls whose content is the roll itself: nothing to learn, nothing lost."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from oplas.data import Notes
from oplas.rollspace import RollSpace


class Cells(nn.Module):
    """The cells in a row."""

    dim = 2 * 128 * 128

    def forward(self, rolls: Tensor) -> Tensor:
        return rolls.flatten(1)


class Back(nn.Module):
    """Positive where a cell is one."""

    def forward(self, content: Tensor) -> Tensor:
        return content.unflatten(1, (2, 128, 128)) - 0.5


def exact() -> RollSpace:
    return RollSpace(Cells(), Back()).eval()


def tune(seed: int, beats: int = 48, name: str = "") -> Notes:
    """A melody of quarters and eighths."""
    draw = Generator().manual_seed(seed)
    steps = torch.randint(-4, 5, (2 * beats,), generator=draw).cumsum(0) % 24 + 55
    kept = torch.rand(2 * beats, generator=draw) < 0.7
    rows = [(index / 2, 0.5, int(pitch)) for index, (pitch, keep) in enumerate(zip(steps, kept, strict=True)) if keep]
    return Notes.of(rows, name=name or f"tune {seed}")
