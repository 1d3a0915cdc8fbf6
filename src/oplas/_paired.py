"""Two files of vectors whose rows mean the same: anchors for a translator, in constant memory where its form allows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from ._errors import DataError, ShapeError
from ._tables import Table, table
from .functional.maps import r2
from .functional.pairs import PairStatistics
from .measure.mismatch import mismatch
from .translators.base import Translator
from .translators.closed import ClosedForm

MOST = 20000
"""Anchors held in memory, where a translator or a measurement must see rows."""


class Paired:
    """Rows of one id, where both files have ids; else rows of one number.

    Raises:
        ShapeError: no ids, and files of unequal length.
        DataError: no id in common.
    """

    def __init__(self, old: Path, new: Path, column: str | None = None) -> None:
        self.x: Table = table(old, column)
        self.y: Table = table(new, column)
        self.dims, self.rows = (self.x.dim, self.y.dim), self.x.rows
        self._order: np.ndarray | None = None
        if not (self.x.ids and self.y.ids):
            if self.x.rows != self.y.rows:
                fact = f"{old} holds {self.x.rows} vectors and {new} {self.y.rows}"
                raise ShapeError(f"{fact}; give as many, in the same order, or files with ids")
            return
        if self.x.rows == self.y.rows and all(a == b for a, b in zip(self.x.names(), self.y.names(), strict=True)):
            return
        place = {name: row for row, name in enumerate(name for block in self.x.names() for name in block)}
        others = enumerate(name for block in self.y.names() for name in block)
        shared = sorted((place[name], row) for row, name in others if name in place)
        if not shared:
            raise DataError(f"{old} and {new} have no id in common, so nothing is paired; look at their id columns")
        if len(shared) < max(self.x.rows, self.y.rows):
            fact = f"{len(shared)} ids are in both files, of {self.x.rows} and {self.y.rows}"
            warnings.warn(f"{fact}; the others are left out", stacklevel=2)
        self._order, self.rows = np.array(shared), len(shared)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Paired blocks; where ids come in another order, all at once."""
        if self._order is not None:
            yield self.x.take(self._order[:, 0]), self.y.take(self._order[:, 1])
        else:
            yield from zip(self.x.blocks(), self.y.blocks(), strict=True)

    def some(self, seed: int = 0, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
        """All pairs, or ``most`` of them drawn without replacement."""
        rows = np.arange(self.rows)
        if self.rows > most:
            rows = np.sort(np.random.default_rng(seed).choice(self.rows, most, replace=False))
        x, y = (rows, rows) if self._order is None else (self._order[rows, 0], self._order[rows, 1])
        return self.x.take(x), self.y.take(y)

    def fit(self, translator: Translator, tell: Callable[[int], object] = lambda rows: None) -> float:
        """Fit on every pair; returns R² on a fifth of them, by a first fit on the others."""
        if isinstance(translator, ClosedForm):
            learned, held = (PairStatistics.empty(*self.dims) for _ in range(2))
            for some, others in self.blocks():
                x, y = torch.from_numpy(some), torch.from_numpy(others)
                out = torch.arange(len(x)) % 5 == 2
                learned.update(x[~out], y[~out])
                held.update(x[out], y[out])
                tell(len(x))
            try:
                first = translator.fit_statistics(learned)
            except DataError:
                if learned.n < translator.minimum or (not translator.preprocess == "unit rows" and not hasattr(translator, "by")):
                    raise
            else:
                score = r2(held, first.weight_, first.mean_x_, first.mean_y_) if held.n > 1 else math.nan
                translator.fit_statistics(learned + held)
                return score
        a, b = self.some()
        out = torch.arange(len(a)) % 5 == 2
        score = translator.fit(a[~out.numpy()], b[~out.numpy()]).score(a[out.numpy()], b[out.numpy()])
        translator.fit(a, b)
        return score

    def warn_of_strangers(self, index: Path, column: str | None, seed: int = 0, most: int = 300) -> None:
        """Warn where the vectors of ``index`` do not look as if the anchors' old model had made them."""
        first = table(sorted(index.rglob("*.parquet"))[0] if index.is_dir() else index, column)
        draw, count = np.random.default_rng(seed), min(most, first.rows, self.rows)
        if count < 30:
            return
        some = first.take(draw.choice(first.rows, count, replace=False))
        known = self.x.take(draw.choice(self.x.rows, count, replace=False))
        p = mismatch(some, known, permutations=199, seed=seed).distribution
        if p < 0.01:
            fact = f"the vectors of {index} are not drawn as the anchors' are (p = {p:.2g})"
            warnings.warn(f"{fact}: by another model, or of other things; the prediction may not hold", stacklevel=2)
