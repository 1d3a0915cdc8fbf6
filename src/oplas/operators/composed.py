"""Operators made of operators."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from .._errors import ShapeError
from .base import Operator


class Pointwise(Operator):
    """An operator that acts on each part alone; of several parts it gives the sum of what each became."""

    @abstractmethod
    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        """What one part becomes: ``z [n, d]``, ``theta [n]``, returns ``[n, d]``."""

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        present = (z != 0).any(-1, keepdim=True)
        moved = self.act(z.flatten(0, 1), theta.to(z.dtype).flatten()).unflatten(0, z.shape[:2])
        return (moved * present).sum(1)


class Composition(Pointwise):
    r"""``first``, then ``last``, of the same theta: :math:`z\mapsto A_\theta(B_\theta(z))`; spelled ``A @ B``."""

    def __init__(self, last: Operator, first: Operator) -> None:
        super().__init__()
        self.last, self.first = last, first
        self.linear = last.linear and first.linear

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        between = self.first(z[:, None], theta[:, None])
        answer: Tensor = self.last(between[:, None], theta[:, None])
        return answer

    def undo(self, z: Tensor, theta: Tensor) -> Tensor:
        return self.first.undo(self.last.undo(z, theta), theta)


class Power(Pointwise):
    r"""``operator`` applied ``exponent`` times; spelled ``A ** 3``. Any real exponent of a flow, whole ones of the others.

    Raises:
        ShapeError: the exponent is not whole and the operator is no flow.
    """

    def __init__(self, operator: Operator, exponent: float) -> None:
        super().__init__()
        if not operator.flow and exponent != int(exponent):
            raise ShapeError(f"{operator!r} ** {exponent}: only flows such as Rotation have broken powers; give a whole exponent")
        self.operator, self.exponent = operator, exponent
        self.linear, self.flow = operator.linear, operator.flow

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        if self.operator.flow:
            answer: Tensor = self.operator(z[:, None], self.exponent * theta[:, None])
            return answer
        for _ in range(abs(int(self.exponent))):
            z = self.operator(z[:, None], theta[:, None]) if self.exponent > 0 else self.operator.undo(z, theta)
        return z

    def undo(self, z: Tensor, theta: Tensor) -> Tensor:
        return Power(self.operator, -self.exponent).act(z, theta)


def unit(dim: int, count: int) -> Tensor:
    """Where learned directions start: at random, about one long, ``[count, dim]``."""
    return torch.randn(count, dim) / dim**0.5
