"""Translators that may find nothing, and say so."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from .._errors import DataError
from .base import Translator


class Seeking(Translator):
    """Looks for a translation and checks by itself, on rows it kept back, whether what it found is one.

    After ``fit``, ``found_`` says whether, and ``why_`` the fact behind it. Where nothing was found ``transform`` and
    ``inverse_transform`` raise DataError with that fact: no rows come out that look fine.
    """

    paired: ClassVar[bool] = False
    """Whether all rows given to ``fit`` are taken as pairs."""

    found_: bool
    why_: str
    map_: Translator

    def _forward(self, x: Tensor) -> Tensor:
        self._refuse()
        return self.map_._forward(x)

    def _backward(self, y: Tensor) -> Tensor:
        self._refuse()
        return self.map_._backward(y)

    def _refuse(self) -> None:
        if not self.found_:
            raise DataError(f"no translation was found: {self.why_}; give more or better pairs, or see that their order is right")
