"""Laws that keep a space from collapsing. They need no action: any latents serve."""

from __future__ import annotations

import torch
from torch import Tensor

from ..functional.spread import correlation_leak, sigreg, variance_hinge
from .base import Law, Seen


class VarianceFloor(Law):
    """No dimension's standard deviation falls below ``floor``; VICReg's variance term, squared (Bardes et al. 2022)."""

    of_batch = True

    def __init__(self, floor: float = 1.0, weight: float = 1.0) -> None:
        super().__init__()
        self.floor, self.weight = floor, weight

    def residual(self, seen: Seen) -> Tensor:
        return torch.cat([variance_hinge(seen.latents, self.floor), variance_hinge(seen.after, self.floor)])


class Decorrelation(Law):
    """No dimension tells of another; VICReg's covariance term (Bardes et al. 2022)."""

    of_batch = True

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def residual(self, seen: Seen) -> Tensor:
        z = seen.latents
        return correlation_leak(z / (z.detach().var(0) + 1e-4).sqrt())


class Gaussian(Law):
    """The latents are standard normal; SIGReg (Balestriero & LeCun 2025). At odds with exact sums: use it elsewhere."""

    of_batch = True

    def __init__(self, directions: int = 256, weight: float = 1.0) -> None:
        super().__init__()
        self.directions, self.weight = directions, weight

    def residual(self, seen: Seen) -> Tensor:
        return sigreg(seen.latents, self.directions).clamp_min(1e-12).sqrt()


def nondegenerate(weight: float = 1.0) -> list[Law]:
    """The laws under which an equivariance cannot be met by a point or a line."""
    return [VarianceFloor(weight=25 * weight), Decorrelation(weight=weight)]
