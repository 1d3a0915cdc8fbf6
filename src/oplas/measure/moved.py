"""Things seen where they rest and where they were moved to: what every probe of a soft factorisation reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError

See = Callable[[Tensor, Tensor], Tensor]
"""Indices of things ``[n]`` and moves ``[m, 2]`` (pitch, time) to what is seen, ``[n, m, ...]``."""


@dataclass(frozen=True)
class Moved:
    """Latents of n things at rest and after moves along one axis, and of the first g of them on the whole grid of both.

    Shape:
        - rest: ``[n, d]`` · pitch: ``[n, P, d]`` · time: ``[n, T, d]``
        - grid: ``[g, P + 1, T + 1, d]``, moves in ascending order, zero among them
        - pitches: ``[P]`` · times: ``[T]``, steps in ascending order, without zero
    """

    rest: Tensor
    pitch: Tensor
    time: Tensor
    grid: Tensor
    pitches: Tensor
    times: Tensor

    @property
    def moved(self) -> Tensor:
        """Every view moved along one axis, ``[n, P + T, d]``."""
        return torch.cat([self.pitch, self.time], 1)

    @property
    def displaced(self) -> Tensor:
        """How far each of them went from rest, ``[n, P + T, d]``."""
        return self.moved - self.rest[:, None]

    @property
    def steps(self) -> Tensor:
        """The moves they made, ``[P + T, 2]``."""
        zeros = torch.zeros_like
        return torch.cat([torch.stack([self.pitches, zeros(self.pitches)], 1), torch.stack([zeros(self.times), self.times], 1)])

    def pick(self, rows: slice) -> Moved:
        """Some of the things; the grid stays as it is."""
        return replace(self, rest=self.rest[rows], pitch=self.pitch[rows], time=self.time[rows])

    def shuffled(self, seed: int = 0) -> Moved:
        """The null: each thing keeps its views, and which move made which is drawn anew, along the lines and on the grid."""
        generator = Generator().manual_seed(seed)
        lines = _shuffle(self.moved, generator)
        cells = _shuffle(self.grid.flatten(1, 2), generator).view_as(self.grid)
        return replace(self, pitch=lines[:, : len(self.pitches)], time=lines[:, len(self.pitches) :], grid=cells)


def _shuffle(z: Tensor, generator: Generator) -> Tensor:
    order = torch.rand(z.shape[:2], generator=generator).argsort(1)
    return z.gather(1, order[..., None].expand_as(z))


@torch.no_grad()
def look(
    encode: Callable[[Tensor], Tensor], see: See, count: int, pitches: Sequence[int], times: Sequence[int], *,
    grid: int = 200, lot: int = 2048, progress: bool = True,
) -> Moved:  # fmt: skip
    """Encode ``count`` things at rest and moved.

    Args:
        encode: ``[n, ...] -> [n, d]``, a network or a space.
        see: shows the things of some indices at some moves.
        pitches, times: steps along each axis, both ways; zero need not be among them.
        grid: things that are seen at every pair of a pitch and a time as well.
        lot: views encoded at a time.

    Raises:
        DataError: fewer than 12 things, an axis not moved both ways, or latents that are not finite.
        ShapeError: latents are no vectors.
    """
    axes = [torch.tensor(sorted({int(step) for step in steps} - {0})) for steps in (pitches, times)]
    if count < 12 or any(len(axis) < 2 or axis[0] > 0 or axis[-1] < 0 for axis in axes):
        fact = f"{count} things, moved by {[axis.tolist() for axis in axes]} along the two axes, are too little to compare moves on"
        raise DataError(f"{fact}; give 12 things or more, and steps both ways along each axis")
    home = [torch.cat([axis[axis < 0], torch.zeros(1, dtype=torch.long), axis[axis > 0]]) for axis in axes]
    lines = torch.cat([torch.zeros(1, 2, dtype=torch.long), _pairs(axes[0], 0), _pairs(axes[1], 1)])
    square = torch.cartesian_prod(*home)
    along = _encode(encode, see, count, lines, lot, "along the axes", progress)
    whole = _encode(encode, see, min(grid, count), square, lot, "on the grid", progress).unflatten(1, (len(home[0]), len(home[1])))
    if not (torch.isfinite(along).all() and torch.isfinite(whole).all()):
        raise DataError("some latents are not finite; look for NaN in what was encoded, or for a network that diverged")
    p = 1 + len(axes[0])
    return Moved(along[:, 0], along[:, 1:p], along[:, p:], whole, axes[0].float(), axes[1].float())


def _pairs(axis: Tensor, which: int) -> Tensor:
    return torch.stack([axis, torch.zeros_like(axis)] if which == 0 else [torch.zeros_like(axis), axis], 1)


def _encode(
    encode: Callable[[Tensor], Tensor], see: See, count: int, moves: Tensor, lot: int, where: str, progress: bool
) -> Tensor:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    quiet = not (progress and sys.stderr.isatty())
    rows = []
    for some in track(torch.arange(count).split(max(lot // len(moves), 1)), f"moving {where}", console=console, disable=quiet,
                      transient=True):  # fmt: skip
        x = see(some, moves)
        z = encode(x.flatten(0, 1))
        if z.ndim != 2 or len(z) != len(some) * len(moves):
            raise ShapeError(f"{len(some) * len(moves)} views came out as {list(z.shape)}; each must become one vector")
        rows.append(z.unflatten(0, (len(some), len(moves))).double().cpu())
    return torch.cat(rows)
