"""The search box: expressions over the points of the map."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..algebra import Answer, Collection, Found, Item, plan, search
from . import schema
from .library import Library
from .maps import Map

BLOCK, MOST = 1 << 16, 2000


class Named(Collection):
    """The points by the names of their files (``band01/drums@3``: the window that starts there) or their numbers (``#12``)."""

    whole = False

    def __init__(self, library: Library) -> None:
        self.library = library

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for i, file in enumerate(self.library.files):
            rows.setdefault(file, []).append(i)
        for file in list(rows):  # the last word of a path will do where it is the only one
            rows.setdefault(Path(file).name, []).extend(rows[file] if Path(file).name != file else [])
        return rows

    def rows(self, item: Item) -> list[int]:
        """The points that an item names.

        Raises:
            DataError: none, or points of several files.
        """
        if item.by_id:
            number = int(item.name) if item.name.isdecimal() else -1
            if not 0 <= number < len(self.library):
                raise DataError(f"there is no point #{item.name}; the map has {len(self.library)}, counted from 0")
            return [number]
        found = self._rows.get(item.name, [])
        files = sorted({self.library.files[i] for i in found})
        if not found:
            close = difflib.get_close_matches(item.name, self._rows, cutoff=0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else "see the names in the list, or write a point's number: #12"
            raise DataError(f"nothing on the map is called {item.name!r}; {hint}")
        if len(files) > 1:
            raise DataError(f"{item.name!r} may be {len(files)} things: {', '.join(files[:3])}; say which")
        return found

    def place(self, item: Item) -> Tensor:
        rows = self.rows(item)
        starts = self.library.starts
        if item.start is None or item.by_id or starts is None:
            return torch.from_numpy(self.library.z[rows].mean(0))
        nearest = min(rows, key=lambda i: abs(starts[i] - item.start))
        if not abs(starts[nearest] - item.start) <= 0.01:
            raise DataError(f"{item.name} has no window that starts at {item.start:g}; the nearest starts at {starts[nearest]:g}")
        return torch.from_numpy(self.library.z[nearest])

    def nearest(self, queries: Tensor, k: int, skip: Iterable[Item] = ()) -> list[list[Found]]:
        library, out = self.library, sorted({i for item in skip for i in self.rows(item)})
        k = min(k, len(library) - len(out))
        if k < 1:
            raise DataError("the map holds nothing besides what the expression names")
        asked = queries.numpy().astype(np.float32)
        best: list[np.ndarray] = []
        for first in range(0, len(library), BLOCK):
            far = library.square[first : first + BLOCK] - 2 * (asked @ library.z[first : first + BLOCK].T)
            far[:, [i - first for i in out if first <= i < first + BLOCK]] = np.inf
            best.append(np.argpartition(far, min(k, far.shape[1]) - 1, axis=1)[:, :k] + first)
        kept = np.concatenate(best, 1)
        answers = []
        for query, some in zip(asked, kept, strict=True):
            some = some[~np.isin(some, out)]
            exact = np.linalg.norm(library.z[some].astype(np.float64) - query, axis=1)
            order = exact.argsort(kind="stable")[:k]
            answers.append([self._found(int(some[i]), float(exact[i])) for i in order])
        return answers

    def _found(self, i: int, distance: float) -> Found:
        starts = self.library.starts
        return Found(Path(self.library.files[i]), None if starts is None else float(starts[i]), distance, str(i))

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.from_numpy(self.library.z[torch.randint(len(self.library), (count,), generator=generator).numpy()])


def found(library: Library, here: Named, map_: Map, expression: str, k: int) -> schema.Found:
    """The search box's answer."""
    space = library.space
    answer = search(space, expression, here, max(k, MOST if library.calibration else k), calibration=library.calibration)
    place = None
    if not answer.refused:
        query = plan(expression, space).latents(here.place).sum(0)
        place = map_.place(query.numpy()).tolist()
    known = answer.candidates >= 0
    return schema.Found(
        hits=[schema.Hit(i=int(each.id), name=library.names[int(each.id)], distance=each.distance) for each in answer.found[:k]],
        candidates=[int(each.id) for each in answer.found if each.likely] if known else None,
        count=answer.candidates if known else None,
        level=answer.level if known else None, p=answer.p if answer.p == answer.p else None, refused=answer.refused or None,
        why=_why(answer), place=place,
    )  # fmt: skip


def _why(answer: Answer) -> str:
    if answer.refused:
        return ""
    if answer.candidates >= 0:
        many = f"one of {answer.candidates} points" if answer.candidates > 1 else "this point"
        return f"if the answer is on the map, it is {many} with probability {answer.level:.0%} or more, over songs"
    return answer.note
