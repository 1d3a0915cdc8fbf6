r"""What the operators of a group owe each other; residuals in units of each latent dimension's standard deviation.

They need no action of their own: the latents of any evidence serve, the whole's after the deed, with theta of its first part.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from ..operators.base import Operator
from .base import Law, Seen


class _OfOperator(Law):
    """A claim about operators alone, on latents as they come."""

    def __init__(self, operator: Operator, weight: float = 1.0) -> None:
        super().__init__()
        self.operator, self.weight = operator, weight

    def residual(self, seen: Seen) -> Tensor:
        z, theta = seen.after, seen.trials.theta[:, 0].to(seen.after.dtype)
        return self.gap(z, theta) / (z.detach().var(0) + 1e-4).sqrt()

    @abstractmethod
    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        """What is zero where the claim is true, ``[n, d]``, for latents ``[n, d]`` and theta ``[n]``."""


class Identity(_OfOperator):
    r""":math:`O_0(z)=z`: to do nothing changes nothing."""

    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        return apply(self.operator, z, torch.zeros_like(theta)) - z


class Homomorphism(_OfOperator):
    r""":math:`O_s(O_t(z))=O_{s+t}(z)`: two deeds in turn are one deed, s being the next trial's theta."""

    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        other = theta.roll(1)
        return apply(self.operator, apply(self.operator, z, theta), other) - apply(self.operator, z, theta + other)


class Inverse(_OfOperator):
    r""":math:`O_{-\theta}(O_\theta(z))=z`, or :math:`B_\theta(O_\theta(z))=z` for an operator B said to undo O."""

    def __init__(self, operator: Operator, other: Operator | None = None, weight: float = 1.0) -> None:
        super().__init__(operator, weight)
        self.other = other

    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        there = apply(self.operator, z, theta)
        return (apply(self.operator, there, -theta) if self.other is None else apply(self.other, there, theta)) - z


class Order(_OfOperator):
    r""":math:`O_u^n(z)=z`: n times a deed of size ``unit`` come round; no earlier power is asked to differ, see :class:`Ring`."""

    def __init__(self, operator: Operator, order: int, unit: float = 1.0, weight: float = 1.0) -> None:
        super().__init__(operator, weight)
        if order < 1 or order != int(order):
            raise ValueError(f"Order({order}): an order is a whole number of steps, 1 or more")
        self.order, self.unit = order, unit

    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        there, step = z, torch.full_like(theta, self.unit)
        for _ in range(self.order):
            there = apply(self.operator, there, step)
        return there - z


class Commute(_OfOperator):
    r""":math:`A_s(B_t(z))=B_t(A_s(z))`: which of two deeds comes first is of no account; s is the next trial's theta."""

    def __init__(self, operator: Operator, other: Operator, weight: float = 1.0) -> None:
        super().__init__(operator, weight)
        self.other = other

    def gap(self, z: Tensor, theta: Tensor) -> Tensor:
        next_theta = theta.roll(1)
        first = apply(self.operator, apply(self.other, z, theta), next_theta)
        return first - apply(self.other, apply(self.operator, z, next_theta), theta)


def apply(operator: Operator, z: Tensor, theta: Tensor) -> Tensor:
    """One part operated on: ``z [n, d]``, ``theta [n]``."""
    answer: Tensor = operator(z[:, None], theta[:, None])
    return answer
