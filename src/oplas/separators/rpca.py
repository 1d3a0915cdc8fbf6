"""A repeating background of low rank, and what is sparse on top of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import Masking


class RPCA(Masking):
    r"""Parts: low rank, sparse, from :math:`\min\|L\|_*+\lambda\|S\|_1,\ L+S=|X|`.

    :math:`\lambda=1/\sqrt{\max(\text{bins},\text{frames})}`.

    P.-S. Huang, S. D. Chen, P. Smaragdis, M. Hasegawa-Johnson, "Singing-voice separation from monaural recordings using robust
    principal component analysis", ICASSP 2012; solved by the inexact augmented Lagrangian of Z. Lin, M. Chen, Y. Ma, 2010,
    https://arxiv.org/abs/1009.5055.
    """

    def __init__(self, steps: int = 60) -> None:
        self.steps = steps

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        low, sparse = split(magnitude, self.steps)
        return torch.stack([low.abs(), sparse.abs()])


def split(x: Tensor, steps: int, tolerance: float = 1e-6) -> tuple[Tensor, Tensor]:
    """L and S of a matrix."""
    weight, norm = 1 / math.sqrt(max(x.shape)), float(torch.linalg.matrix_norm(x, 2))
    dual = x / max(norm, float(x.abs().max()) / weight)
    penalty, sparse = 1.25 / norm, torch.zeros_like(x)
    low = sparse
    for _ in range(steps):
        u, s, vh = torch.linalg.svd(x - sparse + dual / penalty, full_matrices=False)
        low = (u * (s - 1 / penalty).clamp_min(0)) @ vh
        rest = x - low + dual / penalty
        sparse = rest.sign() * (rest.abs() - weight / penalty).clamp_min(0)
        gap = x - low - sparse
        dual, penalty = dual + penalty * gap, min(penalty * 1.5, 1e7 / norm)
        if float(gap.norm() / x.norm()) < tolerance:
            break
    return low, sparse
