"""Operators that are linear in the latent."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import Operator


class Sum(Operator):
    r""":math:`z'=\sum_i z_i`, whatever the parameter: the parts are encoded as they sound in the mix.

    >>> Sum()(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.zeros(1, 2))
    tensor([[4., 6.]])
    """

    linear = True

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        return z.sum(1)


class Scale(Operator):
    r""":math:`z'=g^{p}z` with amplitude gain :math:`g=10^{\theta/20}`, theta in dB, and a learned exponent p.

    Independent sources add their energies, so an additive space is expected at p = 2, where p starts.
    """

    linear = True
    flow = True

    def __init__(self, exponent: float = 2.0) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(float(exponent)))

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        return (z * torch.exp(self.exponent * theta[..., None] * (math.log(10) / 20))).sum(1)
