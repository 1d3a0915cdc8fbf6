"""The soft factorisation toy, a sample at a time: written from its definition, to compare the vectorised blobs with."""

from __future__ import annotations

import time

import torch
from torch import Generator, Tensor
from torch.utils.data import Dataset

from oplas.data.blobs import Blobs


def shifted(picture: Tensor, steps: int, axis: int) -> Tensor:
    """A picture moved along an axis; what leaves it is lost, what comes in is empty."""
    moved = torch.zeros_like(picture)
    length = picture.shape[axis] - abs(steps)
    moved.narrow(axis, max(steps, 0), length).copy_(picture.narrow(axis, max(-steps, 0), length))
    return moved


class OneByOne(Dataset[tuple[Tensor, Tensor, Tensor, int]]):
    """A blob at rest, the same moved twice, and the cosine wanted of the two displacements."""

    def __init__(self, seed: int = 0, side: int = 16, reach: int = 4, margin: int = 0) -> None:
        self.chance, self.side, self.reach, self.margin = Generator().manual_seed(seed), side, reach, margin

    def one_of(self, low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (1,), generator=self.chance))

    def __len__(self) -> int:
        return 1 << 30

    def blob(self) -> Tensor:
        picture = torch.zeros(self.side, self.side)
        for _ in range(3):
            row, column = self.one_of(0, self.side - 4), self.one_of(0, self.side - 4)
            picture[row : row + self.one_of(1, 3), column : column + self.one_of(1, 3)] = 1
        for axis in (0, 1):
            if self.one_of(0, 1):
                picture = picture.flip(axis)
        return torch.nn.functional.pad(picture, [self.margin] * 4)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, int]:
        while True:
            picture, scheme = self.blob(), self.one_of(0, 2)
            steps = [self.one_of(1, self.reach) * (2 * self.one_of(0, 1) - 1) for _ in range(2)]
            axes = ((0, 0), (1, 1), (0, 1))[scheme]
            one, other = (shifted(picture, far, axis) for far, axis in zip(steps, axes, strict=True))
            if not torch.equal(one, other):
                sign = 1 if steps[0] * steps[1] > 0 else -1
                return picture, one, other, sign if scheme < 2 else 0


def speeds(blobs: Blobs, seconds: float = 1.0) -> tuple[float, float]:
    """Samples a CPU second, vectorised in batches of 1024 and one at a time."""
    loader, generator = OneByOne(0, blobs.side, blobs.reach, blobs.margin), Generator().manual_seed(0)
    rates = []
    for many, make in ((1024, lambda: blobs.views(1024, generator)), (1, lambda: loader[0])):
        make()
        made, began = 0, time.process_time()
        while time.process_time() - began < seconds:
            make()
            made += many
        rates.append(made / (time.process_time() - began))
    return rates[0], rates[1]
