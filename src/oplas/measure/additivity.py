"""How nearly the whole is what the operator makes of its parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Additivity:
    r"""Per trial: squared error of the prediction and squared distance from the mean; their sums make every figure.

    Shape:
        - error: ``[n]``, :math:`\|\hat z-z\|^2`
        - spread: ``[n]``, :math:`\|z-\bar z\|^2`
        - affine: ``[n]``, the error left once each number of parts is granted a constant
    """

    error: Tensor
    spread: Tensor
    affine: Tensor

    def r2(self, rows: Tensor | None = None) -> float:
        r""":math:`1-\sum\|\hat z-z\|^2/\sum\|z-\bar z\|^2`; NaN where the space has no spread."""
        return _share(self.error, self.spread, rows)

    def affinity(self, rows: Tensor | None = None) -> float:
        """The same with the constants granted: high where the law holds up to an offset, as in a space with another origin."""
        return _share(self.affine, self.spread, rows)

    def defect(self, rows: Tensor | None = None) -> float:
        r"""Relative defect :math:`\sqrt{1-R^2}`: root-mean-square error in units of the space's scatter."""
        return math.sqrt(max(1 - self.r2(rows), 0)) if math.isfinite(self.r2(rows)) else math.nan

    @property
    def each(self) -> Tensor:
        """Relative defect of every trial, ``[n]``: its error over the root-mean-square spread."""
        return (self.error / self.spread.mean().clamp_min(torch.finfo(self.spread.dtype).tiny)).sqrt()


def _share(error: Tensor, spread: Tensor, rows: Tensor | None) -> float:
    if rows is not None:
        error, spread = error[rows], spread[rows]
    whole = float(spread.sum())
    return 1 - float(error.sum()) / whole if whole > 0 else math.nan


def additivity(predicted: Tensor, after: Tensor, count: Tensor) -> Additivity:
    """Compare predictions ``[n, d]`` with what came out ``[n, d]``; ``count`` ``[n]`` is the number of parts."""
    gap = (predicted - after).double()
    centred = torch.zeros_like(gap)
    for k in count.unique():
        rows = count == k
        centred[rows] = gap[rows] - gap[rows].mean(0)
    after = after.double()
    # a spread at the level of rounding is no spread: the space is a point
    floor = 1e-12 * after.square().sum(1).mean().clamp_min(1e-300)
    spread = (after - after.mean(0)).square().sum(1)
    spread = spread if float(spread.mean()) > floor else torch.zeros_like(spread)
    return Additivity(gap.square().sum(1), spread, centred.square().sum(1))


def homogeneity(before: Tensor, after: Tensor, theta: Tensor) -> tuple[float, float]:
    r"""The exponent p with which a gain scales the space, and how well it does.

    Fits :math:`z(gx)\approx g^{p}z(x)`, :math:`g=10^{\theta/20}`, by least squares over p in [-1, 4]. Independent
    sources add energies, so an additive space is expected near p = 2.

    Args:
        before, after: latents without and with the gain, ``[n, d]``; theta: ``[n]`` in dB.

    Returns:
        p and the :math:`R^2` there.
    """
    spread = float((after - after.mean(0)).square().sum())
    if spread <= 1e-12 * float(after.square().sum()):
        return math.nan, math.nan
    gain = theta.double() * (math.log(10) / 20)
    a, b, c = before.double().square().sum(1), (before.double() * after.double()).sum(1), after.double().square().sum(1)

    def error(p: Tensor) -> Tensor:
        g = torch.exp(p[:, None] * gain)
        return (g.square() * a - 2 * g * b + c).sum(1)

    grid = torch.linspace(-1, 4, 5001, dtype=torch.float64)
    errors = error(grid)
    best = int(errors.argmin())
    return float(grid[best]), 1 - float(errors[best]) / spread
