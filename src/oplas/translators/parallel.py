r"""Few anchors: from a handful of pairs and many rows that are not paired, by matching softly and fitting again."""

from __future__ import annotations

import math
from typing import ClassVar, Self

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from ..functional.procrustes import polar
from ..functional.similarity import directions
from .affine import Ridge
from .relative import relative
from .rows import Array, float64, pairs_of, refuse_sick
from .seeking import Seeking

POOL = 1500
"""Rows of each side that take part in the matching; a random draw of more."""


def sinkhorn(likeness: Tensor, temperature: float, rounds: int = 30) -> Tensor:
    r"""The soft matching that is nearest to :math:`e^{S/\tau}`: each row sums to one, all columns alike, ``[n, m]``.

    Sinkhorn & Knopp (1967); as optimal transport with entropy: Cuturi (2013, https://arxiv.org/abs/1306.0895).

    >>> sinkhorn(torch.eye(2, dtype=torch.float64), 0.05).round()
    tensor([[1., 0.],
            [0., 1.]], dtype=torch.float64)
    """
    kernel = ((likeness - likeness.amax(1, keepdim=True)) / temperature).exp() + 1e-300
    n, m = kernel.shape
    column = kernel.new_ones(m)
    for _ in range(rounds):
        column = (n / m) / (kernel.T @ (1 / (kernel @ column)))
    plan = kernel * column
    return plan / plan.sum(1, keepdim=True)


def refine(x: Tensor, y: Tensor, likeness: Tensor, seeds: int = 0, rounds: int = 12) -> Tensor:
    r"""Match, fit a rotation to the matches, match what it gives, and so on, ever more sharply: the last soft matching, ``[n, m]``.

    .. math:: P_t=\operatorname{sinkhorn}(S_t/\tau_t),\qquad R_t=\operatorname{polar}(X^\top W P_tY),\qquad S_{t+1}=\cos(XR_t,Y)

    W weighs a row by how sharp its match is, :math:`\sum_jP_{ij}^2`; the first ``seeds`` rows of both are held together.
    Wasserstein–Procrustes (Grave, Joulin & Berthet 2019, https://arxiv.org/abs/1805.11222); self-learning: Artetxe et al. (2018).
    """
    held, there = torch.arange(seeds, device=x.device), directions(y)
    for step in range(rounds):
        plan = sinkhorn(likeness, 0.1 * 0.2 ** (step / max(rounds - 1, 1)))
        plan[held] = 0
        plan[held, held] = 1
        if step < rounds - 1:
            weight = plan.square().sum(1)
            if seeds:
                weight[held] = max(1.0, 0.3 * float(weight[seeds:].sum()) / seeds)
            likeness = directions(x @ polar((x * weight[:, None]).T @ (plan @ y))) @ there.T
    return plan


class ParallelAnchors(Seeking):
    r"""The first ``seeds`` rows of X and Y are pairs; all others are in no order, and need not be equally many.

    Rows are compared by their cosines to the seeds (relative representations), matched softly, and the matches, refined by
    :func:`refine`, serve as anchors of a ridge: :math:`\hat y=D(x)`, :math:`D` fitted on :math:`(X, PY)`. After Cannistraci et al.
    (2023, https://arxiv.org/abs/2303.00721).

    Whether it worked is asked of the seeds: each half is looked for, among all rows, by what the other half alone
    leads to. Under the null its place is uniform, so the mean place of s seeds has the standard deviation
    :math:`1/\sqrt{12s}`; ``found_`` says whether that gives p of 0.01 at most.

    Args:
        seeds: how many rows are pairs, at least 4.

    Attributes:
        found_: whether the seeds confirm the map; where they do not, ``transform`` refuses.
        why_: the fact behind it.
        place_: mean place of a seed's partner among all rows, 0 is first and 0.5 is chance.
    """

    minimum: ClassVar[int] = 4

    def __init__(self, seeds: int = 10) -> None:
        self.seeds = seeds

    place_: float

    def fit(self, X: Array, Y: Array) -> Self:
        """Learn from X ``[n, d]`` and Y ``[m, e]``, whose first ``seeds`` rows are in correspondence.

        Raises:
            ShapeError, DataError: fewer rows than seeds, fewer than 4 seeds, or as any translator.
        """
        if self.seeds < self.minimum:
            raise DataError(f"seeds={self.seeds} pairs are too few to start from and to check by; label {self.minimum} at least")
        x, y = float64(X).detach(), float64(Y).detach()
        for name, rows in (("X", x), ("Y", y)):
            if rows.ndim != 2:
                raise ShapeError(f"{name} has the shape {list(rows.shape)}; rows are [n, dimensions]")
            refuse_sick(rows, name)
        if min(len(x), len(y)) < 2 * self.seeds:
            fact = f"{len(x)} and {len(y)} rows beside {self.seeds} seeds are too few to find more pairs among"
            raise DataError(f"{fact}; give many rows that are not paired, or fit Ridge() on the pairs alone")
        pairs_of(x[: self.seeds], y[: self.seeds], self.minimum)
        self.n_features_in_, self.n_features_out_ = x.shape[1], y.shape[1]
        with torch.no_grad():
            self._fit(x, y.to(x.device))
        return self

    def _fit(self, x: Tensor, y: Tensor) -> None:
        s, generator = self.seeds, Generator().manual_seed(0)
        (x, a), (y, b) = (_drawn(rows, s, generator) for rows in (x, y))
        half = torch.randperm(s, generator=generator)
        places = []
        for ours, theirs in ((half[: s // 2], half[s // 2 :]), (half[s // 2 :], half[: s // 2])):
            order = [torch.cat([ours, theirs, torch.arange(s, len(rows))]) for rows in (a, b)]
            places.append(_places(a[order[0]], b[order[1]], len(ours), s))
        self.place_ = float(torch.cat(places).mean())
        p = 0.5 * math.erfc((0.5 - self.place_) * math.sqrt(12 * s) / math.sqrt(2))
        self.found_ = p <= 0.01
        self.why_ = f"seeds left out are found at place {self.place_:.3f} of the rows on average, 0.5 is chance (p = {p:.2g})"
        plan = refine(a, b, _likeness(a, b, s), s)
        self.map_ = Ridge().fit(x, plan @ y)


def _likeness(a: Tensor, b: Tensor, seeds: int) -> Tensor:
    first, second = (relative(z, z[:seeds]) for z in (a, b))
    return directions(first - first.mean(0)) @ directions(second - second.mean(0)).T


def _places(a: Tensor, b: Tensor, known: int, seeds: int) -> Tensor:
    """Where the partners of the seeds from ``known`` on are found, in [0, 1], by a matching that holds the first ``known``."""
    plan = refine(a, b, _likeness(a, b, known), known)
    plan[known:seeds] = 0  # what is asked must not answer
    reached = directions(a @ polar(a.T @ (plan @ b))) @ directions(b).T
    own = reached[torch.arange(known, seeds), torch.arange(known, seeds)]
    return (reached[known:seeds] > own[:, None]).double().mean(1)


def _drawn(rows: Tensor, seeds: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """The seeds and a draw of the others: as they are, and centred with a mean length of one."""
    others = seeds + torch.randperm(len(rows) - seeds, generator=generator)[:POOL].sort().values
    rows = rows[torch.cat([torch.arange(seeds), others]).to(rows.device)]
    return rows, standardised(rows)


def standardised(rows: Tensor) -> Tensor:
    """Centred, with a mean squared length of one."""
    centred = rows - rows.mean(0)
    return centred / centred.square().sum(1).mean().sqrt().clamp_min(torch.finfo(rows.dtype).tiny)
