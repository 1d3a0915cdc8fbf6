"""Statistics of more pairs than memory holds: from batches, loaders and files; kept in a file of their own, merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .. import _artefact
from .._errors import DataError, ShapeError
from .._tables import table
from ..functional.pairs import PairStatistics
from .rows import Array, float64, refuse_sick

_KIND = "pair statistics"
BLOCK = 16384
"""Rows of arrays that are taken to float64 at a time."""


def gather(source: Array | Iterable[tuple[Array, Array]], other: Array | None = None) -> PairStatistics:
    """Statistics of two arrays, ``gather(X, Y)``, or of batches of both, ``gather(loader)``, seen once and let go.

    Workers gather apart and add what they found: ``gather(mine) + gather(theirs)``.

    Args:
        source: rows ``[n, d]``; or batches ``(x, y)`` as a torch ``DataLoader`` gives them (what follows is left unread).
        other: rows ``[n, e]``, with rows in ``source``.

    Raises:
        ShapeError: rows differ in number within a batch, or dimensions between batches.
        DataError: NaN or infinity, or no batch at all.
    """
    found: PairStatistics | None = None
    first = 0
    for batch in source if other is None else _slices(source, other):
        x, y = (float64(each).detach() for each in (batch[0], batch[1]))
        place = f"X, Y from row {first} on"
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
            raise ShapeError(f"{place}: the shapes are {list(x.shape)} and {list(y.shape)}; rows of both, as many of each")
        for name, rows in (("X", x), ("Y", y)):
            refuse_sick(rows, f"{name} (a batch from row {first} on)")
        found = found or PairStatistics.empty(x.shape[1], y.shape[1], x.device)
        found.update(x, y)
        first += len(x)
    if found is None:
        raise DataError("there was no batch to learn from; a generator can be read only once")
    return found


def paired(x: str | Path, y: str | Path | None = None, *, columns: tuple[str, str] | None = None) -> Iterator[tuple[Array, Array]]:
    """Batches for :func:`gather` from files of vectors: ``.npy``, ``.npz`` or ``.parquet``, a block of rows in memory at a time.

    Args:
        x: the file of the source's vectors.
        y: that of the target's, row by row the same; by default the same file.
        columns: the source's and the target's column; needed where a file holds more than one.

    Raises:
        ArtefactError: a file is missing or damaged.
        ShapeError: there is no such column, its lists differ in length, or the files in rows.
        DataError: NaN or infinity.
        MissingDependency: pyarrow, which reads Parquet, is not installed.
    """
    first, last = columns or (None, None)
    there, here = table(x, first), table(x if y is None else y, last)
    if y is None and first == last:
        raise DataError(f"{x} holds both sides of the pairs; name its two columns: columns=('a', 'b')")
    if there.rows != here.rows:
        raise ShapeError(f"{x} has {there.rows} rows and {y} has {here.rows}; row i of both must mean the same")
    return zip(there.blocks(), here.blocks(), strict=True)


def save_statistics(statistics: PairStatistics, path: str | Path) -> Path:
    """Write statistics as one safetensors file, whole or not at all."""
    return _artefact.save_file(Path(path), statistics.state(), {}, kind=_KIND)


def load_statistics(path: str | Path) -> PairStatistics:
    """Read what :func:`save_statistics` wrote.

    Raises:
        ArtefactError: the file is missing, damaged, changed or of another kind.
    """
    return PairStatistics.from_state(_artefact.load_file(Path(path), kind=_KIND)[0])


def _slices(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    if len(x) != len(y):
        raise ShapeError(f"X has {len(x)} rows and Y has {len(y)}; row i of both must mean the same, so give as many of each")
    return ((x[at : at + BLOCK], y[at : at + BLOCK]) for at in range(0, len(x), BLOCK))
