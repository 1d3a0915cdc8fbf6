"""Two deeds done to one thing, each to the thing as it was: what directions are compared on."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..data.base import Scene
from .base import Action

TRIES = 64


class Twice(Action):
    """``first`` and ``second`` are each done to the same thing: before holds it and what the first made, after what the second did.

    Args:
        first, second: deeds on one part, such as Transpose and Shift.
        same: whether their parameters must agree in sign, or differ; by default either will do. Zero is neither.
    """

    def __init__(self, first: Action, second: Action, same: bool | None = None) -> None:
        self.first, self.second, self.same = first, second, same

    def admits(self, one: Tensor, other: Tensor) -> Tensor:
        """Whether two parameters may stand beside each other, elementwise."""
        sign = one.sign() * other.sign()
        return sign != 0 if self.same is None else sign == (1 if self.same else -1)

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        """Before ``[2, samples]``, after ``[samples]``, theta ``[2]``.

        Raises:
            DataError: a deed is done to several parts, or the two never came out as ``same`` wants them.
        """
        for _ in range(TRIES):
            before, one, theta, chosen = self.first.perform(scene, generator)
            _, other, beside, _ = self.second.perform(scene, generator)
            if len(before) != 1:
                raise DataError(f"{self!r}: a direction is that of one part, {self.first!r} acts on {len(before)}")
            if bool(self.admits(theta, beside).all()):
                return torch.cat([before, one[None]]), other, torch.cat([theta, beside]), [*chosen, *chosen]
        fact = f"{TRIES} draws of {self.first!r} and {self.second!r} gave no two steps of the signs wanted"
        raise DataError(f"{fact}; widen their ranges, or take music that does not fill all of its range")
