"""The index to files and back: Parquet, npz, npy, FAISS, and points as Qdrant has them. No format runs code when it is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._errors import ArtefactError, DataError, OplasError
from .._watch import bar
from ..data.files import whole
from ..space import Space
from . import _formats, _rows
from ._formats import Chunk
from .answers import Added
from .identity import Identity
from .index import Index

_READERS: dict[str, Callable[[Path], Iterator[Chunk]]] = {
    ".parquet": _formats.parquet,
    ".npz": _formats.npz,
    ".npy": _formats.npy,
    ".faiss": _formats.faiss,
    ".json": _formats.points,
}
_WRITERS = {
    ".parquet": _formats.to_parquet,
    ".npz": _formats.to_npz,
    ".npy": _formats.to_npy,
    ".faiss": _formats.to_faiss,
    ".json": _formats.to_points,
}


def export(index: Index, path: str | os.PathLike[str], where: str | None = None) -> int:
    """Write rows as the ending says, whole or not at all; returns how many.

    - ``.parquet``: a row each, vectors in ``embedding``; :func:`oplas.encoders.load_embeddings` reads it, too
    - ``.npz``: ``embeddings``, ``ids``, ``source`` (the file), ``song``, ``start`` (s, NaN where there is none), ``tags``
    - ``.npy``, ``.faiss``: vectors, a flat FAISS index of them; the rest in ``NAME.rows.json`` beside it
    - ``.json``: ``{"points": [{"id", "vector", "payload"}, ...]}``, as Qdrant takes them

    Raises:
        DataError: another ending, no rows, or the file cannot be written.
        MissingDependency: faiss is not installed.
    """
    path = Path(path)
    write = _WRITERS[_ending(path, _WRITERS)]
    if not (count := index.count(where)):
        raise DataError(f"no row of {index.where} {'fulfils ' + where if where else 'is there'}, so nothing is written")
    rows = index.table([*_rows.COLUMNS, "vector"], where)
    with bar(f"writing {path.name}"), whole(path) as fresh:
        write(rows, index.identity, fresh, path)
    return count


def load(index: Index, path: str | os.PathLike[str], space: Space | Identity | None = None) -> Added:
    """Add the rows of a file, as the ending says; those that are there are skipped.

    A file that :func:`export` wrote names its space. For any other file ``space`` says which it is from; where it is not said,
    the vectors themselves are asked.

    Raises:
        ArtefactError: the file is damaged or of another kind, or its vectors are another space's.
        DataError, ShapeError: as :meth:`Index.add`; or another ending.
        MissingDependency: faiss is not installed.
    """
    path = Path(path)
    read = _READERS[_ending(path, _READERS)]
    if not path.is_file():
        raise ArtefactError(f"there is no file {path}; check its name")
    claimed, total = Identity.of(space) if space is not None else None, Added(0, 0)
    with bar(f"reading {path.name}", unit="rows") as advance:
        for chunk in _told(path, read):
            columns = {"file": chunk.columns.get("file") or [f"{path.name}:{at}" for at in chunk.numbers], **chunk.columns}
            said = replace(index.identity, digest=chunk.space) if chunk.space else claimed
            total += index.insert(chunk.z, columns, said, what=f"rows of {path.name}")
            advance(len(chunk.z))
    index.tend()
    return total


def _ending(path: Path, known: dict[str, Any]) -> str:
    if (ending := path.suffix.lower()) not in known:
        raise DataError(f"{path} ends in {ending!r}; an index is read from and written to {', '.join(known)}")
    return ending


def _told(path: Path, read: Callable[[Path], Iterator[Chunk]]) -> Iterator[Chunk]:
    try:
        some = False
        for chunk in read(path):
            some = True
            yield chunk
        if not some:
            raise DataError(f"{path} holds no rows")
    except OplasError:
        raise
    except Exception as error:  # every library raises kinds of its own for a damaged file
        size = path.stat().st_size
        fact = f"{path} ({size} bytes) could not be read as {path.suffix} ({str(error).splitlines()[0] if str(error) else error!r})"
        raise ArtefactError(f"{fact}; it is damaged or of another kind: get a fresh copy") from error
