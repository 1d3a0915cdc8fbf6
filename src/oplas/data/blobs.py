"""Blobs: three rectangles in a square, moved up, down, left and right; a piano roll's toy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .views import Views, cat

RECTANGLES = 3


@dataclass(frozen=True)
class Blobs:
    r"""Unions of three rectangles of 1 to 3 by 1 to 3 cells in a square of ``side`` cells (soft factorisation toy, Hawley 2026).

    Corners are uniform where a rectangle may stand, sides are uniform, the whole is mirrored in each axis half of the time.
    A move by (dy, dx) is exact; what leaves the picture is lost. With ``margin`` 0 the picture is the square itself, and about
    a third of the moves lose cells; with a margin of ``reach`` cells on each side it is a larger canvas, and none do.

    Args:
        side: of the square in which a blob rests.
        reach: how far it moves at most along each axis.
        margin: cells around the square that the picture shows.

    >>> blobs = Blobs(margin=4)
    >>> shapes = blobs.shapes(5, torch.Generator().manual_seed(0))
    >>> blobs.draw(shapes, torch.tensor([[0, 0], [4, -4]]).expand(5, 2, 2)).shape
    torch.Size([5, 2, 24, 24])
    """

    side: int = 16
    reach: int = 4
    margin: int = 0

    def __post_init__(self) -> None:
        if self.side < 5 or self.reach < 1 or self.margin < 0:
            raise DataError(f"{self!r}: a blob needs a square of 5 cells or more, a reach of at least 1 and no negative margin")

    @property
    def frame(self) -> int:
        """Cells along each side of the picture."""
        return self.side + 2 * self.margin

    def shapes(self, count: int, generator: Generator) -> Tensor:
        """Fresh blobs as first and last-but-one cell of each rectangle along each axis, ``[n, rectangles, axis, 2]``."""
        many = (count, RECTANGLES, 2)
        low = torch.randint(self.side - 3, many, generator=generator)
        high = low + torch.randint(1, 4, many, generator=generator)
        mirror = torch.rand(count, 1, 2, generator=generator) < 0.5
        return torch.stack([torch.where(mirror, self.side - high, low), torch.where(mirror, self.side - low, high)], -1)

    def draw(self, shapes: Tensor, moves: Tensor) -> Tensor:
        """Pictures of moved blobs: ``shapes [n, k, 2, 2]``, ``moves [n, m, 2]`` to zeros and ones ``[n, m, frame, frame]``."""
        cells = torch.arange(-self.margin, self.side + self.margin)
        edges = (shapes[:, None] + moves[:, :, None, :, None])[..., None]
        inside = ((cells >= edges[..., 0, :]) & (cells < edges[..., 1, :])).float()  # [n, m, k, axis, frame]
        return torch.einsum("nmkr,nmkc->nmrc", inside[..., 0, :], inside[..., 1, :]).clamp_(max=1)

    def views(self, count: int, generator: Generator) -> Views:
        """Blobs at rest and moved twice: both along rows, both along columns, or once along each, a third of the time each.

        Steps are uniform in ±1 … ±reach. Where both moves show the same picture all is drawn anew, as the seed has it.
        """
        found: list[Views] = []
        while sum(map(len, found)) < count:
            some = count - sum(map(len, found)) + 16
            shapes = self.shapes(some, generator)
            scheme = torch.randint(3, (some,), generator=generator)
            step = torch.randint(1, self.reach + 1, (some, 2), generator=generator)
            step = step * (2 * torch.randint(2, (some, 2), generator=generator) - 1)
            axis = torch.stack([scheme == 1, scheme != 0], 1).long()  # 0: rows twice; 1: columns twice; 2: one of each
            moves = torch.zeros(some, 3, 2, dtype=torch.long)
            moves[:, 1:].scatter_(2, axis[..., None], step[..., None])
            x = self.draw(shapes, moves)
            found.append(Views(x, moves).pick((x[:, 1] != x[:, 2]).flatten(1).any(1)))
        return cat(found).pick(slice(count))  # type: ignore[arg-type]

    def rested(self, count: int, generator: Generator) -> Views:
        """Blobs at rest alone, ``x [n, 1, frame, frame]``."""
        moves = torch.zeros(count, 1, 2, dtype=torch.long)
        return Views(self.draw(self.shapes(count, generator), moves), moves)


def blobs(margin: int = 0, side: int = 16, reach: int = 4) -> Blobs:
    """The blobs of the soft factorisation toy; ``margin=reach`` gives the larger canvas, on which no move loses a cell."""
    return Blobs(side, reach, margin)
