"""Directions of moves, and what no move along them changes."""

from __future__ import annotations

import torch
from torch import Tensor


def still(z: Tensor, directions: Tensor) -> Tensor:
    """Latents ``[..., d]`` with the span of ``directions [k, d]`` projected out.

    >>> still(torch.tensor([3.0, 4.0, 5.0]), torch.tensor([[0.0, 2.0, 0.0]])).tolist()
    [3.0, 0.0, 5.0]
    """
    basis = torch.linalg.qr(directions.T).Q
    return z - (z @ basis) @ basis.T
