"""Ridge, and what it misses: a low-rank correction and a small network, learned."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from .._errors import OplasError
from ..functional.pairs import PairStatistics
from .affine import Ridge
from .base import Translator


class Residual(Translator):
    r"""Ridge plus a learned correction, low-rank and nonlinear, that is kept only as far as it helps on anchors held out.

    .. math:: \hat y = T(x) + s\,\big[\hat xU,\ \operatorname{gelu}(\hat xV + b)\big]\,A

    T is :class:`Ridge`, :math:`\hat x` the standardised source, s the size of what T misses, U ``[d, rank]``, V
    ``[d, hidden]``. A is zero at the start, so learning begins at ridge. A part of the anchors is held out; learning stops when
    their error has not fallen for ``patience`` epochs, and the best state is kept where its gain exceeds twice its standard
    error; else the correction stays zero. It learns from what T misses on anchors that T was not fitted on (five folds), for
    on its own anchors ridge misses too little. T is then fitted on all of them. Low-rank affine maps and residual MLPs are
    what Drift-Adapter (2025, https://arxiv.org/abs/2509.23471) puts between embedding models. It has no way back.

    Args:
        rank: of the linear correction; 0 leaves it out.
        hidden: units of the network.
        epochs: passes over the anchors, at most.
        held_out: share of the anchors that decide when to stop.
        seed: of the start, the batches and the anchors held out.

    Attributes:
        start_: T, fitted on all anchors.
        held_out_: R² on the anchors held out, ``{"ridge": ..., "residual": ...}``; the second is never below the first.
        epochs_: how many epochs the state kept had; 0 where ridge was not improved.
    """

    minimum = 10
    patience: ClassVar[int] = 15

    def __init__(self, rank: int = 16, hidden: int = 128, *, epochs: int = 200, held_out: float = 0.2, seed: int = 0) -> None:
        self.rank, self.hidden, self.epochs, self.held_out, self.seed = rank, hidden, epochs, held_out, seed

    start_: Ridge
    held_out_: dict[str, float]
    epochs_: int
    mean_: Tensor
    unit_: Tensor
    size_: float
    low_: Tensor
    enter_: Tensor
    bias_: Tensor
    leave_: Tensor

    def _fit(self, x: Tensor, y: Tensor) -> None:
        if not (0 < self.held_out < 1 and self.rank >= 0 and self.hidden >= 1):
            raise OplasError(f"{self!r}: held_out lies between 0 and 1, rank is at least 0 and hidden at least 1")
        generator = Generator().manual_seed(self.seed)
        order = torch.randperm(len(x), generator=generator).to(x.device)
        kept, out = order[(count := max(2, round(self.held_out * len(x)))) :], order[:count]
        self._prepare(x, y.shape[1], generator)
        whole, missed = PairStatistics.of(x[kept], y[kept]), torch.empty_like(y)
        missed[out] = y[out] - Ridge().fit_statistics(whole).transform(x[out])
        for part in kept.tensor_split(5):
            missed[part] = y[part] - Ridge().fit_statistics(whole - PairStatistics.of(x[part], y[part])).transform(x[part])
        self.size_ = float(missed.square().mean().sqrt()) or 1.0
        self._learn(self._standard(x).float(), (missed / self.size_).float(), kept, out, generator)
        before = missed[out].square().sum(1)
        after = (missed[out] - self._correction(x[out])).square().sum(1)
        gain = before - after
        if gain.mean() <= 2 * gain.std() / len(gain) ** 0.5:
            self.epochs_, after, self.leave_ = 0, before, torch.zeros_like(self.leave_)
        spread = (y[out] - y[out].mean(0)).square().sum()
        self.held_out_ = {"ridge": float(1 - before.sum() / spread), "residual": float(1 - after.sum() / spread)}
        self.start_ = Ridge().fit(x, y)

    def _prepare(self, x: Tensor, e: int, generator: Generator) -> None:
        self.mean_, unit = x.mean(0), x.std(0)
        self.unit_ = torch.where(unit > 1e-6 * unit.max(), unit, unit.max())
        draw = torch.randn(x.shape[1], self.rank + self.hidden, generator=generator).to(x.device) / x.shape[1] ** 0.5
        self.low_, self.enter_ = draw[:, : self.rank].clone(), draw[:, self.rank :].clone()
        self.bias_, self.leave_ = x.new_zeros(self.hidden).float(), x.new_zeros(self.rank + self.hidden, e).float()

    @torch.enable_grad()
    def _learn(self, x: Tensor, y: Tensor, kept: Tensor, out: Tensor, generator: Generator) -> None:
        names = ("low_", "enter_", "bias_", "leave_")
        weights = [nn.Parameter(getattr(self, name).clone()) for name in names]
        optimiser = torch.optim.AdamW(weights, 5e-3, weight_decay=0.01)
        best = float(y[out].square().sum())
        self.epochs_, state = 0, [weight.detach().clone() for weight in weights]
        for epoch in range(1, self.epochs + 1):
            for rows in torch.randperm(len(kept), generator=generator).to(kept.device).split(128):
                optimiser.zero_grad()
                (_units(x[kept[rows]], *weights[:3]) @ weights[3] - y[kept[rows]]).square().mean().backward()
                optimiser.step()
            with torch.no_grad():
                error = float((_units(x[out], *weights[:3]) @ weights[3] - y[out]).square().sum())
            if error < best:
                best, self.epochs_, state = error, epoch, [weight.detach().clone() for weight in weights]
            elif epoch - self.epochs_ >= self.patience:
                break
        for name, value in zip(names, state, strict=True):
            setattr(self, name, value)

    def _standard(self, x: Tensor) -> Tensor:
        return (x - self.mean_.to(x)) / self.unit_.to(x)

    def _forward(self, x: Tensor) -> Tensor:
        return self.start_._forward(x) + self._correction(x)

    def _correction(self, x: Tensor) -> Tensor:
        units = _units(self._standard(x), self.low_.to(x), self.enter_.to(x), self.bias_.to(x))
        return self.size_ * (units @ self.leave_.to(x))


def _units(x: Tensor, low: Tensor, enter: Tensor, bias: Tensor) -> Tensor:
    return torch.cat([x @ low, F.gelu(x @ enter + bias)], 1)
