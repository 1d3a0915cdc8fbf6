"""How much of a search survives when an index is translated instead of encoded again."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..translators.base import Translator
from ..translators.rows import Array, float64, pairs_of

Metric = Literal["cosine", "dot", "euclidean"]


@dataclass(frozen=True)
class Forecast:
    """Predicted recall@k of a translated index, of what a full re-embedding would find.

    Attributes:
        recall, low, high: at ``size`` rows in the index, with the ends of the 95 % interval over queries.
        measured: by number of rows searched, what the anchors themselves showed, out of fold.
        untouched: the same as ``recall`` at the largest of these where the old vectors are searched as they are; NaN where
            dimensions differ.
    """

    k: int
    size: int
    recall: float
    low: float
    high: float
    measured: dict[int, float]
    untouched: float
    anchors: int
    queries: int


def overlap(
    query: Tensor, full: Tensor, other: Tensor, k: int = 10, metric: Metric = "cosine", own: Tensor | None = None
) -> Tensor:
    r"""Share of each query's k nearest among ``full`` that are also its k nearest among ``other``, ``[q]``.

    Shape:
        - query: ``[q, e]`` · full, other: ``[n, e]``, rows in correspondence · own: ``[q]``, a row each query is not to find, or -1

    >>> x = torch.eye(4)
    >>> overlap(x[:2], x, x.flip(0), k=1).tolist()
    [0.0, 0.0]
    """
    found = []
    for at in range(0, len(query), 256):
        some = query[at : at + 256]
        near = []
        for gallery in (full, other):
            likeness = _likeness(some, gallery, metric)
            if own is not None:
                there = (own[at : at + 256] >= 0).nonzero().flatten()
                likeness[there, own[at : at + 256][there]] = -math.inf
            near.append(likeness.topk(k).indices)
        found.append((near[0][:, :, None] == near[1][:, None, :]).any(2).double().mean(1))
    return torch.cat(found)


@torch.no_grad()
def forecast(
    translator: Translator, X: Array, Y: Array, *, groups: Array | None = None, size: int | None = None, k: int = 10,
    metric: Metric = "cosine", folds: int = 5, queries: int = 1000, seed: int = 0,
) -> Forecast:  # fmt: skip
    r"""Predict recall@k of an index of ``size`` rows translated from X's model to Y's, searched by Y's model.

    Each anchor is translated by a fit that has not seen it; anchors of Y serve as queries, and a hit is one of the k rows that
    searching Y itself would find. The more rows, the closer they lie: recall is measured among 1/8, 1/4, 1/2 and all of the
    anchors, and the line through the last three of them over the logarithm of their number is followed to ``size``.

    Args:
        groups: ``[n]``, such as the song of each anchor, where the index holds groups no anchor is of: whole groups are left
            out of a fit, as those of the index will be.
        size: rows in the index; default as many as there are anchors.
        queries: anchors asked for, at most.

    Raises:
        ShapeError, DataError: as ``fit``; or fewer than 20 k anchors, too few to say.
    """
    x, y = (z.cpu() for z in pairs_of(X, Y, translator.minimum))
    n = len(x)
    if n < 20 * k:
        raise DataError(f"{n} paired anchors are too few to predict recall@{k}, which takes at least {20 * k}; give more pairs")
    generator = Generator().manual_seed(seed)
    group = torch.arange(n) if groups is None else float64(groups).cpu().unique(return_inverse=True)[1]
    if int(group.max()) + 1 < folds:
        raise DataError(f"the anchors are of {int(group.max()) + 1} groups, too few for {folds} folds; give more groups, or none")
    fold = (torch.randperm(int(group.max()) + 1, generator=generator) % folds)[group]
    made = torch.empty_like(y)
    for each in range(folds):
        fitted = copy.deepcopy(translator).fit(x[fold != each], y[fold != each])
        made[fold == each] = float64(fitted.transform(x[fold == each]))
    order = torch.randperm(n, generator=generator)
    asked = torch.randperm(n, generator=generator)[:queries]
    sizes = [m for m in (n // 8, n // 4, n // 2, n) if m > 2 * k]
    found = []
    for m in sizes:
        rows, place = order[:m], torch.full((n,), -1)
        place[rows] = torch.arange(m)
        found.append(overlap(y[asked], y[rows], made[rows], k, metric, place[asked]))
    shares, counts = torch.stack(found, 1), torch.tensor([float(m) for m in sizes]).log()
    goal = math.log(size or n)
    drawn = torch.randint(len(asked), (500, len(asked)), generator=generator)
    spread = torch.tensor([_follow(shares[rows].mean(0), counts, goal) for rows in drawn], dtype=torch.float64)
    low, high = torch.quantile(spread, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    before = float(overlap(y[asked], y, x, k, metric, asked).mean()) if x.shape[1] == y.shape[1] else math.nan
    mean = shares.mean(0)
    measured = {m: float(share) for m, share in zip(sizes, mean, strict=True)}
    return Forecast(k, size or n, _follow(mean, counts, goal), low, high, measured, before, n, len(asked))


def _follow(shares: Tensor, counts: Tensor, goal: float) -> float:
    """The line through the last three points, read at ``goal`` and kept within [0, 1]."""
    shares, counts = shares[-3:], counts[-3:].to(shares)
    if len(shares) < 2 or abs(goal - float(counts[-1])) < 1e-9:
        return float(shares[-1])
    centred = counts - counts.mean()
    slope = float((centred * (shares - shares.mean())).sum() / centred.square().sum())
    return min(max(float(shares[-1]) + min(slope, 0.0) * (goal - float(counts[-1])), 0.0), 1.0)


def _likeness(a: Tensor, b: Tensor, metric: Metric) -> Tensor:
    if metric == "cosine":
        return (a / a.norm(dim=1, keepdim=True).clamp_min(1e-30)) @ (b / b.norm(dim=1, keepdim=True).clamp_min(1e-30)).T
    if metric == "dot":
        return a @ b.T
    if metric == "euclidean":
        return -torch.cdist(a, b)
    raise DataError(f"there is no metric {metric!r}; give cosine, dot or euclidean")
