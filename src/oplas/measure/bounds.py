"""How sure a figure is: resampled songs, and a bound for the next one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor


def bootstrap(
    figure: Callable[[Tensor], float], song: Tensor, *, draws: int = 500, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of ``figure(rows)`` over songs drawn with replacement (Efron 1979): windows of a song stay together.

    Args:
        figure: takes row indices, gives a number.
        song: ``[n]``, the song of each row.

    Returns:
        low and high; both NaN where fewer than two songs were heard.
    """
    groups = [torch.nonzero(song == s).flatten() for s in song.unique()]
    if len(groups) < 2:
        return math.nan, math.nan
    generator = Generator().manual_seed(seed)
    values = []
    for _ in range(draws):
        chosen = torch.randint(len(groups), (len(groups),), generator=generator).tolist()
        values.append(figure(torch.cat([groups[i] for i in chosen])))
    ordered = torch.tensor(values, dtype=torch.float64)
    ordered = ordered[ordered.isfinite()]
    if not len(ordered):
        return math.nan, math.nan
    low, high = torch.quantile(ordered, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    return float(low), float(high)


def conformal(scores: Tensor, level: float = 0.9) -> float:
    r"""Split-conformal bound (Vovk et al. 2005; Lei et al. 2018): the next score stays below it with probability >= level.

    The :math:`\lceil (n+1)\,\text{level}\rceil`-th smallest of n exchangeable scores; infinite where n is too small to say.

    >>> conformal(torch.arange(1.0, 10.0), 0.9)
    9.0
    >>> conformal(torch.arange(1.0, 9.0), 0.9)
    inf
    """
    n = len(scores)
    k = math.ceil((n + 1) * level - 1e-9)
    return float(scores.sort().values[k - 1]) if 0 < k <= n else math.inf
