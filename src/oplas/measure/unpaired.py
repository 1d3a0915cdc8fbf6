"""Are two columns of vectors in the same coordinates, though no row of one has a partner in the other?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .._told import Told

ROWS = 512
"""Rows of each that are looked at; a random draw of more."""

FEW = 12
"""Rows below which nothing can be told."""

NARROW = 8
"""Dimensions below which there are too few signs and orders to be surprised by one."""


@dataclass(frozen=True)
class Unpaired(Told):
    """What two columns of other rows show of their coordinates.

    Attributes:
        p: of "the coordinates have nothing to do with each other"; small: they are shared.
        apart: share of the mean distance across that the two being drawn differently explains: 0 for one distribution, 1 for
            two points.
        same: p is at most 0.02, and ``apart`` at most 0.3.
    """

    p: float
    apart: float
    rows: int

    @property
    def same(self) -> bool:
        return self.p <= 0.02 and self.apart <= 0.3

    def __str__(self) -> str:
        fact = "the same coordinates" if self.same else "no sign of the same coordinates"
        return f"{fact} (p = {self.p:.3f} of unrelated ones, {self.apart:.2f} apart; {self.rows} rows)"


@torch.no_grad()
def unpaired(X: Tensor, Y: Tensor, *, draws: int = 199, seed: int = 0) -> Unpaired:
    r"""Do the rows of Y lie where those of X do because their coordinates mean the same?

    Other songs of one space differ, so a test of "drawn alike" refuses them; what another space does not have is that its
    first coordinate *is* the first. If coordinates have nothing to do with each other, those of Y may as well be numbered or
    directed otherwise, so

    .. math:: t(S)=4\,\langle\bar x,\bar yS\rangle+\langle C_x,S^\top C_yS\rangle,\qquad
        \hat x=\frac{x/\sigma_X}{\|x/\sigma_X\|},\quad\bar x=E\hat x,\quad C_x=E\hat x^\top\hat x,

    which is how near the rows of both lie to each other on the sphere, to second order, is no larger for S = 1 than for random
    permutations, nor than for random signs. The larger of the two p-values counts: where every space has its variances in the
    same order, or all its values positive, one of the two families says nothing.

    ``apart`` is the energy coefficient :math:`1-(E\|x-x'\|+E\|y-y'\|)/2E\|x-y\|` (Székely & Rizzo 2013,
    https://doi.org/10.1016/j.jspi.2013.03.018).

    Args:
        X, Y: ``[n, d]`` and ``[m, d]``.

    Raises:
        ShapeError: the dimensions differ.
        DataError: fewer than 12 rows in one, or fewer than 8 dimensions.
    """
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ShapeError(f"columns of shape {list(X.shape)} and {list(Y.shape)} share no coordinates; give [n, d] and [m, d]")
    if X.shape[1] < NARROW:
        raise DataError(f"{X.shape[1]} dimensions are too few to tell whether coordinates are the same; {NARROW} are needed")
    if min(len(X), len(Y)) < FEW:
        raise DataError(f"{min(len(X), len(Y))} rows are too few to tell whether coordinates are the same; {FEW} are needed")
    generator = Generator().manual_seed(seed)
    x, y = (z[torch.randperm(len(z), generator=generator)[:ROWS]].double() for z in (X, Y))
    spread = x.std(0)
    spread = spread + 0.01 * spread.max() + 1e-30
    a, b = ((z / spread) / (z / spread).norm(dim=1, keepdim=True).clamp_min(1e-30) for z in (x, y))
    (mean, second), (other, another) = ((z.mean(0), z.T @ z / len(z)) for z in (a, b))

    def near(order: Tensor | slice = slice(None), sign: Tensor | float = 1.0) -> float:
        turned = another[order][:, order] * sign
        return float(4 * mean @ (other[order] * sign) + (second * (turned.T * sign)).sum())

    seen, width = near(), x.shape[1]
    as_near = torch.zeros(2)
    for _ in range(draws):
        signs = torch.randint(2, (width,), generator=generator) * 2.0 - 1
        order = torch.randperm(width, generator=generator)
        as_near += torch.tensor([near(sign=signs.double()) >= seen, near(order) >= seen])
    across, within = float(torch.cdist(x, y).mean()), sum(float(torch.pdist(z).mean()) for z in (x, y))
    return Unpaired(float((1 + as_near.max()) / (1 + draws)), max(0.0, 1 - within / (2 * across)), min(len(x), len(y)))
