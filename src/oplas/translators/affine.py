"""Least squares, with and without an intercept, and ridge."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from .._errors import DataError, OplasError
from ..functional.maps import RidgePath, least_squares
from ..functional.pairs import PairStatistics
from .closed import ClosedForm, Preprocess, Rows


class Affine(ClosedForm):
    r"""Least squares with an intercept: :math:`W = S_{xx}^{+}S_{xy}`; the smallest W where the anchors leave it open.

    Its error peaks where anchors are as many as dimensions; :class:`Ridge` has no such peak.

    >>> import torch
    >>> x = torch.randn(50, 4, dtype=torch.float64)
    >>> bool((Affine().fit(x, 2 * x + 1).transform(x) - (2 * x + 1)).abs().max() < 1e-9)
    True
    """

    def __init__(self, *, preprocess: Preprocess = "centre") -> None:
        self.preprocess = preprocess

    def _reads(self, d: int, e: int) -> tuple[str, ...]:
        return ("xx",)

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        return least_squares(statistics)


class Linear(Affine):
    r"""Least squares without an intercept: zero goes to zero."""

    def __init__(self, *, preprocess: Preprocess = "none") -> None:
        self.preprocess = preprocess


class Ridge(ClosedForm):
    r"""Affine map with a penalty on its size, :math:`W_\lambda=(S_{xx}+\lambda I)^{-1}S_{xy}`; the one to begin with.

    The penalty is chosen by generalised cross-validation or by the exact leave-one-out error (Golub, Heath & Wahba 1979,
    https://doi.org/10.1080/00401706.1979.10489751), at the price of one eigendecomposition; leave-one-out must see rows.

    The way back is no pseudo-inverse, which would blow up what the penalty shrank, but the ridge fitted from Y to X.

    Args:
        by: ``"gcv"``, ``"loo"``, or :math:`\lambda` itself, in squared units of x summed over anchors.

    Attributes:
        penalty_: the :math:`\lambda` chosen.
    """

    def __init__(self, by: Literal["gcv", "loo"] | float = "gcv", *, preprocess: Preprocess = "centre") -> None:
        self.by = by
        self.preprocess = preprocess

    penalty_: float

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        path = RidgePath.of(statistics)
        self.penalty_ = self._penalty(path, rows)
        return path.weight(self.penalty_)

    def _solve_back(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        path = RidgePath.of(statistics.swapped())
        return path.weight(self._penalty(path, None if rows is None else lambda: rows()[::-1]))

    def _penalty(self, path: RidgePath, rows: Rows | None) -> float:
        if self.by == "gcv":
            return path.best()
        if self.by == "loo":
            if rows is None:
                raise DataError(f"{self!r} must see rows, their leverage decides; call fit(X, Y), or take by='gcv'")
            x, y = rows()
            coarse = path.penalties(13)
            best = coarse[path.loo(coarse, x, y).argmin()]
            fine = best * torch.logspace(-1, 1, 9, dtype=best.dtype, device=best.device)
            return float(fine[path.loo(fine, x, y).argmin()])
        if isinstance(self.by, int | float) and 0 <= self.by < math.inf:
            return float(self.by)
        raise OplasError(f"by={self.by!r} is no way to choose the penalty; take 'gcv', 'loo' or a number of at least 0")
