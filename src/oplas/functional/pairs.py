"""What closed forms need to know of paired rows, gathered in one pass: it merges, it takes away, it never grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from .._errors import DataError, ShapeError

CHUNK = 1024
"""Rows that are held as float64 at a time: few enough to stay in the processor's cache."""


@dataclass(eq=False)
class PairStatistics:
    r"""Count, means and centred second moments of pairs (x, y), in float64 whatever comes in.

    .. math:: S_{xy} = \sum_i (x_i-\bar x)(y_i-\bar y)^\top

    Two of them merge, and one is taken from another, by the exact update of Chan, Golub & LeVeque (1983,
    https://doi.org/10.1080/00031305.1983.10483115): the means shift by :math:`\delta`, the moments by
    :math:`\frac{ab}{a+b}\delta\delta^\top`. So workers gather apart, and a fold of a cross-validation is a difference.

    Shape:
        - mean_x: ``[d]`` · mean_y: ``[e]`` · xx: ``[d, d]`` · xy: ``[d, e]`` · yy: ``[e, e]``

    >>> x, y = torch.randn(90, 4), torch.randn(90, 3)
    >>> whole, part = PairStatistics.of(x, y), PairStatistics.of(x[:30], y[:30])
    >>> torch.allclose((whole - part).xy, PairStatistics.of(x[30:], y[30:]).xy)
    True
    """

    n: int
    mean_x: Tensor
    mean_y: Tensor
    xx: Tensor
    xy: Tensor
    yy: Tensor

    @classmethod
    def empty(cls, d: int, e: int, device: torch.device | str = "cpu") -> Self:
        """No pairs yet, of d and e dimensions."""
        shapes = ((d,), (e,), (d, d), (d, e), (e, e))
        return cls(0, *(torch.zeros(shape, dtype=torch.float64, device=device) for shape in shapes))

    @classmethod
    def of(cls, x: Tensor, y: Tensor, *, full: tuple[str, ...] = ("xx", "yy")) -> Self:
        """Of rows ``[n, d]`` and ``[n, e]``.

        Args:
            full: which of xx and yy is needed; of the others only the diagonal is gathered, for the price of nothing.

        Raises:
            ShapeError: see :meth:`update`.
        """
        if x.ndim != 2 or y.ndim != 2:
            raise ShapeError(f"pairs are rows [n, d] and [n, e]; these have the shapes {list(x.shape)} and {list(y.shape)}")
        return cls.empty(x.shape[1], y.shape[1], x.device).update(x, y, full=full)

    @property
    def dims(self) -> tuple[int, int]:
        """d and e."""
        return len(self.mean_x), len(self.mean_y)

    @torch.no_grad()
    def update(self, x: Tensor, y: Tensor, *, full: tuple[str, ...] = ("xx", "yy")) -> Self:
        """Add rows, in place; ``full`` as in :meth:`of`.

        Raises:
            ShapeError: the rows differ in number, or their dimensions from what was gathered so far.
        """
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or (x.shape[1], y.shape[1]) != self.dims:
            fact = f"pairs here are rows of {self.dims[0]} and {self.dims[1]} dimensions, the same number of each"
            raise ShapeError(f"{fact}; these have the shapes {list(x.shape)} and {list(y.shape)}")
        if len(x):
            self._merge(self._seen(x, y, full), 1)
        return self

    def _seen(self, x: Tensor, y: Tensor, full: tuple[str, ...]) -> Self:
        """Statistics of rows: moments about a point near the mean, then about the mean."""
        found = self.empty(*self.dims, self.xx.device)
        found.n = len(x)
        shift_x, shift_y = (_near(rows[:CHUNK].to(self.xx)) for rows in (x, y))
        for part_x, part_y in zip(x.split(CHUNK), y.split(CHUNK), strict=True):
            a, b = part_x.to(self.xx), part_y.to(self.yy)
            a, b = a if shift_x is None else a - shift_x, b if shift_y is None else b - shift_y
            found.mean_x += a.sum(0) / found.n
            found.mean_y += b.sum(0) / found.n
            found.xy.addmm_(a.T, b)
            for name, rows, moment in (("xx", a, found.xx), ("yy", b, found.yy)):
                if name in full:
                    _add_gram(moment, rows)
                else:
                    moment.diagonal().add_(torch.linalg.vector_norm(rows, dim=0).square())
        u, v = found.mean_x, found.mean_y
        for name, moment, first, last in (("xx", found.xx, u, u), ("xy", found.xy, u, v), ("yy", found.yy, v, v)):
            if name == "xy" or name in full:
                moment.addr_(first, last, alpha=-found.n)
                if name != "xy":
                    moment.copy_(moment.triu() + moment.triu(1).T)
            else:
                moment.diagonal().sub_(found.n * first.square())
        found.mean_x, found.mean_y = u if shift_x is None else u + shift_x, v if shift_y is None else v + shift_y
        return found

    def _merge(self, other: Self, sign: int) -> None:
        if other.dims != self.dims:
            raise ShapeError(f"statistics of {self.dims} and of {other.dims} dimensions belong to different pairs of spaces")
        if self.n == 0 and sign > 0:
            self.n = other.n
            for name in TENSORS:
                getattr(self, name).copy_(getattr(other, name))
            return
        n = self.n + sign * other.n
        if n < 0:
            raise DataError(f"{other.n} pairs cannot be taken from {self.n}; take away only what was gathered")
        x, y = other.mean_x.to(self.mean_x) - self.mean_x, other.mean_y.to(self.mean_y) - self.mean_y
        weight = sign * self.n * other.n / n if n else 0.0
        for name, first, last in (("xx", x, x), ("xy", x, y), ("yy", y, y)):
            moment = getattr(self, name)
            moment.add_(getattr(other, name).to(moment), alpha=sign).addr_(first, last, alpha=weight)
            if n == 0:
                moment.zero_()
        self.mean_x += x * (sign * other.n / n if n else 0.0)
        self.mean_y += y * (sign * other.n / n if n else 0.0)
        self.n = n

    def copy(self) -> Self:
        """The same figures in tensors of their own."""
        return type(self)(self.n, *(getattr(self, name).clone() for name in TENSORS))

    def __add__(self, other: Self) -> Self:
        made = self.copy() if self.n else other.copy()
        if self.n:
            made._merge(other, 1)
        return made

    def __sub__(self, other: Self) -> Self:
        made = self.copy()
        made._merge(other, -1)
        return made

    def swapped(self) -> Self:
        """The same pairs, y first."""
        return type(self)(self.n, self.mean_y, self.mean_x, self.yy, self.xy.T, self.xx)

    def scaled(self, unit_x: Tensor | float, unit_y: Tensor | float) -> Self:
        """Of ``x / unit_x`` and ``y / unit_y``; a unit is one number or one a dimension."""
        u, v = torch.as_tensor(unit_x).to(self.mean_x).expand_as(self.mean_x), torch.as_tensor(unit_y).to(self.mean_y)
        v = v.expand_as(self.mean_y)
        moments = (self.xx / u[:, None] / u, self.xy / u[:, None] / v, self.yy / v[:, None] / v)
        return type(self)(self.n, self.mean_x / u, self.mean_y / v, *moments)

    def about_zero(self) -> Self:
        """Moments about zero in place of the means: what a map without an intercept is fitted on."""
        x, y = self.mean_x, self.mean_y
        moments = ((self.xx, x, x), (self.xy, x, y), (self.yy, y, y))
        made = (moment.addr(first, last, alpha=self.n) for moment, first, last in moments)
        return type(self)(self.n, torch.zeros_like(x), torch.zeros_like(y), *made)

    def state(self) -> dict[str, Tensor]:
        """Plain tensors, to send to another process or keep in a file; :meth:`from_state` reads them back."""
        return {"n": torch.tensor(self.n), **{name: getattr(self, name) for name in TENSORS}}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self:
        """The statistics whose :meth:`state` this is."""
        return cls(int(state["n"]), *(state[name] for name in TENSORS))


TENSORS = ("mean_x", "mean_y", "xx", "xy", "yy")


def _near(first: Tensor) -> Tensor | None:
    """The first rows' mean; none where zero is near enough to it, within ten deviations, that no digit worth having is lost."""
    mean = first.mean(0)
    return None if (mean.square() <= 100 * first.var(0, correction=0)).all() else mean


def _add_gram(moment: Tensor, x: Tensor) -> None:
    """Add ``x.T @ x`` on and above the diagonal, in blocks: at little more than half the price of the whole."""
    d = x.shape[1]
    if d <= 192:
        moment.addmm_(x.T, x)
        return
    half = d // 2
    left, right = x[:, :half], x[:, half:]
    _add_gram(moment[:half, :half], left)
    _add_gram(moment[half:, half:], right)
    moment[:half, half:].addmm_(left.T, right)
