"""Blobs: three rectangles in a square, moved up, down, left and right; a piano roll's toy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import embedding

from .._errors import DataError
from .views import Views

RECTANGLES = 3
_ONE = torch.ones((), dtype=torch.int32)
_CELLS = ((torch.arange(256)[:, None] >> torch.arange(8)) & 1).float()


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
        if self.frame > 31:
            raise DataError(f"{self!r}: pictures of {self.frame} cells a side are too large, 31 is the most; take a smaller margin")

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
        return self._seen(self._rows(shapes, moves))

    def _rows(self, shapes: Tensor, moves: Tensor) -> Tensor:
        """Each row of a picture as the bits of one number, ``[n, m, frame]``."""
        edges = (shapes.int()[:, None] + moves.int()[:, :, None, :, None] + self.margin).clamp_(0, self.frame)  # [n, m, k, axis, 2]
        bits = (_ONE << edges[..., 1, 1]) - (_ONE << edges[..., 1, 0])
        cells = torch.arange(self.frame, dtype=torch.int32)
        rows = ((cells >= edges[..., 0, :1]) & (cells < edges[..., 0, 1:])) * bits[..., None]
        return rows[:, :, 0] | rows[:, :, 1] | rows[:, :, 2]

    def _seen(self, rows: Tensor) -> Tensor:
        """The bits as cells, a byte's eight at a time."""
        some = rows.contiguous()[..., None].view(torch.uint8)[..., : (self.frame + 7) // 8]
        return embedding(some.int(), _CELLS).flatten(-2)[..., : self.frame]

    def views(self, count: int, generator: Generator) -> Views:
        """Blobs at rest and moved twice: both along rows, both along columns, or once along each, a third of the time each.

        Steps are uniform in ±1 … ±reach. Where both moves show the same picture all is drawn anew, as the seed has it.
        """
        rows, moved, found = [], [], 0
        while found < count:
            some = count - found + 16
            scheme = torch.randint(3, (some,), generator=generator)
            step = torch.randint(1, self.reach + 1, (some, 2), generator=generator)
            step = step * (2 * torch.randint(2, (some, 2), generator=generator) - 1)
            axis = torch.stack([scheme == 1, scheme != 0], 1).long()  # 0: rows twice; 1: columns twice; 2: one of each
            moves = torch.zeros(some, 3, 2, dtype=torch.long)
            moves[:, 1:].scatter_(2, axis[..., None], step[..., None])
            drawn = self._rows(self.shapes(some, generator), moves)
            differ = (drawn[:, 1] != drawn[:, 2]).any(1)
            rows.append(drawn[differ])
            moved.append(moves[differ])
            found += len(moved[-1])
        return Views(self._seen(torch.cat(rows)[:count]), torch.cat(moved)[:count])

    def rested(self, count: int, generator: Generator) -> Views:
        """Blobs at rest alone, ``x [n, 1, frame, frame]``."""
        moves = torch.zeros(count, 1, 2, dtype=torch.long)
        return Views(self.draw(self.shapes(count, generator), moves), moves)


def blobs(margin: int = 0, side: int = 16, reach: int = 4) -> Blobs:
    """The blobs of the soft factorisation toy; ``margin=reach`` gives the larger canvas, on which no move loses a cell."""
    return Blobs(side, reach, margin)
