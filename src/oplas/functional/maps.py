r"""Linear maps between two spaces in closed form, from the statistics of pairs alone.

Every map W is ``[d, e]`` and acts on centred rows: :math:`\hat y = \bar y + (x - \bar x)W`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .pairs import PairStatistics


def r2(statistics: PairStatistics, weight: Tensor, mean_x: Tensor, mean_y: Tensor) -> float:
    r""":math:`1-\sum_i\|y_i-\hat y_i\|^2/\sum_i\|y_i-\bar y\|^2` of a map on the pairs gathered, without seeing them again."""
    s = statistics
    missed = s.yy.trace() - 2 * (weight * s.xy).sum() + (weight * (s.xx @ weight)).sum()
    shift = s.mean_y - mean_y - (s.mean_x - mean_x) @ weight
    return float(1 - (missed + s.n * shift.square().sum()) / s.yy.trace())


def least_squares(statistics: PairStatistics) -> Tensor:
    r""":math:`S_{xx}^{+}S_{xy}`: of all maps with the least error the smallest; the directions x does not vary in are left out."""
    lower, failed = torch.linalg.cholesky_ex(statistics.xx)
    diagonal = lower.diagonal().square()
    if not failed and diagonal.min() > 1e-10 * statistics.xx.diagonal().max():
        return torch.cholesky_solve(statistics.xy, lower)
    return RidgePath.of(statistics).weight(0.0)


@dataclass(frozen=True, eq=False)
class RidgePath:
    r"""Ridge for every :math:`\lambda` from one eigendecomposition, :math:`S_{xx}=V\operatorname{diag}(g)V^\top`.

    .. math:: W_\lambda = V\operatorname{diag}\!\big(\tfrac1{g+\lambda}\big)V^\top S_{xy}

    Attributes:
        values: g, ``[r]``, of the directions in which x varies.
        axes: V, ``[d, r]``.
        cross: :math:`V^\top S_{xy}`, ``[r, e]``.
        floor: squared error of least squares, which no :math:`\lambda` undercuts.
    """

    n: int
    values: Tensor
    axes: Tensor
    cross: Tensor
    floor: Tensor

    @classmethod
    def of(cls, statistics: PairStatistics) -> RidgePath:
        values, axes = torch.linalg.eigh(statistics.xx)
        alive = values > values[-1] * 1e-13 * len(values)
        # more directions than pairs less one cannot vary, whatever rounding says
        alive &= torch.arange(len(values), device=values.device) >= len(values) - (statistics.n - 1)
        values, axes = values[alive], axes[:, alive]
        cross = axes.T @ statistics.xy
        floor = statistics.yy.trace() - (cross.square().sum(1) / values).sum()
        return cls(statistics.n, values, axes, cross, floor.clamp_min(0))

    def weight(self, penalty: float) -> Tensor:
        r""":math:`W_\lambda`, ``[d, e]``."""
        return self.axes @ (self.cross / (self.values + penalty)[:, None])

    def penalties(self, count: int = 121) -> Tensor:
        r"""Candidates for :math:`\lambda`, evenly spread in logarithm over all that could matter."""
        if not len(self.values):
            return self.values.new_zeros(1)
        top = self.values[-1].log10()
        return torch.logspace(float(top) - 11, float(top) + 1, count, dtype=torch.float64, device=self.values.device)

    def gcv(self, penalties: Tensor) -> Tensor:
        r"""Generalised cross-validation, :math:`n\,\mathrm{RSS}_\lambda/(n-\mathrm{df}_\lambda)^2`, for each :math:`\lambda`.

        Golub, Heath & Wahba (1979, https://doi.org/10.1080/00401706.1979.10489751). RSS and n - df are sums of terms that are
        not negative, so that neither drowns in rounding where a map fits all pairs.
        """
        share = penalties[:, None] / (self.values + penalties[:, None])
        error = self.floor + (share.square() * self.cross.square().sum(1) / self.values).sum(1)
        free = max(self.n - 1 - len(self.values), 0) + share.sum(1)
        return self.n * error / free.square()

    def best(self) -> float:
        r"""The :math:`\lambda` of least generalised cross-validation."""
        penalties = self.penalties()
        return float(penalties[self.gcv(penalties).argmin()])

    def loo(self, penalties: Tensor, x: Tensor, y: Tensor) -> Tensor:
        r"""Mean squared error on each pair when it alone is left out, exactly: :math:`r_i/(1-h_i)`; x and y are centred rows.

        :math:`h_i=\tfrac1n+\sum_j (x_i v_j)^2/(g_j+\lambda)` is the pair's leverage, so one pass over the rows serves all.
        """
        z = x @ self.axes
        found = []
        for penalty in penalties:
            residual = y - z @ (self.cross / (self.values + penalty)[:, None])
            kept = 1 - 1 / self.n - (z.square() / (self.values + penalty)).sum(1)
            found.append((residual.square().sum(1) / kept.clamp_min(1e-12).square()).mean())
        return torch.stack(found)
