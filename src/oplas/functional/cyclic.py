"""Twelve numbers on a ring: shifts, and the one shape that many shifted copies share."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor


def shifts(x: Tensor) -> Tensor:
    r"""Every rotation of rows ``[n, m]``: :math:`y_{nkj}=x_{n,(j+k)\bmod m}`, ``[n, m, m]``."""
    m = x.shape[-1]
    at = torch.arange(m, device=x.device)
    return x[..., (at[:, None] + at) % m]


def correlate(x: Tensor, template: Tensor) -> Tensor:
    r"""Circular correlation :math:`s_k=\sum_j x_{(j+k)\bmod m}\,w_j`, ``[n, m]`` and ``[m]`` to ``[n, m]``.

    Linear in x, and a rotation of x rotates it: every plane :math:`\hat s_f=\hat x_f\bar{\hat w}_f` of its Fourier transform turns
    by :math:`2\pi f/m` a step.

    >>> correlate(torch.tensor([[0.0, 0.0, 1.0, 0.0]]), torch.tensor([1.0, 0.5, 0.0, 0.0])).tolist()
    [[0.0, 0.5, 1.0, 0.0]]
    """
    return shifts(x) @ template


def shared_shape(
    x: Tensor, generator: Generator, *, starts: int = 4, sharpness: float = 100.0, steps: int = 60
) -> tuple[Tensor, float]:
    r"""The distribution w of which every row of x is a rotated, noisy copy; nobody says by how much each is rotated.

    Maximum likelihood by expectation and maximisation over the hidden rotation k of each row (Dempster et al. 1977):

    .. math:: q_{nk}\propto \exp\big(\beta\,\textstyle\sum_j x_{n,j+k}\log w_j\big), \qquad w_j\propto\sum_{nk}q_{nk}x_{n,j+k},

    annealed from :math:`\beta/10` to :math:`\beta` = ``sharpness``, from ``starts`` random assignments; the likeliest is kept.
    w itself is known up to one rotation.

    Shape:
        - x: ``[n, m]``, rows of sum 1
        - returns: w ``[m]`` of sum 1, and the mean log-likelihood of a row
    """
    every, m = shifts(x.double()), x.shape[1]
    mean = every.mean((0, 1)).clamp_min(1e-12)
    best: tuple[Tensor, float] | None = None
    for _ in range(starts):
        q = torch.rand(len(x), m, generator=generator, dtype=torch.float64).pow(3)
        shape, value = mean, -math.inf
        for step in range(steps):
            shape = torch.einsum("nk,nkj->j", q / q.sum(1, keepdim=True), every) + 1e-3 * len(x) * mean
            shape = shape / shape.sum()
            score = sharpness * (every @ shape.log())
            q = torch.softmax(score * min(1.0, 0.1 + 2 * step / steps), 1)
            value = float(torch.logsumexp(score, 1).mean())
        if best is None or value > best[1]:
            best = shape, value
    assert best is not None
    return best
