"""Non-negative factors of the spectrogram, grouped by timbre."""

from __future__ import annotations

import itertools

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .base import Masking


class NMF(Masking):
    r"""Factors :math:`|X|\approx WH` of least Kullback–Leibler divergence, the bases W grouped into parts by their cepstra.

    P. Smaragdis & J. C. Brown, "Non-negative matrix factorization for polyphonic music transcription", 2003; the updates are those
    of D. Lee & H. S. Seung, 2001; the grouping follows M. Spiertz & V. Gnann, "Source-filter based clustering for monaural blind
    source separation", 2009.

    Args:
        rank: factors for each part; with 1 nothing has to be grouped.
    """

    def __init__(self, parts: int = 2, rank: int = 8, steps: int = 100, seed: int = 0) -> None:
        if min(parts, rank, steps) < 1:
            raise DataError(f"{parts} parts of {rank} factors in {steps} steps cannot be made; give at least one of each")
        self.parts, self.rank, self.steps, self.seed = parts, rank, steps, seed

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        w, h = factors(magnitude, self.parts * self.rank, self.steps, self.seed)
        group = torch.arange(self.parts) if self.rank == 1 else clusters(cepstra(w), self.parts, self.seed)
        return torch.stack([w[:, group == i] @ h[group == i] for i in range(self.parts)])


def factors(v: Tensor, rank: int, steps: int, seed: int) -> tuple[Tensor, Tensor]:
    """W ``[bins, rank]`` with columns that sum to one, and H ``[rank, frames]``, by multiplicative updates."""
    generator = Generator().manual_seed(seed)
    w, h = (torch.rand(shape, generator=generator).to(v) + 0.1 for shape in ((len(v), rank), (rank, v.shape[1])))
    tiny = 1e-9 * float(v.mean())
    for _ in range(steps):
        h = h * (w.T @ (v / (w @ h + tiny))) / w.sum(0)[:, None].clamp_min(tiny)
        w = w * ((v / (w @ h + tiny)) @ h.T) / h.sum(1).clamp_min(tiny)
        scale = w.sum(0).clamp_min(tiny)
        w, h = w / scale, h * scale[:, None]
    return w, h


def cepstra(w: Tensor, bands: int = 40, coefficients: int = 12) -> Tensor:
    """Shapes of spectra, levels left out: cosine transforms of log energy in bands that widen with frequency, ``[rank, 12]``."""
    edges = torch.unique(torch.logspace(0, torch.log10(torch.tensor(float(len(w)))).item(), bands + 1).long())
    energy = torch.stack([w[a:b].square().sum(0) for a, b in itertools.pairwise(edges.tolist())], 1)
    log = torch.log(energy + 1e-4 * energy.amax(1, keepdim=True))
    place = (torch.arange(log.shape[1]) + 0.5) * torch.pi / log.shape[1]
    return log @ torch.cos(place[:, None] * torch.arange(1, coefficients + 1)).to(log)


def clusters(points: Tensor, count: int, seed: int, tries: int = 10) -> Tensor:
    """The best of several runs of Lloyd's k-means, ``[n]``; every cluster holds a point."""
    generator = Generator().manual_seed(seed)
    best, least = torch.arange(len(points)) % count, float("inf")
    for _ in range(tries):
        centre = points[torch.randperm(len(points), generator=generator)[:count]]
        for _ in range(50):
            group = torch.cdist(points, centre).argmin(1)
            centre = torch.stack([points[group == i].mean(0) if bool((group == i).any()) else centre[i] for i in range(count)])
        spread = float((points - centre[group]).square().sum())
        if len(group.unique()) == count and spread < least:
            best, least = group, spread
    return best
