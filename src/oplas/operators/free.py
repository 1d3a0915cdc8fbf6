"""The control: an operator that may be anything."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import Operator


class FreeOperator(Operator):
    r"""A learned set function :math:`z'=\bar z+\mathrm{MLP}(\bar z,\ \sum_i \mathrm{MLP}'(z_i,\theta_i))` of the parts.

    What it gains over a simple operator is what the simple one misses; what it also misses, the space does not hold.
    """

    def __init__(self, dim: int, hidden: int = 128) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(dim + 1, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.all = nn.Sequential(nn.Linear(dim + hidden, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        present = (z != 0).any(-1, keepdim=True).to(z.dtype)
        each = self.each(torch.cat([z, theta[..., None] / 10], -1)) * present
        mean = z.sum(1) / present.sum(1).clamp_min(1)
        return mean + self.all(torch.cat([mean, each.sum(1)], -1))
