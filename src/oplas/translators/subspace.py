r"""What two spaces share: canonical directions that hold on pairs kept back, and an affine map among those alone."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Generator, Tensor

from ..functional.pairs import PairStatistics
from ..functional.subspaces import canonical
from .seeking import Seeking
from .spectral import CCA


class Subspace(Seeking):
    r"""CCA first, then an affine map in the subspace: :math:`\hat y=\bar y+(x-\bar x)A_kP_kB_k^{+}`, k directions that both share.

    Where spaces of different kinds share little, the rest of each is noise to the other, and a map from everything to everything
    learns it by heart. Half of the pairs propose canonical directions, the other half say along how many of them, from the
    first on, x and y correlate: :math:`r_j>\Phi^{-1}(1-0.01/m)/\sqrt{n/2}` for m directions, and both halves in turn must
    agree. Alignment in a CCA subspace: Hadgi et al. (2025, https://arxiv.org/abs/2503.05283).

    Attributes:
        components_: k.
        shared_: the correlations on pairs kept back, ``[m]``, the mean of both halves.
        found_: whether k is 1 at least.
    """

    paired: ClassVar[bool] = True
    minimum: ClassVar[int] = 8

    def __init__(self) -> None: ...

    components_: int
    shared_: Tensor

    def _fit(self, x: Tensor, y: Tensor) -> None:
        order = torch.randperm(len(x), generator=Generator().manual_seed(0)).to(x.device)
        halves = order.tensor_split(2)
        told = [_kept(x[a], y[a], x[b], y[b]) for a, b in (halves, halves[::-1])]
        m = min(map(len, told))
        both = torch.stack([each[:m] for each in told])
        self.shared_ = both.mean(0)
        bar = math.sqrt(2) * float(torch.erfinv(torch.tensor(1 - 0.02 / m, dtype=x.dtype))) / math.sqrt(len(x) / 2)
        self.components_ = int((both.amin(0) > bar).long().cumprod(0).sum())
        self.found_ = self.components_ > 0
        first = float(both[:, 0].amin())
        fact = f"{self.components_} of {m} directions are shared"
        self.why_ = f"{fact}; the first correlates by {first:.2f} on pairs kept back, {bar:.2f} is asked for"
        self.map_ = CCA(max(self.components_, 1)).fit(x, y)


def _kept(x: Tensor, y: Tensor, new_x: Tensor, new_y: Tensor) -> Tensor:
    """Correlations on new pairs along the canonical directions of others, ``[m]``."""
    both = canonical(PairStatistics.of(x, y))
    u, v = (new_x - new_x.mean(0)) @ both.x, (new_y - new_y.mean(0)) @ both.y
    u, v = (z - z.mean(0) for z in (u, v))
    return (u * v).sum(0) / (u.norm(dim=0) * v.norm(dim=0)).clamp_min(1e-300)
