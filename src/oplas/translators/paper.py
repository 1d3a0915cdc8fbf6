r"""The estimators of *Latent Space Translation via Semantic Alignment*, by its procedure, to compare with.

Maiorca, Moschella, Norelli, Fumero, Locatello & Rodolà (NeurIPS 2023, https://arxiv.org/abs/2311.00664). Each dimension of both
spaces is standardised on the anchors (or rows are centred and brought to length one, ``preprocess="unit rows"``), the map
is fitted, and the target's statistics are put back. The paper pads the smaller space with zeros and cuts what comes out;
for the maps here that is the same as not padding, as the thin singular value decomposition shows: padded rows
or columns meet only zeros.

What differs from the paper: lengths of translated unit rows, which it leaves open, are the anchors' mean length.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .._errors import DataError
from ..functional.maps import least_squares
from ..functional.pairs import PairStatistics
from ..functional.procrustes import polar
from .closed import ClosedForm, Preprocess, Rows


class PaperLinear(ClosedForm):
    """The paper's ``linear``: least squares."""

    recentres = False

    def __init__(self, *, preprocess: Preprocess = "standard") -> None:
        self.preprocess = preprocess

    def _reads(self, d: int, e: int) -> tuple[str, ...]:
        return ("xx",)

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        return least_squares(statistics)


class PaperLOrtho(PaperLinear):
    """The paper's ``l-ortho``: the orthonormal matrix nearest to the least-squares one."""

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        return polar(least_squares(statistics))


class PaperOrtho(PaperLinear):
    r"""The paper's ``ortho``: :math:`UV^\top` of the singular value decomposition of :math:`X^\top Y`; no scale.

    Where the source is wider this is not the least-squares answer; :class:`~oplas.translators.orthogonal.Orthogonal` is.
    """

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        return polar(statistics.xy)


class PaperAffine(PaperLinear):
    """The paper's ``affine``: a linear layer with bias, mean squared error on all anchors at once, Adam, float32.

    300 steps are far from where the descent would end, :class:`~oplas.translators.affine.Affine`; stopping early acts as a ridge.
    """

    def __init__(self, *, steps: int = 300, rate: float = 1e-3, seed: int = 0, preprocess: Preprocess = "standard") -> None:
        self.steps = steps
        self.rate = rate
        self.seed = seed
        self.preprocess = preprocess

    offset_: Tensor

    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        if rows is None:
            raise DataError(f"{self!r} descends on rows; call fit(X, Y), or take Affine(), where it would end")
        x, y = (each.float() for each in rows())
        d, e = statistics.dims
        generator = torch.Generator().manual_seed(self.seed)
        weight, offset = ((2 * torch.rand(shape, generator=generator) - 1).to(x) / d**0.5 for shape in ((e, d), (e,)))
        with torch.enable_grad():
            layer = [weight.requires_grad_(), offset.requires_grad_()]
            optimiser = torch.optim.Adam(layer, lr=self.rate)
            for _ in range(self.steps):
                optimiser.zero_grad()
                F.mse_loss(F.linear(x, *layer), y).backward()
                optimiser.step()
        self.offset_ = offset.detach().double()
        return weight.detach().double().T

    def _settle(self, statistics: PairStatistics, x: Tensor | None = None, y: Tensor | None = None) -> None:
        super()._settle(statistics, x, y)
        self.mean_y_ = self.mean_y_ + self.offset_ * self.unit_y_
