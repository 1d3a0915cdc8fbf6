r"""How alike two clouds of vectors are whose rows are paired: figures that no rotation and no scale can change, and one null.

Conventions: :math:`x: [n, d]`, :math:`y: [n, e]`, row i of one belongs to row i of the other; everything is computed in float64.
d and e may differ except where vectors themselves are compared (:func:`cosine`, :func:`ranks`, :func:`recall`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError


def cka(x: Tensor, y: Tensor) -> float:
    r"""Debiased linear centred kernel alignment, at most about 1; about 0 for unrelated rows *whatever* n, d and e are.

    With centred rows, :math:`p_i=\|x_i\|^2`, :math:`q_i=\|y_i\|^2` and the unbiased estimate of Song et al. (2012),

    .. math:: h(x,y)=\|X^\top Y\|_F^2-\tfrac{n}{n-2}\sum_i p_iq_i+\tfrac{\sum_i p_i\,\sum_i q_i}{(n-1)(n-2)},
        \qquad \mathrm{CKA}=\frac{h(x,y)}{\sqrt{h(x,x)\,h(y,y)}}

    so that no n × n kernel is made. The index is that of Kornblith et al. (2019, https://arxiv.org/abs/1905.00414), the
    debiased form that of Nguyen, Raghu & Kornblith (2021, https://arxiv.org/abs/2010.15327).

    Returns:
        the figure; NaN where a cloud is so small and so round that its own h is not positive.

    Raises:
        DataError: fewer than four rows, numbers that are not finite, or rows that are all the same.

    >>> x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    >>> round(cka(x, -2 * x[:, [1, 2, 0]] + 5), 6)
    1.0
    """
    a, b = (_unit_scatter(each) for each in _paired(x, y, least=4))
    whole = _h(a, a) * _h(b, b)
    return _h(a, b) / whole**0.5 if _h(a, a) > 0 and _h(b, b) > 0 else float("nan")


def _h(a: Tensor, b: Tensor) -> float:
    n, p, q = len(a), a.square().sum(1), b.square().sum(1)
    return float((a.T @ b).square().sum() - n / (n - 2) * (p @ q) + p.sum() * q.sum() / ((n - 1) * (n - 2)))


def canonical_correlations(x: Tensor, y: Tensor) -> Tensor:
    r"""Hotelling's (1936) :math:`\rho_1\ge\rho_2\ge\dots`: the singular values of :math:`U_x^\top U_y`, ``[min(rank x, rank y)]``.

    U is an orthonormal basis of what the centred columns span; no invertible affine map of either side changes them.

    Raises:
        DataError: the two ranks together reach n, so that correlations of 1 are forced by counting alone.
    """
    a, b = (_basis(each - each.mean(0)) for each in _paired(x, y, least=3))
    if a.shape[1] + b.shape[1] >= len(a):
        raise DataError(
            f"{len(a)} rows for clouds of rank {a.shape[1]} and {b.shape[1]}: canonical correlations of 1 would be forced by "
            "counting alone; give more rows than both ranks together, or reduce the dimensions first"
        )
    return torch.linalg.svdvals(a.T @ b).clamp(0, 1)


def cosine(x: Tensor, y: Tensor) -> float:
    r"""Mean cosine :math:`\frac1n\sum_i\frac{x_i\cdot y_i}{\|x_i\|\|y_i\|}`; a row of zeros has no direction and counts 0.

    >>> cosine(torch.tensor([[1., 0.], [0., 2.]]), torch.tensor([[3., 0.], [1., 0.]]))
    0.5
    """
    a, b = _paired(x, y, least=1, same=True)
    return float((directions(a) * directions(b)).sum(1).mean())


def ranks(query: Tensor, gallery: Tensor, batch: int = 1024) -> Tensor:
    """How many rows of the gallery point at least as nearly along query i as row i does, itself not counted, ``[n]``; 0 is a hit.

    By cosine, as vector databases search; ties count against the query.

    >>> ranks(torch.eye(3), torch.tensor([[2., 0., 0.], [0., 1., 1.], [0., 9., 1.]])).tolist()
    [0, 1, 1]
    """
    a, b = _paired(query, gallery, least=1, same=True)
    a, b = directions(a), directions(b)
    found = []
    for start in range(0, len(a), batch):
        like = a[start : start + batch] @ b.T
        own = like.diagonal(start)[:, None]
        found.append((like >= own - 1e-12).sum(1) - 1)
    return torch.cat(found)


def recall(query: Tensor, gallery: Tensor, at: Sequence[int] = (1, 5, 10)) -> tuple[float, ...]:
    """R@k for each k: the share of queries whose own row is among the k nearest of the gallery by cosine; chance is k/n.

    >>> recall(torch.eye(4), torch.eye(4), at=(1,))
    (1.0,)
    """
    found = ranks(query, gallery)
    return tuple(float((found < k).double().mean()) for k in at)


class Neighbours(NamedTuple):
    """Mutual nearest neighbours beside their permutation null."""

    share: float
    """Mean share of common neighbours, in [0, 1]."""
    chance: float
    """Its mean over shuffled rows; k/(n - 1) in expectation."""
    p: float
    """One-sided permutation p-value that rows correspond no better than shuffled ones; at least 1/(permutations + 1)."""


def mutual_neighbours(
    x: Tensor, y: Tensor, k: int = 10, *, permutations: int = 999, group: Tensor | None = None, seed: int = 0
) -> Neighbours:
    r"""Share of nearest neighbours that two spaces have in common, :math:`\frac1{nk}\sum_i|N_k^x(i)\cap N_k^y(i)|`, and its null.

    The alignment measure of the Platonic representation hypothesis (Huh et al. 2024, https://arxiv.org/abs/2405.07987), by cosine
    of centred rows. Under the null the rows of y are shuffled whole: with B shuffles and b of them as good,
    :math:`p=(1+b)/(1+B)`, which is exact for exchangeable rows (Phipson & Smyth 2010). The neighbours are found once; a shuffle
    only renames them. Memory is ``[n, n]`` booleans: give some thousand rows.

    Args:
        group: ``[n]``, such as the song of each row. Neighbours are then looked for in other songs, and whole songs are exchanged
            (row by row at the same share of their length), so that rows of a song lying together is no sign; p cannot undercut
            one over the number of orders of songs.

    Raises:
        DataError: fewer than k + 2 rows (k in other songs), numbers that are not finite, or rows that are all the same.
    """
    if k < 1 or permutations < 0:
        raise DataError(f"k={k}, permutations={permutations}: k counts from 1 and permutations from 0")
    a, b = _paired(x, y, least=k + 2)
    near, table = nearest(_unit_scatter(a), k, group), torch.zeros(len(b), len(b), dtype=torch.bool, device=b.device)
    table.scatter_(1, nearest(_unit_scatter(b), k, group), True)
    rows = torch.arange(len(a), device=a.device)

    def share(order: Tensor) -> float:
        return float(table[order[:, None], order[near]].double().mean())

    own, generator = share(rows), Generator().manual_seed(seed)
    null = [share(_shuffled(rows.cpu(), group, generator).to(a.device)) for _ in range(permutations)]
    return Neighbours(own, *against(own, null))


def _shuffled(rows: Tensor, group: Tensor | None, generator: Generator) -> Tensor:
    if group is None:
        return torch.randperm(len(rows), generator=generator)
    _, number, size = group.cpu().unique(return_inverse=True, return_counts=True)
    by, start, other = number.argsort(stable=True), size.cumsum(0) - size, torch.randperm(len(size), generator=generator)[number]
    place = torch.empty_like(rows).index_copy_(0, by, rows) - start[number]  # of a row in its song, counted from 0
    return by[start[other] + place * size[other] // size[number]]


def nearest(z: Tensor, k: int, group: Tensor | None = None) -> Tensor:
    """Indices of each row's k nearest others by cosine, ``[n, k]``; of other groups alone where ``group`` is given.

    Raises:
        DataError: there are not so many.
    """
    unit = directions(z)
    like = (unit @ unit.T).fill_diagonal_(-torch.inf)
    if group is not None:
        if (most := int(group.unique(return_counts=True)[1].max())) + k > len(z):
            raise DataError(
                f"one group holds {most} of {len(z)} rows, so {k} neighbours elsewhere are not to be had; give more groups"
            )
        like[group[:, None] == group] = -torch.inf
    return like.topk(k, dim=1).indices


def against(own: float, null: Sequence[float]) -> tuple[float, float]:
    """Mean of a null and the one-sided p-value :math:`(1+b)/(1+B)` of ``own`` in it; NaN mean and p of 1 where B is 0.

    >>> against(3.0, [1.0, 2.0, 3.0])
    (2.0, 0.5)
    """
    as_good = sum(each >= own * (1 - 1e-12) for each in null)
    return (sum(null) / len(null) if null else float("nan")), (1 + as_good) / (1 + len(null))


def leverage(x: Tensor, ridge: float = 0.0) -> Tensor:
    r"""How much each row alone steers a least-squares fit: :math:`\ell_i=x_i^\top(X^\top X+\lambda I)^{+}x_i`, centred, ``[n]``.

    In [0, 1]; they sum to the rank where :math:`\lambda` is 0 (Mahoney 2011, https://arxiv.org/abs/1104.5557). ``ridge`` is
    :math:`\lambda` in units of the mean squared norm of the rows.
    """
    (a,) = _checked(x, least=2)
    a = _unit_scatter(a)
    u, s, _ = torch.linalg.svd(a, full_matrices=False)
    keep = s > s[0] * max(a.shape) * torch.finfo(s.dtype).eps
    weight = torch.where(keep, s.square() / (s.square() + ridge * len(a)).clamp_min(1e-300), 0.0)
    return u.square() @ weight


def directions(z: Tensor) -> Tensor:
    """Rows of unit length; a row of zeros stays one."""
    return z / z.norm(dim=1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)


def _unit_scatter(z: Tensor) -> Tensor:
    """Centred and, on average, of unit length; refused where nothing varies."""
    centred = z - z.mean(0)
    scale = centred.square().sum(1).mean().sqrt()
    if float(scale) <= 1e-12 * max(float(z.abs().max()), 1e-300):
        raise DataError(f"all {len(z)} rows are the same vector, so nothing can be compared; give rows that differ")
    return centred / scale


def _basis(centred: Tensor) -> Tensor:
    u, s, _ = torch.linalg.svd(centred, full_matrices=False)
    return u[:, s > s[:1] * max(centred.shape) * torch.finfo(s.dtype).eps]


def _paired(x: Tensor, y: Tensor, least: int, *, same: bool = False) -> tuple[Tensor, Tensor]:
    a, b = _checked(x, y, least=least)
    if len(a) != len(b):
        raise ShapeError(f"{len(a)} rows beside {len(b)}: rows must be in correspondence; drop what has no partner")
    if same and a.shape[1] != b.shape[1]:
        raise ShapeError(
            f"{a.shape[1]} dimensions beside {b.shape[1]}: only vectors of one space compare; translate one side first"
        )
    return a, b


def _checked(*clouds: Tensor, least: int) -> tuple[Tensor, ...]:
    for z in clouds:
        if z.ndim != 2:
            raise ShapeError(f"vectors come as [rows, dimensions]; one tensor given is {tuple(z.shape)}")
        if len(z) < least:
            raise DataError(f"{len(z)} rows, and this figure needs {least} at least; give more rows")
        if not bool(z.isfinite().all()):
            bad = int((~z.isfinite().all(1)).nonzero()[0])
            raise DataError(f"row {bad} holds a number that is not finite; drop or repair it")
    return tuple(z.detach().double() for z in clouds)
