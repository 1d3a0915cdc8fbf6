"""A fader: one named attribute, moved in its own unit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .composed import Pointwise


class Fader(Pointwise):
    r""":math:`z'=z+\theta v`: theta units more of one attribute; of several parts the sum of what each became.

    The direction v moves the attribute's probe by one unit and, as :mod:`oplas.faders` makes it, leaves all others.

    Args:
        name: of the attribute. unit: of theta.

    >>> louder = Fader(2, "level", "dB")
    >>> louder.direction.data = torch.tensor([0.5, 0.0])
    >>> louder(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[6.0]])).tolist(), repr(louder)
    ([[4.0, 2.0]], "Fader(2, name='level', unit='dB')")
    """

    flow = True

    def __init__(self, dim: int, name: str = "", unit: str = "") -> None:
        super().__init__()
        self.name, self.unit = name, unit
        self.direction = nn.Parameter(torch.zeros(dim))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        return z + theta[:, None] * self.direction
