"""Kernel ridge: a smooth map that need not be linear, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from .._errors import OplasError
from ..functional.maps import RidgePath
from ..functional.pairs import PairStatistics
from .base import Translator


class Kernel(Translator):
    r"""Ridge on Gaussian features, :math:`\hat y=\bar y+(\varphi(x)-\bar\varphi)W`, the penalty by generalised cross-validation.

    .. math:: \varphi(x) = k(x, C)\,K_{CC}^{-1/2},\qquad k(x,c)=\exp\!\Big(-\frac{\|x-c\|^2}{2w^2D^2}\Big),\qquad
        D^2=\operatorname{mean}\|x-x'\|^2

    With all anchors as centres C this is kernel ridge regression (Saunders, Gammerman & Vovk 1998); with more than ``most``
    a random subset serves (Nyström: Williams & Seeger 2001). A wide kernel is nearly a linear map, and far from all anchors
    the answer is the mean: it interpolates where few anchors bend, and does not extrapolate. It has no way back.

    Args:
        width: w, in units of the anchors' root-mean-square distance.
        most: centres, at most; the price grows with their cube.
        seed: which anchors serve as centres where there are more.

    >>> x = torch.linspace(-2, 2, 60, dtype=torch.float64)[:, None]
    >>> Kernel(0.3).fit(x[::2], x[::2].sin()).score(x[1::2], x[1::2].sin()) > 0.9999
    True
    """

    def __init__(self, width: float = 1.5, *, most: int = 500, seed: int = 0) -> None:
        self.width, self.most, self.seed = width, most, seed

    centres_: Tensor
    whitener_: Tensor
    weight_: Tensor
    mean_features_: Tensor
    mean_y_: Tensor
    distance_: float
    penalty_: float

    def _fit(self, x: Tensor, y: Tensor) -> None:
        if not (self.width > 0 and self.most >= self.minimum):
            raise OplasError(f"width={self.width}, most={self.most}: the width is positive, and at least {self.minimum} centres")
        self.distance_ = float((2 * (x - x.mean(0)).square().sum(1).mean()).sqrt())
        chosen = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))[: self.most].sort().values
        self.centres_ = x[chosen.to(x.device)].clone()
        values, axes = torch.linalg.eigh(self._kernel(self.centres_))
        alive = values > values[-1] * 1e-10
        self.whitener_ = axes[:, alive] / values[alive].sqrt()
        statistics = PairStatistics.of(self._features(x), y)
        path = RidgePath.of(statistics)
        penalties = path.penalties()
        self.penalty_ = float(penalties[path.gcv(penalties).argmin()])
        self.weight_ = path.weight(self.penalty_)
        self.mean_features_, self.mean_y_ = statistics.mean_x, statistics.mean_y

    def _forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [self.mean_y_.to(x) + (self._features(part) - self.mean_features_.to(x)) @ self.weight_.to(x) for part in x.split(8192)]
        )

    def _features(self, x: Tensor) -> Tensor:
        return self._kernel(x) @ self.whitener_.to(x)

    def _kernel(self, x: Tensor) -> Tensor:
        centres = self.centres_.to(x)
        apart = torch.cdist(x, centres, compute_mode="donot_use_mm_for_euclid_dist" if x.shape[1] < 8 else "use_mm_for_euclid_dist")
        return torch.exp(-0.5 * (apart / (self.width * self.distance_)).square())
