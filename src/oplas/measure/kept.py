"""What a space still knows of what its encoder knew."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def family_probe(z: Tensor, label: Tensor, song: Tensor, ridge: float = 1e-2) -> tuple[float, float]:
    """Balanced accuracy of a linear probe for the part's label, fitted on half the songs and read on the other half.

    Ridge regression to one-hot targets on standardised latents, both halves in turn. Labels in fewer than two songs
    of either half are left out.

    Returns:
        accuracy and chance (one over the number of labels); NaN where fewer than two labels can be probed.
    """
    songs = song.unique()
    half = torch.isin(song, songs[::2])
    usable = [c for c in label.unique().tolist() if all(len(song[(label == c) & side].unique()) >= 2 for side in (half, ~half))]
    if len(usable) < 2:
        return math.nan, math.nan
    keep = torch.isin(label, torch.tensor(usable))
    z, label, half = z[keep].double(), label[keep], half[keep]
    target = torch.stack([(label == c) for c in usable], 1).double()
    hits = []
    for fit in (half, ~half):
        mean, std = z[fit].mean(0), z[fit].std(0)
        x = torch.where(std > 1e-9 * std.max().clamp_min(1e-300), (z - mean) / std.clamp_min(1e-300), 0.0)
        x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
        weight = target[fit] / target[fit].mean(0)  # balanced classes
        importance = (target[fit] / target[fit].mean(0)).sum(1, keepdim=True)
        gram = (x[fit] * importance).T @ x[fit] / int(fit.sum())
        gram += ridge * torch.eye(len(gram), dtype=x.dtype)
        beta = torch.linalg.solve(gram, x[fit].T @ weight / int(fit.sum()))
        guess = (x[~fit] @ beta).argmax(1)
        true = target[~fit].argmax(1)
        hits += [float((guess[true == c] == c).double().mean()) for c in range(len(usable)) if (true == c).any()]
    return sum(hits) / len(hits), 1 / len(usable)


def neighbour_overlap(a: Tensor, b: Tensor, k: int = 10, limit: int = 2000, seed: int = 0) -> float:
    r"""Mutual k-nearest-neighbour share :math:`\frac1n\sum_i |N_k^a(i)\cap N_k^b(i)|/k` (Huh et al. 2024).

    On at most ``limit`` rows. 1 where both spaces have the same neighbours; about k/n for unrelated ones.

    Shape:
        - a: ``[n, d]`` · b: ``[n, e]``, rows in correspondence
    """
    if len(a) <= k + 1:
        return math.nan
    rows = torch.randperm(len(a), generator=torch.Generator().manual_seed(seed))[:limit]
    sets = []
    for z in (a[rows], b[rows]):
        distance = torch.cdist(z, z)
        distance.fill_diagonal_(math.inf)
        near = torch.zeros_like(distance, dtype=torch.bool)
        sets.append(near.scatter_(1, distance.topk(k, largest=False).indices, True))
    return float((sets[0] & sets[1]).sum(1).double().mean() / k)
