"""Directions of attributes: from pairs, from labels, from a number; and the probes that read them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .._errors import DataError
from .erasure import moments


def from_pairs(before: Tensor, after: Tensor, amount: Tensor) -> Tensor:
    r"""What one unit does, :math:`v=\sum a_i(z'_i-z_i)/\sum a_i^2`, ``[d]``, of known changes.

    Raises:
        DataError: every amount is zero.
    """
    amount = amount.double()
    if not bool(amount.any()):
        raise DataError(f"all {len(amount)} pairs were changed by 0, so nothing shows what a change does; give other amounts")
    return amount @ (after.double() - before.double()) / amount.square().sum()


def difference_of_means(z: Tensor, y: Tensor) -> Tensor:
    """The mean of what lies above the middle of y's range of values less that of what lies below, per unit of y, ``[d]``.

    Labels (two values) are split between the two; numbers at their median.

    Raises:
        DataError: all values are alike.
    """
    z, y = z.double(), y.double()
    few = y.unique()
    if len(few) < 2:
        raise DataError(f"all {len(y)} values are {float(y[0]) if len(y) else 'missing'}; a direction needs two that differ")
    high = y > (few.mean() if len(few) == 2 else y.median())
    if not bool(high.any()):
        high = y == few[-1]
    return (z[high].mean(0) - z[~high].mean(0)) / (y[high].mean() - y[~high].mean())


def pls(z: Tensor, y: Tensor, components: int, weight: Tensor | None = None) -> Tensor:
    r"""Probes ``[components, d]`` of partial least squares with 1, 2, … components: how a number is read off z.

    Each component is the direction of most covariance with what the earlier ones left of y (PLS1, Wold 1975; as conjugate
    gradients on the normal equations, of which the k-th step is k components: Phatak & de Hoog 2002,
    https://doi.org/10.1002/cem.728).
    """
    _, spread, cross = moments(z, y, weight)
    rest = cross[:, 0]
    step, w, rows = rest.clone(), torch.zeros_like(rest), []
    for _ in range(components):
        bent = spread @ step
        size, was = step @ bent, rest @ rest
        if size <= 0 or was < 1e-24 * cross.square().sum():
            rows.append(w)
            continue
        w = w + (was / size) * step
        rest = rest - (was / size) * bent
        step = rest + (rest @ rest / was) * step
        rows.append(w)
    return torch.stack(rows)


@dataclass(frozen=True, eq=False)
class Probes:
    r"""Linear readings :math:`\hat y=(z-\mu)W^\top+b`, and how much they explain of songs they were not fitted on.

    Shape:
        - weight: ``[m, d]`` · mean: ``[d]`` · bias, r2, penalty: ``[m]``
    """

    weight: Tensor
    mean: Tensor
    bias: Tensor
    r2: Tensor
    penalty: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        return (z.double() - self.mean) @ self.weight.T + self.bias


PENALTIES = torch.logspace(-5, 3, 17, dtype=torch.float64)


def song_weight(song: Tensor) -> Tensor:
    """Every song counts alike, however many windows it has, ``[n]``."""
    _, index, count = song.unique(return_inverse=True, return_counts=True)
    return 1 / count[index].double()


def probes(z: Tensor, y: Tensor, song: Tensor, *, folds: int = 5, penalty: Tensor | None = None) -> Probes:
    """Ridge probes of attributes ``[n, m]``, songs counting alike; the penalty of each by cross-validation over songs.

    Args:
        penalty: ``[m]``, in units of the latents' mean variance; default chosen.
    """
    z, y = z.double(), (y[:, None] if y.ndim == 1 else y).double()
    weight = song_weight(song)
    weight = weight / weight.sum()
    names = song.unique()
    fold = torch.searchsorted(names, song) % min(folds, len(names))
    total = ((y - weight @ y).square() * weight[:, None]).sum(0).clamp_min(1e-300)
    r2 = torch.full_like(total, torch.nan)
    if len(names) > 1:
        missed = torch.zeros(len(PENALTIES), y.shape[1], dtype=z.dtype)
        for index in fold.unique():
            fit, rest = fold != index, fold == index
            for row, path in enumerate(_ridge(z[fit], y[fit], weight[fit], PENALTIES[:, None].expand(-1, y.shape[1]))):
                missed[row] += ((y[rest] - path(z[rest])).square() * weight[rest, None]).sum(0)
        best = missed.argmin(0)
        r2 = 1 - missed[best, torch.arange(y.shape[1])] / total
        penalty = PENALTIES[best] if penalty is None else penalty
    penalty = torch.full_like(total, 1e-2) if penalty is None else penalty
    return replace(ridge(z, y, weight, penalty), r2=r2)


def ridge(z: Tensor, y: Tensor, weight: Tensor, penalty: Tensor) -> Probes:
    """Ridge probes of given penalties ``[m]`` and row weights ``[n]``."""
    mean, bias, spread, cross = _centred(z.double(), y.double(), weight)
    scale, eye, made = spread.trace() / len(spread), torch.eye(len(spread), dtype=spread.dtype), torch.zeros_like(cross)
    for each in penalty.unique():
        same = penalty == each
        made[:, same] = torch.linalg.solve(spread + (float(each) * scale + 1e-300) * eye, cross[:, same])
    return Probes(made.T, mean, bias, torch.full_like(bias, torch.nan), penalty)


def _ridge(z: Tensor, y: Tensor, weight: Tensor, penalties: Tensor) -> list[Probes]:
    """One set of probes for each row of penalties ``[p, m]``."""
    mean, bias, spread, cross = _centred(z, y, weight)
    values, axes = torch.linalg.eigh(spread)
    turned, scale = axes.T @ cross, values.clamp_min(0).mean()
    nothing = torch.full_like(bias, torch.nan)
    return [
        Probes((axes @ (turned / (values.clamp_min(0)[:, None] + row * scale + 1e-300))).T, mean, bias, nothing, row)
        for row in penalties
    ]  # fmt: skip


def _centred(z: Tensor, y: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    share = (weight / weight.sum()).double()
    mean, bias = share @ z, share @ y
    centred = z - mean
    return mean, bias, centred.T @ (share[:, None] * centred), centred.T @ (share[:, None] * (y - bias))
