"""The few directions that two spaces share, from the statistics of pairs alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .maps import RidgePath
from .pairs import PairStatistics


@dataclass(frozen=True, eq=False)
class Canonical:
    r"""Canonical pairs of directions, most correlated first.

    Attributes:
        correlations: P, ``[k]``, descending, within [0, 1].
        x: :math:`S_{xx}^{-1/2}U`, ``[d, k]``: centred rows times these are the variates of x, of summed squares 1 each.
        y: :math:`S_{yy}^{-1/2}V`, ``[e, k]``.
        colour_y: :math:`S_{yy}^{1/2}V`, ``[e, k]``: variates of y times its transpose are rows of y again.
    """

    correlations: Tensor
    x: Tensor
    y: Tensor
    colour_y: Tensor


def canonical(statistics: PairStatistics, penalty_x: float | None = None, penalty_y: float | None = None) -> Canonical:
    r"""Singular value decomposition of :math:`(S_{xx}+\lambda_x)^{-1/2}S_{xy}(S_{yy}+\lambda_y)^{-1/2}=UPV^\top`.

    Hotelling 1936 (https://doi.org/10.1093/biomet/28.3-4.321); with penalties, Vinod 1976
    (https://doi.org/10.1016/0304-4076(76)90010-5). A penalty not given is the one generalised cross-validation chooses for ridge
    from that side.
    """
    there, back = RidgePath.of(statistics), RidgePath.of(statistics.swapped())
    size_x = (there.values + (there.best() if penalty_x is None else penalty_x)).sqrt()
    size_y = (back.values + (back.best() if penalty_y is None else penalty_y)).sqrt()
    u, p, vt = torch.linalg.svd((there.cross @ back.axes) / size_x[:, None] / size_y, full_matrices=False)
    v = vt.T
    sides = (there.axes @ (u / size_x[:, None]), back.axes @ (v / size_y[:, None]), back.axes @ (v * size_y[:, None]))
    return Canonical(p.clamp(0, 1), *sides)


@dataclass(frozen=True, eq=False)
class Leading:
    """What a ridge map explains along each axis of the target, in falling order.

    Attributes:
        axes: ``[e, k]``, orthonormal.
        errors: ``[k]``, squared error left by the first 1, 2, … axes.
        free: ``[k]``, observations less what the map so far can spend; not positive where it could fit anything.
    """

    axes: Tensor
    errors: Tensor
    free: Tensor

    def best(self) -> int:
        """The number of axes of least generalised cross-validation."""
        judged = self.errors / self.free.square()
        judged[self.free <= 0] = torch.inf
        return int(judged.argmin()) + 1


def leading(path: RidgePath, statistics: PairStatistics, penalty: float) -> Leading:
    r"""Eigenvectors of :math:`W_\lambda^\top(S_{xx}+\lambda I)W_\lambda`: reduced-rank ridge (Mukherjee & Zhu 2011).

    A map of rank r spends :math:`r\,(\mathrm{df}_\lambda+e-r)+e` of :math:`ne` observations, the last e on the mean.
    """
    e, size = statistics.dims[1], path.values + penalty
    axes = torch.linalg.eigh(path.cross.T @ (path.cross / size[:, None])).eigenvectors.flip(1)
    along = path.cross @ axes
    explained = (2 * along.square() / size[:, None] - along.square() * (path.values / size.square())[:, None]).sum(0)
    total = statistics.yy.trace()
    errors = (total - explained.cumsum(0)).clamp_min(1e-15 * float(total))
    df = float((path.values / size).sum())
    r = torch.arange(1, e + 1, dtype=torch.float64, device=axes.device)
    k = max(1, min(e, int(df + 0.5)))
    return Leading(axes[:, :k], errors[:k], (statistics.n * e - r * (df + e - r) - e)[:k])
