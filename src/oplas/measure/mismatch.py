r"""Do two columns of vectors match? Three questions, three permutation tests, one verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .._told import Told
from ..functional.similarity import against, cka, cosine, mutual_neighbours
from ..translators.base import Array, pairs_of

LIMIT = 1000
"""Rows (or groups) that are looked at; a random draw of more."""


@dataclass(frozen=True)
class Mismatch(Told):
    """Three p-values and what they amount to. A large p is no proof of sameness: it says that ``rows`` rows show no difference.

    Attributes:
        distribution: of "both columns are drawn alike, in the same coordinates"; small: **other spaces**. NaN where the
            dimensions differ, which no test is needed for.
        correspondence: of "row i of one has nothing to do with row i of the other"; small: the rows correspond, whatever the
            coordinates.
        coordinates: of "as they stand, no row is nearer to its partner than to any other's"; small: the coordinates are
            shared, at least in part. NaN where the dimensions differ.
        cosine: mean cosine of partners as they stand; NaN where the dimensions differ.
        neighbours: their mutual 10-nearest-neighbour share, beside ``chance``.
        cka: debiased linear CKA.
    """

    verdict: str
    why: str
    distribution: float
    correspondence: float
    coordinates: float
    cosine: float
    neighbours: float
    chance: float
    cka: float
    rows: int

    @property
    def same(self) -> bool:
        """Whether nothing speaks against using the two columns as one."""
        return self.verdict == "same space"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.why}"


@torch.no_grad()
def mismatch(
    X: Array, Y: Array, *, groups: Array | None = None, level: float = 0.01, permutations: int = 999, seed: int = 0
) -> Mismatch:
    r"""Are these two columns of vectors, of the same rows, from the same space?

    1. *Distribution*: the energy distance (Székely & Rizzo 2013, https://doi.org/10.1016/j.jspi.2013.03.018). With

       .. math:: h_{ij}=\|x_i-y_j\|+\|y_i-x_j\|-\|x_i-x_j\|-\|y_i-y_j\|,\qquad E=\sum_{i\ne j}h_{ij}

       the null exchanges x and y within random rows, :math:`E_s=\sum_{i\ne j}s_is_jh_{ij}`, :math:`s_i=\pm1`: valid whether or
       not partners depend on each other.
    2. *Correspondence*: mutual nearest neighbours (Huh et al. 2024) and debiased CKA, each against shuffled rows; the smaller
       of the two p-values, doubled. No coordinates are compared, so dimensions may differ.
    3. *Coordinates*: the mean cosine of partners about their means, against shuffled rows.

    With :math:`p_1, p_2, p_3` and ``level`` the verdict is

    - ``same space``: dimensions agree, :math:`p_1` is above the level and :math:`p_3` at or below it;
    - ``same space, other rows``: :math:`p_1`, :math:`p_2` and :math:`p_3` are above: drawn alike, but rows do not belong together;
    - ``shared coordinates``: :math:`p_1` and :math:`p_3` at or below: related as a model is to its own later version;
    - ``another space``: :math:`p_2` at or below and none of the above: rows belong together; translate;
    - ``no correspondence``: everything else; a translation fitted on these rows would be noise.

    Args:
        X, Y: ``[n, d]`` and ``[n, e]``.
        groups: ``[n]``, such as the song of each row, where rows of a group depend on each other; whole groups are then exchanged,
            and groups are compared by their means.

    Raises:
        ShapeError, DataError: as a translator's ``fit``; or fewer than 12 rows or groups.
    """
    x, y = (z.cpu() for z in pairs_of(X, Y, 12))
    group = group_of(groups, len(x))
    generator = Generator().manual_seed(seed)
    kept = torch.randperm(int(group.max()) + 1, generator=generator)[:LIMIT]
    if len(kept) < 12:
        raise DataError(f"{len(kept)} groups are too few to tell anything, 12 are needed; give more, or leave groups out")
    alike = x.shape[1] == y.shape[1]
    rows = torch.isin(group, kept).nonzero().flatten()
    rows = rows[torch.randperm(len(rows), generator=generator)[: 2 * LIMIT]]
    drawn = _energy(x[rows], y[rows], group[rows], permutations, generator) if alike else math.nan
    a, b = (_group_means(z, group)[kept] for z in (x, y))
    near = mutual_neighbours(a, b, min(10, len(a) - 2), permutations=permutations, seed=seed)
    together = min(1.0, 2 * min(near.p, _linear(a, b, permutations, generator)))
    shared = _partners(a, b, permutations, generator) if alike else math.nan
    direct = cosine(x[rows], y[rows]) if alike else math.nan
    verdict, why = _verdict(alike, drawn <= level, together <= level, shared <= level)
    figures = (
        f"p = {drawn:.3g} drawn alike, {shared:.3g} coordinates unrelated, " if alike else ""
    ) + f"p = {together:.3g} rows unrelated; {len(a)} {'rows' if groups is None else 'groups'}"
    return Mismatch(
        verdict, f"{why} ({figures})", drawn, together, shared, direct, near.share, near.chance, cka(a, b), len(a)
    )  # fmt: skip


def _verdict(alike: bool, other: bool, together: bool, shared: bool) -> tuple[str, str]:
    if alike and not other and shared:
        return "same space", "nothing speaks against using the two as one"
    if alike and not other and not together:
        return (
            "same space, other rows",
            "both are drawn alike, but rows of one number have nothing in common; look at their order",
        )
    if alike and shared:
        return (
            "shared coordinates",
            "partners are near each other, yet the two are not drawn alike; translate, as between two spaces",
        )
    if together:
        return "another space", "the rows belong together, their coordinates do not; translate before comparing"
    return "no correspondence", "nothing says that rows of one number belong together; look at their order"


def _energy(x: Tensor, y: Tensor, group: Tensor, permutations: int, generator: Generator) -> float:
    cross = torch.cdist(x, y)
    h = (cross + cross.T - torch.cdist(x, x) - torch.cdist(y, y)).fill_diagonal_(0)
    which, groups = group.unique(return_inverse=True)
    by = torch.zeros(len(which), len(x), dtype=x.dtype).index_put_(
        (groups, torch.arange(len(x))), torch.ones(len(x), dtype=x.dtype)
    )
    h = by @ h @ by.T  # rows of a group are exchanged together
    sign = torch.randint(2, (permutations, len(h)), generator=generator).to(h) * 2 - 1
    return against(float(h.sum()), ((sign @ h) * sign).sum(1).tolist())[1]


def _linear(x: Tensor, y: Tensor, permutations: int, generator: Generator) -> float:
    """p of the squared cross-covariance, which is what shuffling changes in CKA, in the leading 64 axes of each side."""
    a, b = (_leading(z) for z in (x, y))
    null = [float((a.T @ b[torch.randperm(len(b), generator=generator)]).square().sum()) for _ in range(permutations)]
    return against(float((a.T @ b).square().sum()), null)[1]


def _leading(z: Tensor, axes: int = 64) -> Tensor:
    u, s, _ = torch.linalg.svd(z - z.mean(0), full_matrices=False)
    return u[:, :axes] * (s[:axes] / s[0])


def _partners(x: Tensor, y: Tensor, permutations: int, generator: Generator) -> float:
    a, b = ((z - z.mean(0)) / (z - z.mean(0)).norm(dim=1, keepdim=True).clamp_min(1e-300) for z in (x, y))
    like, rows = a @ b.T, torch.arange(len(a))
    null = [float(like[rows, torch.randperm(len(b), generator=generator)].mean()) for _ in range(permutations)]
    return against(float(like.diagonal().mean()), null)[1]


def group_of(groups: Array | Sequence[Any] | None, n: int) -> Tensor:
    """The number of each row's group, counted from 0, ``[n]``; a row alone is its own group.

    Raises:
        ShapeError: not one group for each row.
    """
    if groups is None:
        return torch.arange(n)
    names = groups.tolist() if hasattr(groups, "tolist") else list(groups)
    if len(names) != n:
        raise ShapeError(f"{len(names)} groups for {n} rows; give the group of every row")
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([number[name] for name in names])


def _group_means(z: Tensor, group: Tensor) -> Tensor:
    count = torch.bincount(group).to(z)[:, None]
    return torch.zeros(len(count), z.shape[1], dtype=z.dtype).index_add_(0, group, z) / count
