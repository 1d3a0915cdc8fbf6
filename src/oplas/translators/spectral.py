"""Maps through few directions: reduced rank, and canonical correlations."""

from __future__ import annotations

import torch
from torch import Tensor

from .._errors import OplasError
from ..functional.maps import RidgePath
from ..functional.pairs import PairStatistics
from ..functional.subspaces import canonical, leading
from .closed import ClosedForm, Preprocess, Rows


class ReducedRank(ClosedForm):
    r"""Ridge through at most ``rank`` directions: :math:`W = W_\lambda V_rV_r^\top`, V the axes along which the fit varies most.

    Reduced-rank regression (Izenman 1975, https://doi.org/10.1016/0047-259X(75)90042-1) with a penalty (Mukherjee & Zhu 2011,
    https://doi.org/10.1002/sam.10138). :math:`\lambda` and, unless it is given, the rank are chosen by generalised
    cross-validation.

    Args:
        rank: how many directions; none lets the anchors choose.

    Attributes:
        rank_: how many there are.
        penalty_: :math:`\lambda`.
    """

    def __init__(self, rank: int | None = None, *, preprocess: Preprocess = "centre") -> None:
        self.rank = rank
        self.preprocess = preprocess

    rank_: int
    penalty_: float

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        _refuse_few(self, "rank", self.rank)
        path = RidgePath.of(statistics)
        self.penalty_ = path.best()
        found = leading(path, statistics, self.penalty_)
        self.rank_ = found.best() if self.rank is None else min(self.rank, found.axes.shape[1])
        kept = found.axes[:, : self.rank_]
        return path.weight(self.penalty_) @ kept @ kept.T


class CCA(ClosedForm):
    r"""Through canonical pairs: :math:`W = S_{xx}^{-1/2}U_kDV_k^\top S_{yy}^{1/2}`, :math:`UPV^\top` the whitened :math:`S_{xy}`.

    Canonical correlation analysis (Hotelling 1936, https://doi.org/10.1093/biomet/28.3-4.321), each side regularised by the
    penalty that ridge would choose. With :math:`D=P`, the correlations, a pair counts for what it predicts: least squares through
    k pairs. With :math:`D=I` it is the rotation between whitened spaces, coloured again as the target (Artetxe, Labaka &
    Agirre 2018, https://doi.org/10.1609/aaai.v32i1.11992): variance is kept, error is not least.

    Args:
        components: k; none takes all the anchors can tell.
        shrink: :math:`D=P`; else :math:`D=I`.

    Attributes:
        correlations_: the diagonal of P, ``[k]``, descending.
    """

    def __init__(self, components: int | None = None, shrink: bool = True, *, preprocess: Preprocess = "centre") -> None:
        self.components = components
        self.shrink = shrink
        self.preprocess = preprocess

    correlations_: Tensor

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        _refuse_few(self, "components", self.components)
        found = canonical(statistics)
        self.correlations_ = found.correlations[: self.components]
        k = len(self.correlations_)
        middle = self.correlations_ if self.shrink else torch.ones_like(self.correlations_)
        return (found.x[:, :k] * middle) @ found.colour_y[:, :k].T


def _refuse_few(translator: ClosedForm, name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise OplasError(f"{name}={value} leaves no direction to go through; give at least 1, or None")
