"""What was encoded can be found again."""

from __future__ import annotations

from torch import Tensor

from .base import Law, Seen


class RoundTrip(Law):
    r""":math:`h^{-1}(h(y))=y`, the residual in units of each code dimension's standard deviation.

    Keeps in the space what the encoder knew; without it a space obeys by forgetting.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def residual(self, seen: Seen) -> Tensor:
        y = seen.trials.codes
        return (seen.space.lift(seen.latents) - y) / (y.var(0) + 1e-8).sqrt()
