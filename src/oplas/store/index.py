"""The index: latents in LanceDB, with what is known of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from .._errors import ArtefactError, DataError
from ..space import Space
from . import _lance, _near, _rows
from ._rows import Array, Text
from .answers import Added, Hit, Version
from .identity import Identity, guard


class Index:
    """Latents of one space with file, song, start (s) and tags, in a folder or at any address LanceDB takes, such as ``s3://``.

    Each change is one commit: a writer that is killed leaves the state before it or after it, and two writers do not lose
    each other's rows. A row is named by the hash of its content, so adding it twice adds it once. Up to 50 000 rows every
    distance is computed; above, rows lie in lists (IVF_FLAT), of which as many are opened as a recall of 0.99 asked for
    when they were built (:attr:`recall`).

    >>> import tempfile, torch
    >>> index = Index.create(tempfile.mkdtemp(), Identity("my model", 2))
    >>> index.add(torch.eye(2), file=["a.wav", "b.wav"])
    Added(count=2, skipped=0, replaced=0)
    >>> [hit.file for hit in index.nearest(torch.tensor([[0.9, 0.1]]), k=2)[0]]
    ['a.wav', 'b.wav']
    """

    def __init__(self, where: str, table: Any, identity: Identity, past: int | None = None) -> None:
        self.where, self.identity, self._table, self._past = where, identity, table, past
        self._search = _near.Search(table)

    @classmethod
    def create(cls, where: str | os.PathLike[str], space: Space | Identity) -> Index:
        """A new, empty index for the latents of ``space``.

        Raises:
            ArtefactError: something is there already, or the place cannot be written.
            MissingDependency: LanceDB is not installed.
        """
        identity = Identity.of(space)
        return cls(str(where), _lance.create(str(where), identity), identity)

    @classmethod
    def open(cls, where: str | os.PathLike[str], space: Space | Identity | None = None) -> Index:
        """The index at ``where``; with ``space``, only if it holds that space's latents.

        Raises:
            ArtefactError: there is no index, it is damaged, or it holds latents of another space.
            MissingDependency: LanceDB is not installed.
        """
        table, identity = _lance.open(str(where))
        index = cls(str(where), table, identity)
        if space is not None:
            index.belongs(space)
        return index

    @staticmethod
    def exists(where: str | os.PathLike[str]) -> bool:
        """Whether there is an index at ``where``."""
        return _lance.exists(str(where))

    @property
    def width(self) -> int:
        """Dimensions of the latents."""
        return self.identity.width

    @property
    def version(self) -> int:
        """The number of the state that is read."""
        with _lance.told(self.where):
            return int(self._table.version)

    @property
    def recall(self) -> float:
        """Share of the true nearest that :meth:`nearest` finds: 1 where every distance is computed, else as measured when the
        lists were built."""
        found = _near.lists(self._table)
        return 1.0 if found is None or len(self) <= _near.EXACT else found.recall

    def __len__(self) -> int:
        return self.count()

    def count(self, where: str | None = None) -> int:
        """How many rows there are, or fulfil a filter."""
        with _lance.told(self.where, where):
            return int(self._table.count_rows(where))

    def belongs(self, space: Space | Identity) -> None:
        """Raise an ArtefactError unless the index holds latents of ``space``."""
        if (other := Identity.of(space)) != self.identity:
            raise ArtefactError(
                f"{self.where} holds {self.identity}, not {other}: distances between the two mean nothing; "
                "open it with its own space, create another index, or translate first"
            )

    def add(
        self,
        z: Array,
        *,
        file: Text,
        start: float | Sequence[float | None] | Array | None = None,
        song: Text = None,
        tags: Sequence[str] | Sequence[Sequence[str]] | None = None,
        id: Sequence[str] | None = None,
        content: Text = None,
        space: Space | Identity | None = None,
    ) -> Added:
        """Add rows in one commit; when it returns they are kept, whatever happens next. Rows that are there are skipped.

        Args:
            z: ``[n, width]``.
            file, start (s), song, tags: one for all rows, or one for each.
            id: names of the rows; default a hash of space, file, start and vector.
            content: hash of the file's bytes, where it is known.
            space: where the latents are from. Where it is not said, they have to show it: their coordinates are compared with
                those of rows that are there (:func:`oplas.measure.unpaired.unpaired`), which takes 12 of each.

        Raises:
            ShapeError: another width, or not one value for each row.
            DataError: no rows, NaN, infinity, or a row of zeros.
            ArtefactError: the latents are another space's, or do not show that they are this one's; or the place cannot be
                written.
        """
        given = {"id": id, "file": file, "song": song, "start": start, "tags": tags, "content": content}
        added = self.insert(z, {name: value for name, value in given.items() if value is not None}, space)
        self.tend()
        return added

    def add_files(
        self,
        space: Space,
        files: Iterable[str | os.PathLike[str]],
        *,
        hop: float | None = None,
        song: Literal["file", "folder"] = "file",
        tags: Sequence[str] | None = None,
        advance: Callable[[float], object] | None = None,
    ) -> Added:
        """Add the windows of sound files, named by their absolute paths; each file wholly or not at all.

        Files that are there already, with the same bytes and the same ``hop``, are not embedded again: a run that was stopped
        goes on where it stopped. Rows of a file whose bytes have changed give way to the new ones. Silent windows are left out,
        and a file that cannot be used is named in a warning.

        Args:
            hop: seconds from one window to the next; default end to end.
            song: which song a file belongs to: its own, or that of its folder (``song/stem.wav``).
            tags: for every row.
            advance: told of each file that is done.

        Raises:
            ArtefactError: the index holds another space's latents.
            DataError: none of the files can be used.
        """
        from ._files import add_files

        self._writable()
        self.belongs(space)
        return add_files(self, space, map(Path, files), hop, song, tags, advance or (lambda done: None))

    def insert(self, z: Array, columns: dict[str, Any], space: Space | Identity | None = None, what: str = "rows") -> Added:
        """:meth:`add` with the columns as a dictionary, and without :meth:`tend`: for many calls in a row."""
        self._writable()
        array = _rows.vectors(z, self.width, what)
        if space is not None:
            self.belongs(space)
        else:
            guard(self.where, self._search.some(), array)
        full = {name: _rows.spread(columns.get(name), len(array), name) for name in _rows.COLUMNS}
        rows = _rows.table(array, self.identity, full, named=columns.get("id") is not None)
        with _lance.told(self.where):
            new = int(self._table.merge_insert("id").when_not_matched_insert_all().execute(rows).num_inserted_rows)
        return Added(new, len(array) - new)

    def nearest(self, queries: Array, k: int = 10, where: str | None = None) -> list[list[Hit]]:
        """The k rows nearest to each query, ``[m, width]``, nearest first; fewer where fewer rows are there.

        Raises:
            ShapeError: another width.
            DataError: NaN, infinity or zeros; the filter cannot be used; k < 1.
        """
        asked = _rows.vectors(queries, self.width, "queries")
        if k < 1:
            raise DataError(f"{k} answers were asked for; ask for at least 1")
        with _lance.told(self.where, where):
            rows, which, far = self._search(asked, k, where)
        answers: list[list[Hit]] = [[] for _ in asked]
        for number, row, distance in zip(which, rows.select(_HIT).to_pylist(), far, strict=True):
            answers[number].append(Hit(**{**row, "tags": tuple(row["tags"] or ())}, distance=distance))
        return answers

    def vectors(self, where: str | None = None) -> tuple[list[str], Tensor]:
        """Ids and latents ``[n, width]`` of all rows, or of those that fulfil a filter."""
        with _lance.told(self.where, where):
            rows = _near.read(self._table, ["id", "vector"], where)
        return rows["id"].to_pylist(), _rows.tensor(rows)

    def table(self, columns: Sequence[str] | None = None, where: str | None = None, limit: int | None = None) -> Any:
        """Rows as an Arrow table, all columns but the vectors unless they are named, in the order of :meth:`vectors`.

        Args:
            limit: how many at most.

        Raises:
            DataError: there is no such column, or the filter cannot be used.
        """
        wanted = list(columns or _rows.COLUMNS)
        if strange := [name for name in wanted if name not in (*_rows.COLUMNS, "vector")]:
            raise DataError(f"there is no column {', '.join(strange)}; there are {', '.join((*_rows.COLUMNS, 'vector'))}")
        with _lance.told(self.where, where):
            return _near.read(self._table, wanted, where, limit)

    def update(self, where: str, values: dict[str, Any]) -> int:
        """Set file, song, start or tags of the rows that fulfil a filter; returns how many there were.

        Raises:
            DataError: another column is named, or the filter cannot be used.
        """
        self._writable()
        if not values or set(values) - {"file", "song", "start", "tags"}:
            listed = ", ".join(values) or "nothing"
            raise DataError(f"{listed} cannot be updated; file, song, start and tags can, the rest is content")
        values = {name: list(value) if name == "tags" and value is not None else value for name, value in values.items()}
        with _lance.told(self.where, where):
            return int(self._table.update(where=where, values=values).rows_updated)

    def delete(self, where: str) -> int:
        """Delete the rows that fulfil a filter; returns how many. Earlier versions keep them until :meth:`compact`."""
        self._writable()
        with _lance.told(self.where, where):
            return int(self._table.delete(where).num_deleted_rows)

    def versions(self) -> list[Version]:
        """Every state that can be gone back to, oldest first."""
        with _lance.told(self.where):
            listed = self._table.list_versions()
        return [Version(each["version"], each["timestamp"], int(each["metadata"].get("total_rows", 0))) for each in listed]

    def at(self, version: int) -> Index:
        """The index as it was, to read.

        Raises:
            ArtefactError: that version was compacted away, or never was.
        """
        table, identity = _lance.open(self.where)
        with _lance.told(self.where):
            table.checkout(version)
        return Index(self.where, table, identity, version)

    def compact(self, keep: timedelta = timedelta(days=7)) -> None:
        """Join small files, bring the lists up to date, and forget versions older than ``keep``; who still reads one fails."""
        self._writable()
        with _lance.told(self.where), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keep = 0, in words of its own
            self._table.optimize(cleanup_older_than=keep)
        self.tend()

    def tend(self) -> None:
        """Lists where there are rows enough: new ones once the rows have doubled, else the new rows put into the old."""
        if (n := len(self)) <= _near.EXACT:
            return
        with _lance.told(self.where):
            if (found := _near.lists(self._table)) is None or n >= 2 * found.trained:
                _near.build(self._table)
            elif n - self._table.index_stats("vector_idx").num_indexed_rows > _near.EXACT:
                self._table.optimize(cleanup_older_than=timedelta(days=7))

    def _writable(self) -> None:
        if self._past is not None:
            raise ArtefactError(
                f"{self.where} is open at its version {self._past}, which is past; open the index itself to change it"
            )


_HIT = ["id", "file", "song", "start", "tags"]
