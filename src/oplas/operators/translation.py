"""A move in one direction, as far as the parameter says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import Operator


class Translation(Operator):
    r""":math:`z'=\sum_i(z_i+\theta_i v)` with one learned direction v; for one part :math:`z'=z+\theta v`.

    What is done twice as far moves twice as far: transposition by theta semitones, where a space is soft in pitch.

    >>> move = Translation(2)
    >>> move.direction.data = torch.tensor([1.0, 0.0])
    >>> move(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[3.0]])).tolist()
    [[4.0, 2.0]]
    """

    flow = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.zeros(dim))

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        present = (z != 0).any(-1).to(z.dtype)
        return z.sum(1) + (theta.to(z.dtype) * present).sum(1)[:, None] * self.direction

    @torch.no_grad()
    def fit(self, z: Tensor, theta: Tensor, after: Tensor) -> Translation:
        r"""The least-squares direction :math:`v=\sum\theta(z'-\sum_i z_i)/\sum\theta^2` of known moves, in closed form."""
        far = (theta.double() * (z != 0).any(-1)).sum(1)
        moved = after.double() - z.double().sum(1)
        self.direction.copy_((far @ moved) / far.square().sum().clamp_min(torch.finfo(torch.float64).tiny))
        return self
