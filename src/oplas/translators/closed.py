"""Translators in closed form: whatever they know, the statistics of the pairs say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, Self, get_args

import torch
from torch import Tensor

from .._errors import DataError, OplasError
from ..functional import maps
from ..functional.pairs import PairStatistics
from ..functional.similarity import directions
from .base import Translator

Preprocess = Literal["centre", "standard", "unit rows", "none"]
"""What is done to both spaces before the map is fitted, and undone after it:

- ``centre``: the mean is taken off.
- ``standard``: the mean is taken off, each dimension is divided by its standard deviation. An orthogonal truth is no longer
  orthogonal then; what classes depend on may gain.
- ``unit rows``: the mean is taken off, each row is divided by its length. The lengths of single rows are lost: all
  translations get the anchors' mean length. Needs rows, not statistics.
- ``none``: a map without an intercept.
"""


Rows = Callable[[], tuple[Tensor, Tensor]]
"""Gives the preprocessed pairs themselves, centred, to the few maps that ask."""


class ClosedForm(Translator):
    r"""A linear map between centred spaces, :math:`\hat y = \bar y + (x-\bar x)W`, from the statistics of pairs.

    The way back is the pseudo-inverse, :math:`\hat x = \bar x + (y-\bar y)W^{+}`, unless the subclass says otherwise.

    Attributes:
        weight_: W, ``[d, e]``, float64, in the units of the spaces themselves.
        mean_x_: ``[d]``.
        mean_y_: ``[e]``.
        unit_y_: what ``preprocess`` divided y by, ``[e]``.
        back_: the map back, ``[e, d]``, where it is no pseudo-inverse.
        n_: how many anchors.
    """

    preprocess: Preprocess = "centre"
    preprocesses: ClassVar[tuple[str, ...]] = get_args(Preprocess)
    """What ``preprocess`` may be."""
    recentres: ClassVar[bool] = True
    """Whether rows of length one are centred once more."""

    weight_: Tensor
    mean_x_: Tensor
    mean_y_: Tensor
    unit_y_: Tensor
    back_: Tensor | None
    n_: int

    def fit_statistics(self, statistics: PairStatistics) -> Self:
        if self.preprocess == "unit rows":
            return super().fit_statistics(statistics)
        _refuse(statistics, self)
        self.n_features_in_, self.n_features_out_ = statistics.dims
        self._settle(statistics)
        return self

    def score_statistics(self, statistics: PairStatistics) -> float:
        """:meth:`score` of pairs of which the statistics are known, such as a fold taken from the whole."""
        if self.preprocess == "unit rows":
            return float(super().fit_statistics(statistics).n_)
        return maps.r2(statistics, self.weight_, self.mean_x_, self.mean_y_)

    @property
    def bias_(self) -> Tensor:
        """What W leaves to be added, ``[e]``: the translation of the source space's zero."""
        return self.mean_y_ - self.mean_x_ @ self.weight_

    @abstractmethod
    def _solve(self, statistics: PairStatistics, rows: Rows | None) -> Tensor:
        """W, ``[d, e]``, of preprocessed pairs; ``rows`` where they were given."""

    def _solve_back(self, statistics: PairStatistics, rows: Rows | None) -> Tensor | None:
        """The map from Y to X, ``[e, d]``; none means the pseudo-inverse, taken when it is asked for."""
        return None

    def _fit(self, x: Tensor, y: Tensor) -> None:
        if self.preprocess == "unit rows":
            self.origin_x_, self.origin_y_ = x.mean(0), y.mean(0)
            x, y = x - self.origin_x_, y - self.origin_y_
            self.length_x_, self.length_y_ = x.norm(dim=1).mean(), y.norm(dim=1).mean()
            x, y = directions(x), directions(y)
        statistics = PairStatistics.of(x, y, full=self._reads(x.shape[1], y.shape[1]))
        about_zero = self.preprocess == "unit rows" and not self.recentres
        self._settle(statistics.about_zero() if about_zero else statistics, x, y)

    def _reads(self, d: int, e: int) -> tuple[str, ...]:
        """The moments that :meth:`_solve` reads more of than the diagonal."""
        return "xx", "yy"

    def _settle(self, statistics: PairStatistics, x: Tensor | None = None, y: Tensor | None = None) -> None:
        if self.preprocess not in self.preprocesses:
            raise OplasError(f"there is no preprocess={self.preprocess!r}; choose among {', '.join(self.preprocesses)}")
        s = statistics.about_zero() if self.preprocess == "none" else statistics
        mean_x, mean_y = s.mean_x, s.mean_y
        u, v = torch.ones_like(mean_x), torch.ones_like(mean_y)
        if self.preprocess == "standard":
            u, v = _deviation(s.xx, s.n), _deviation(s.yy, s.n)
            s = s.scaled(u, v)
        rows = None if x is None or y is None else lambda: ((x - mean_x) / u, (y - mean_y) / v)
        self.weight_ = (self._solve(s, rows) / u[:, None] * v).contiguous()
        back = self._solve_back(s, rows)
        self.back_ = None if back is None else (back / v[:, None] * u).contiguous()
        self.mean_x_, self.mean_y_, self.unit_y_, self.n_ = mean_x, mean_y, v, s.n

    def _forward(self, x: Tensor) -> Tensor:
        rows = self.preprocess == "unit rows"
        if rows:
            x = directions(x - self.origin_x_.to(x))
        y = self.mean_y_.to(x) + (x - self.mean_x_.to(x)) @ self.weight_.to(x)
        return self.origin_y_.to(x) + y * self.length_y_.to(x) if rows else y

    def _backward(self, y: Tensor) -> Tensor:
        rows = self.preprocess == "unit rows"
        if rows:
            y = directions(y - self.origin_y_.to(y))
        back = torch.linalg.pinv(self.weight_, rtol=1e-9) if self.back_ is None else self.back_
        x = self.mean_x_.to(y) + (y - self.mean_y_.to(y)) @ back.to(y)
        return self.origin_x_.to(y) + x * self.length_x_.to(y) if rows else x

    origin_x_: Tensor
    origin_y_: Tensor
    length_x_: Tensor
    length_y_: Tensor


def _refuse(statistics: PairStatistics, translator: Translator) -> None:
    s = statistics
    if s.n < translator.minimum:
        raise DataError(f"{s.n} anchors are too few, at least {translator.minimum} are needed; give more pairs")
    for name, moment in (("X", s.xx), ("Y", s.yy)):
        if not moment.isfinite().all():
            raise DataError(f"the statistics of {name} are not finite; leave out rows that hold NaN or infinity")
        if moment.trace() <= 0:
            raise DataError(f"all {s.n} rows of {name} are the same, so they say nothing; look at what made them")


def _deviation(moment: Tensor, n: int) -> Tensor:
    """Standard deviation of each dimension; 1 where it does not vary."""
    made = (moment.diagonal().clamp_min(0) / n).sqrt()
    return torch.where(made > 1e-12 * made.max(), made, torch.ones_like(made))
