"""The translator that serves these anchors best, found by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Generator, Tensor

from .._errors import DataError, OplasError
from ..functional.pairs import PairStatistics
from ..functional.similarity import ranks
from .affine import Ridge
from .base import Translator
from .closed import ClosedForm
from .kernel import Kernel
from .orthogonal import Orthogonal

Criterion = Literal["r2", "retrieval"] | Callable[[np.ndarray, np.ndarray], float]


def candidates() -> list[Translator]:
    """What :class:`Auto` tries when nothing else is named, simple ones first: on a tie the first wins."""
    return [
        Orthogonal(), Orthogonal(preprocess="standard"), Orthogonal(preprocess="unit rows"),
        Ridge(), Ridge(preprocess="standard"), Ridge(preprocess="unit rows"),
        Kernel(),
    ]  # fmt: skip


class Auto(Translator):
    r"""K-fold cross-validation over methods and their preprocessing; the best is then fitted on all anchors.

    Every anchor is translated by a map that has not seen it, and all these translations :math:`\hat Y` are judged at once
    against Y. The statistics of a fold are taken from those of the whole, so that a closed form costs one solution a fold
    and no pass over the rows; methods that must see rows are fitted on them.

    Args:
        methods: unfitted translators to choose among; default :func:`candidates`.
        by: ``"r2"``; ``"retrieval"``, the mean reciprocal rank of the true row by cosine; or what matters downstream:
            a function of :math:`\hat Y` and Y, arrays ``[n, e]``, that is larger where the translation serves better,
            such as how often a classifier answers both alike. Such a function is not saved.
        folds: how many; as many as anchors where those are fewer than 20.
        seed: which anchors share a fold.

    Attributes:
        best_: the translator chosen, fitted on all anchors.
        tried_: one row a method, best first: ``{"method": its spelling, "score": ..., "why_not": ...}``; a method that
            cannot be fitted has no score, and says why.

    >>> x = torch.randn(60, 8, dtype=torch.float64)
    >>> auto = Auto().fit(x, 2 * x.roll(1, 1))
    >>> auto.best_, len(auto.tried_)
    (Orthogonal(), 7)
    """

    minimum = 5

    def __init__(self, methods: Sequence[Translator] | None = None, *, by: Criterion = "r2", folds: int = 5, seed: int = 0) -> None:
        self.methods, self.by, self.folds, self.seed = methods, by, folds, seed

    best_: Translator
    tried_: list[dict[str, Any]]

    def fit_folds(self, folds: Sequence[PairStatistics]) -> Self:
        """Choose and learn from the statistics of disjoint parts of the pairs, each gathered in constant memory.

        Methods that must see rows are passed over, and R² is the only criterion.

        Raises:
            DataError: fewer than two folds, ``by`` needs rows, or no method can do without.
        """
        if len(folds) < 2 or self.by != "r2":
            raise DataError(f"{len(folds)} folds, by={self.by!r}: statistics serve R² on at least two folds; else call fit(X, Y)")
        whole = sum(folds[1:], folds[0])
        self.n_features_in_, self.n_features_out_ = whole.dims
        size = [float(fold.yy.trace()) for fold in folds]

        def judge(method: Translator) -> float:
            if not isinstance(method, ClosedForm):
                raise DataError(f"{method!r} must see rows")
            made = [type(method)(**method.get_params(deep=False)).fit_statistics(whole - fold) for fold in folds]
            found = [each.score_statistics(fold) for each, fold in zip(made, folds, strict=True)]
            return 1 - sum((1 - r2) * each for r2, each in zip(found, size, strict=True)) / sum(size)

        self.best_ = self._choose(judge).fit_statistics(whole)
        return self

    def _fit(self, x: Tensor, y: Tensor) -> None:
        parts = list(self._parts(len(x)))
        whole = PairStatistics.of(x, y)
        rest = [whole - PairStatistics.of(x[part], y[part]) for part in parts]

        def judge(method: Translator) -> float:
            told = torch.empty_like(y)
            for part, statistics in zip(parts, rest, strict=True):
                told[part] = _fitted(_blank(method), statistics, x, y, part).transform(x[part])
            return self._score(told, y)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what there is to say of these anchors has been said
            self.best_ = self._choose(judge).fit(x, y)

    def _parts(self, count: int) -> Iterator[Tensor]:
        if self.folds < 2:
            raise OplasError(f"folds={self.folds}: cross-validation needs at least two")
        order = torch.randperm(count, generator=Generator().manual_seed(self.seed))
        yield from order.tensor_split(count if count < 20 else min(self.folds, count))

    def _score(self, told: Tensor, y: Tensor) -> float:
        if self.by == "r2":
            return float(1 - (told - y).square().sum() / (y - y.mean(0)).square().sum())
        if self.by == "retrieval":
            return float((1 / (1.0 + ranks(told - y.mean(0), y - y.mean(0)))).mean())
        if callable(self.by):
            return float(self.by(told.cpu().numpy(), y.cpu().numpy()))
        raise OplasError(f"there is no criterion by={self.by!r}; take 'r2', 'retrieval' or a function of two arrays")

    def _choose(self, judge: Callable[[Translator], float]) -> Translator:
        methods = candidates() if self.methods is None else list(self.methods)
        tried: list[tuple[float, int, dict[str, Any]]] = []
        for index, method in enumerate(methods):
            try:
                score = judge(method)
                row: dict[str, Any] = {"method": repr(method), "score": score}
            except DataError as error:
                score, row = -float("inf"), {"method": repr(method), "score": None, "why_not": str(error)}
            tried.append((-score if score == score else float("inf"), index, row))
        tried.sort(key=lambda each: each[:2])
        self.tried_ = [row for _, _, row in tried]
        if not methods or self.tried_[0]["score"] is None:
            why = self.tried_[0]["why_not"] if methods else "none was named"
            raise DataError(f"none of {len(methods)} methods can be fitted on these anchors: {why}")
        return _blank(methods[tried[0][1]])

    def _forward(self, x: Tensor) -> Tensor:
        return self.best_._forward(x)

    def _backward(self, y: Tensor) -> Tensor:
        return self.best_._backward(y)

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, card = super()._state()
        if callable(self.by):
            card["spelling"] = repr(type(self)(self.methods, folds=self.folds, seed=self.seed))
        return tensors, card


def _blank(method: Translator) -> Translator:
    """An equal translator that has learned nothing."""
    return type(method)(**method.get_params(deep=False))


def _fitted(method: Translator, statistics: PairStatistics, x: Tensor, y: Tensor, left_out: Tensor) -> Translator:
    """Fitted on all rows but those left out: from statistics where these are enough."""
    try:
        return method.fit_statistics(statistics)
    except DataError:
        kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
        kept[left_out.to(x.device)] = False
        return method.fit(x[kept], y[kept])
