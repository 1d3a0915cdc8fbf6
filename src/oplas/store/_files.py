"""Sound files into the index, whole files at a time."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from .._errors import DataError
from ..embed import Windows, embed_all
from ..space import Space
from . import _rows
from .answers import Added

if TYPE_CHECKING:
    from .index import Index

_ROWS, _SECONDS = 1024, 5.0  # a commit is due after so many rows, or so long


def add_files(
    index: Index,
    space: Space,
    files: Iterable[Path],
    hop: float | None,
    song: str,
    tags: Sequence[str] | None,
    advance: Callable[[float], object],
) -> Added:
    """What :meth:`Index.add_files` does."""
    there = _there(index)
    total = Added(0, 0)
    marks: dict[Path, str] = {}
    waiting: list[Windows] = []

    def unknown() -> Iterator[Path]:
        nonlocal total
        for path in dict.fromkeys(map(Path.resolve, files)):
            marks[path] = _mark(path, hop)
            if rows := there.get(str(path), {}).get(marks[path]):
                total += Added(0, rows, _forget(index, path, marks[path], there))
                advance(1)
            else:
                yield path

    def commit() -> None:
        nonlocal total
        if waiting:
            total += _add(index, waiting, marks, song, tags)
            for each in waiting:
                total += Added(0, 0, _forget(index, each.file, marks[each.file], there))
            waiting.clear()

    todo = unknown()
    if (first := next(todo, None)) is None:
        return total
    last = time.monotonic()
    try:
        for windows in embed_all(space, chain([first], todo), hop):
            waiting.append(windows)
            if sum(len(each.z) for each in waiting) >= _ROWS or time.monotonic() - last > _SECONDS:
                commit()
                last = time.monotonic()
            advance(1)
    except DataError:
        if not total.skipped:  # files that were there already are files that can be used
            raise
    finally:
        commit()
    return total


def _add(index: Index, waiting: list[Windows], marks: dict[Path, str], song: str, tags: Sequence[str] | None) -> Added:
    z = torch.cat([each.z for each in waiting])
    path = [each.file for each in waiting for _ in each.start]
    start = torch.cat([each.start for each in waiting])
    sounds = z.any(1)
    if silent := int((~sounds).sum()):
        warnings.warn(f"left out: {silent} silent windows of {len(z)}", stacklevel=4)
    kept = sounds.nonzero().flatten().tolist()
    named = [path[row] for row in kept]
    return index.add(
        z[sounds],
        space=index.identity,
        file=list(map(str, named)),
        start=start[sounds],
        song=[each.stem if song == "file" else each.parent.name for each in named],
        tags=tags,
        content=[marks[each] for each in named],
        id=[
            _rows.content_hash(index.identity, str(each), marks[each], float(start[row]))
            for each, row in zip(named, kept, strict=True)
        ],
    )


def _there(index: Index) -> dict[str, dict[str, int]]:
    """How many rows of each file there are, by the hash of its bytes."""
    counted = index.table(["file", "content"], "content IS NOT NULL").group_by(["file", "content"]).aggregate([([], "count_all")])
    found: dict[str, dict[str, int]] = {}
    for row in counted.to_pylist():
        found.setdefault(row["file"], {})[row["content"]] = row["count_all"]
    return found


def _forget(index: Index, path: Path, mark: str, there: dict[str, dict[str, int]]) -> int:
    """Delete the rows of what the file was before its bytes changed."""
    digest = mark.partition("@")[0]
    stale = [each for each in there.get(str(path), {}) if each.partition("@")[0] != digest]
    return index.delete(_rows.where(file=str(path), content=stale)) if stale else 0


def _mark(path: Path, hop: float | None) -> str:
    """What a file's rows are made of: its bytes, and how its windows were cut. Empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError:
        return ""  # embedding says what is wrong with it
    return digest if hop is None else f"{digest}@{hop:g}"
