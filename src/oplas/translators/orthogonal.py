"""Rotations and reflections, with a scale: maps that keep the shape of a space."""

from __future__ import annotations

from torch import Tensor

from ..functional.maps import least_squares
from ..functional.pairs import PairStatistics
from ..functional.procrustes import polar, procrustes, scale_of
from .closed import ClosedForm, Preprocess, Rows


class Orthogonal(ClosedForm):
    r"""Procrustes: :math:`\min_{s,R}\|Y - sXR\|^2` on centred anchors, R orthonormal on its shorter side; exact for all dimensions.

    A source no wider than the target has a closed solution. A wider one has not, and padding the target with zeros
    answers another question: it leaves out the wrong directions. Here an iteration finds them; see
    :func:`oplas.functional.procrustes.fill_in`.

    Args:
        scale: fit one scale for all dimensions; without it lengths are kept.

    Attributes:
        scale_: s.

    >>> import torch
    >>> x, turn = torch.randn(50, 4).double(), torch.linalg.qr(torch.randn(4, 4).double()).Q
    >>> made = Orthogonal().fit(x, 3 * x @ turn)
    >>> round(made.scale_, 6), bool((made.weight_ - 3 * turn).abs().max() < 1e-9)
    (3.0, True)
    """

    def __init__(self, scale: bool = True, *, preprocess: Preprocess = "centre") -> None:
        self.scale = scale
        self.preprocess = preprocess

    scale_: float

    def _reads(self, d: int, e: int) -> tuple[str, ...]:
        return ("xx",) if d > e else ()

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        turn, self.scale_ = procrustes(statistics, scale=self.scale)
        return self.scale_ * turn


class LOrtho(Orthogonal):
    """The orthonormal matrix nearest to the least-squares map: cheap, and far off where least squares is ill-conditioned."""

    def _reads(self, d: int, e: int) -> tuple[str, ...]:
        return ("xx",)

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        turn = polar(least_squares(statistics))
        self.scale_ = scale_of(turn, statistics) if self.scale else 1.0
        return self.scale_ * turn
