r"""How much room a cloud of latents takes up, and losses that keep it from collapsing.

Shape of every ``z``: ``[n, d]``.
"""

from __future__ import annotations

import torch
from torch import Tensor


def covariance(z: Tensor) -> Tensor:
    r"""Sample covariance :math:`\frac{1}{n-1}\sum_i (z_i-\bar z)(z_i-\bar z)^\top`, ``[d, d]``."""
    centred = z - z.mean(0)
    return centred.T @ centred / (len(z) - 1)


def scatter(z: Tensor) -> Tensor:
    r"""Mean squared distance from the mean, :math:`\frac1n\sum_i\|z_i-\bar z\|^2`, a scalar."""
    return (z - z.mean(0)).square().sum(-1).mean()


def variance_hinge(z: Tensor, floor: float = 1.0) -> Tensor:
    r""":math:`\max(0,\ \text{floor}-\sqrt{\operatorname{Var} z_j + 10^{-4}})` for each dimension j, ``[d]``.

    The variance term of VICReg (Bardes, Ponce & LeCun 2022, https://arxiv.org/abs/2105.04906).
    """
    return torch.relu(floor - (z.var(0) + 1e-4).sqrt())


def correlation_leak(z: Tensor) -> Tensor:
    r""":math:`\sqrt{\sum_{i\ne j} C_{ij}^2}` for each dimension j of the covariance C, ``[d]``.

    Its mean square is the covariance term of VICReg (Bardes, Ponce & LeCun 2022).
    """
    c = covariance(z)
    return ((c - torch.diag(torch.diagonal(c))).square().sum(0) + 1e-12).sqrt()


def spectrum(z: Tensor) -> Tensor:
    """Share of the variance along each principal axis, descending, ``[d]``; sums to one, or zeros for a point."""
    values = torch.linalg.eigvalsh(covariance(z.double())).clamp_min(0).flip(0)
    return values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)


def effective_rank(z: Tensor) -> float:
    r""":math:`\exp(-\sum_j p_j\log p_j)` over the covariance's normalised eigenvalues p.

    The entropy definition of Roy & Vetterli (EUSIPCO 2007), on variances. 0 for a space collapsed to a point.

    >>> round(effective_rank(torch.tensor([[1., 0.], [-1., 0.], [0., 1.], [0., -1.]])), 6)
    2.0
    """
    p = spectrum(z)
    p = p[p > 0]
    return float(torch.exp(-(p * p.log()).sum())) if len(p) else 0.0


def sigreg(z: Tensor, directions: int = 256, generator: torch.Generator | None = None) -> Tensor:
    r"""Epps-Pulley distance of random 1-D projections from a standard normal, ``[directions]``.

    :math:`\int |\hat\varphi_a(t)-e^{-t^2/2}|^2\, e^{-t^2/2}\,dt` by the trapezoid rule at 17 points of [-5, 5], with
    :math:`\hat\varphi_a(t)=\frac1n\sum_i e^{\mathrm i t\langle a,z_i\rangle}` and a uniform on the sphere.
    SIGReg of LeJEPA (Balestriero & LeCun 2025, https://arxiv.org/abs/2511.08544), written from the formula.
    """
    device = z.device if generator is None else generator.device
    a = torch.randn(z.shape[1], directions, generator=generator, device=device, dtype=z.dtype).to(z.device)
    t = torch.linspace(-5, 5, 17, device=z.device, dtype=z.dtype)
    angle = (z @ (a / a.norm(dim=0)))[..., None] * t
    target = torch.exp(-t.square() / 2)
    gap = (angle.cos().mean(0) - target).square() + angle.sin().mean(0).square()
    return torch.trapezoid(gap * target, t, dim=-1)
