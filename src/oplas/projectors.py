"""Maps from an encoder's codes to latents."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from ._errors import ShapeError
from ._spelled import Spelled


class Projector(Spelled, nn.Module, ABC):
    """A map :math:`[n, \\text{dim}] \\to [n, \\text{width}]`."""

    dim: int
    width: int
    exact_inverse: bool = False

    @abstractmethod
    def forward(self, y: Tensor) -> Tensor: ...

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        """Take the scale of what will be mapped, and of what it will be mapped to where that is given."""

    def invert(self, z: Tensor) -> Tensor:
        """The way back.

        Raises:
            ShapeError: this projector has none.
        """
        raise ShapeError(f"{self!r} has no inverse of its own; give the space one, such as inverse=MLP({self.width}, {self.dim})")


class Identity(Projector):
    """The encoder's own space: a control."""

    exact_inverse = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = self.width = dim

    def forward(self, y: Tensor) -> Tensor:
        return y

    def invert(self, z: Tensor) -> Tensor:
        return z
