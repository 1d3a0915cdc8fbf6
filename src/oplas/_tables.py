"""Tables of vectors too large for memory: ``.npy``, ``.npz`` and ``.parquet``, read a block of rows at a time."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import ArtefactError, DataError, MissingDependency, ShapeError

BLOCK = 16384
"""Rows in memory at a time."""


class Table(ABC):
    """A column of vectors in a file.

    Attributes:
        column: its name; empty for ``.npy``.
        rows, dim, dtype: what it holds.
        ids: the column of ids there is beside it, or None.
    """

    path: Path
    column: str = ""
    rows: int
    dim: int
    dtype: np.dtype
    ids: str | None = None

    def blocks(self, size: int = BLOCK, start: int = 0) -> Iterator[np.ndarray]:
        """Blocks ``[<= size, dim]`` from row ``start`` (a multiple of ``size``), each checked.

        Raises:
            DataError: a row holds NaN or infinity.
            ArtefactError: the file ends before its rows do.
        """
        at = start
        for block in self._blocks(size, start):
            with np.errstate(over="ignore"):
                sick = np.flatnonzero(~np.isfinite(block).all(1))
            if len(sick):
                fact = f"{self.path}: row {at + int(sick[0])} holds NaN or infinity ({len(sick)} such rows in this block)"
                raise DataError(f"{fact}; leave them out")
            at += len(block)
            yield block
        if at != self.rows:
            raise ArtefactError(f"{self.path} promises {self.rows} rows and holds {at}; it is truncated: get a fresh copy")

    def names(self, size: int = BLOCK) -> Iterator[list[str]]:
        """Ids of the rows, a block at a time; none where there is no such column."""
        yield from ()

    def take(self, index: np.ndarray) -> np.ndarray:
        """The rows at ``index``, in that order, read in one pass."""
        order = np.argsort(index, kind="stable")
        made, at, done = np.empty((len(index), self.dim), self.dtype), 0, 0
        for block in self.blocks():
            last = int(np.searchsorted(index[order], at + len(block)))
            made[order[done:last]] = block[index[order[done:last]] - at]
            at, done = at + len(block), last
        return made

    @abstractmethod
    def _blocks(self, size: int, start: int) -> Iterator[np.ndarray]: ...


def table(path: str | Path, column: str | None = None) -> Table:
    """Open a file of vectors; nothing but its description is read.

    ``.npz``: the array named, else ``embeddings`` or the only one with two axes. ``.parquet``: the column of lists named, else
    ``embedding`` or the only such column.

    Raises:
        ArtefactError: there is no such file, or it is damaged or of another kind.
        ShapeError: there is no such column, or it holds no vectors.
        DataError: it is empty.
        MissingDependency: pyarrow, which reads Parquet, is not installed.
    """
    path = Path(path)
    kinds: dict[str, Any] = {".npy": Npy, ".npz": Npz, ".parquet": Parquet}
    if path.suffix.lower() not in kinds:
        raise ArtefactError(f"{path} is none of {', '.join(kinds)}; save the vectors as one of these")
    if not path.is_file():
        raise ArtefactError(f"there is no file {path}; check the path")
    try:
        made: Table = kinds[path.suffix.lower()](path, column)
    except (DataError, ShapeError, MissingDependency):
        raise
    except Exception as error:  # numpy, zipfile and pyarrow raise many kinds for a damaged file
        seen = f"{path} ({path.stat().st_size} bytes) could not be read as {path.suffix} ({error})"
        raise ArtefactError(f"{seen}; it is damaged: save it again") from error
    if not made.rows or not made.dim:
        raise DataError(f"{path} holds no vectors ({made.rows} rows of {made.dim} numbers)")
    return made


class Npy(Table):
    def __init__(self, path: Path, column: str | None) -> None:
        self.path = path
        self._array = np.load(path, mmap_mode="r", allow_pickle=False)
        self.rows, self.dim, self.dtype = _described(path, self._array.shape, self._array.dtype)

    def _blocks(self, size: int, start: int) -> Iterator[np.ndarray]:
        for at in range(start, self.rows, size):
            yield np.array(self._array[at : at + size])


class Npz(Table):
    def __init__(self, path: Path, column: str | None) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            held = {name.removesuffix(".npy"): _header(archive, name) for name in archive.namelist()}
        tables = [name for name, (shape, _, _) in held.items() if len(shape) == 2]
        self.column = column or ("embeddings" if "embeddings" in held else tables[0] if len(tables) == 1 else "")
        if self.column not in held:
            raise ShapeError(f"{path} holds {', '.join(held) or 'nothing'}; name the array of vectors with --column")
        shape, fortran, dtype = held[self.column]
        if fortran:
            raise ShapeError(f"{path}: '{self.column}' is in column order; save np.ascontiguousarray of it")
        self.rows, self.dim, self.dtype = _described(path, shape, dtype)
        self.ids = "ids" if "ids" in held else None
        self.others = [name for name in held if name != self.column]

    def _blocks(self, size: int, start: int) -> Iterator[np.ndarray]:
        width = self.dim * self.dtype.itemsize
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.column}.npy") as member:
            _describe(member)
            member.seek(start * width, 1)
            for at in range(start, self.rows, size):
                raw = member.read(min(size, self.rows - at) * width)
                yield np.frombuffer(raw[: len(raw) // width * width], self.dtype).reshape(-1, self.dim)

    def names(self, size: int = BLOCK) -> Iterator[list[str]]:
        if self.ids:
            with np.load(self.path, allow_pickle=False) as archive:
                whole = archive[self.ids]
            yield from ([str(each) for each in whole[at : at + size]] for at in range(0, len(whole), size))


class Parquet(Table):
    def __init__(self, path: Path, column: str | None) -> None:
        self.path = path
        file, types = parquet().ParquetFile(path), arrow().types
        lists = [each.name for each in file.schema_arrow
                 if types.is_list(each.type) or types.is_fixed_size_list(each.type) or types.is_large_list(each.type)]  # fmt: skip
        self.column = column or ("embedding" if "embedding" in lists else lists[0] if len(lists) == 1 else "")
        if self.column not in lists:
            raise ShapeError(f"{path} has the columns {', '.join(file.schema_arrow.names)}; name the column of lists with --column")
        self.rows, self.columns = file.metadata.num_rows, list(file.schema_arrow.names)
        self.ids = "id" if "id" in file.schema_arrow.names else None
        first = next(file.iter_batches(1, columns=[self.column]), None)
        shape = (self.rows, len(first.column(0)[0]) if first is not None and first.column(0)[0].as_py() is not None else 0)
        kind = file.schema_arrow.field(self.column).type.value_type
        self.rows, self.dim, self.dtype = _described(path, shape, np.dtype(kind.to_pandas_dtype()))

    def batches(self, size: int, start: int = 0, columns: list[str] | None = None) -> Iterator[Any]:
        """Record batches of all columns, cut at multiples of ``size`` rows whatever the row groups are."""
        file = parquet().ParquetFile(self.path)
        groups: list[int] = []
        at = 0
        for index in range(file.num_row_groups):
            rows = file.metadata.row_group(index).num_rows
            if groups or at + rows > start:
                groups.append(index)
            else:
                at += rows
        skip, held, count = start - at, [], 0
        for batch in file.iter_batches(size, row_groups=groups, columns=columns):
            cut = min(skip, len(batch))
            skip, batch = skip - cut, batch.slice(cut)
            while len(batch):
                part = batch.slice(0, size - count)
                held.append(part)
                count, batch = count + len(part), batch.slice(len(part))
                if count == size:
                    yield arrow().Table.from_batches(held)
                    held, count = [], 0
        if held:
            yield arrow().Table.from_batches(held)

    def vectors(self, block: Any, at: int) -> np.ndarray:
        """The column of a block as an array; ``at`` is its first row, for the message."""
        import pyarrow.compute as compute

        column = block.column(self.column)
        lengths = np.asarray(compute.fill_null(compute.list_value_length(column), -1))
        odd = np.flatnonzero(lengths != self.dim)
        if len(odd):
            seen = "nothing" if lengths[odd[0]] < 0 else f"{lengths[odd[0]]} numbers"
            raise ShapeError(f"{self.path}: row {at + int(odd[0])} of '{self.column}' holds {seen}, the first {self.dim}; mend it")
        flat = compute.list_flatten(column)
        if flat.null_count:
            fact = f"{self.path}: {flat.null_count} numbers of '{self.column}' are missing from row {at} on"
            raise DataError(f"{fact}; leave those rows out")
        return flat.to_numpy().reshape(-1, self.dim).astype(self.dtype, copy=False)

    def _blocks(self, size: int, start: int) -> Iterator[np.ndarray]:
        at = start
        for block in self.batches(size, start, [self.column]):
            yield self.vectors(block, at)
            at += len(block)

    def names(self, size: int = BLOCK) -> Iterator[list[str]]:
        if self.ids:
            for block in self.batches(size, 0, [self.ids]):
                yield [str(each) for each in block.column(0).to_pylist()]


def arrow() -> Any:
    """pyarrow, or a word on how to get it."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingDependency("Parquet needs pyarrow, which is not installed: pip install 'oplas[store]', or use .npz") from error
    return pyarrow


def parquet() -> Any:
    arrow()
    import pyarrow.parquet

    return pyarrow.parquet


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    with archive.open(name) as member:
        return _describe(member)


def _describe(member: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(member)


def _described(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, int, np.dtype]:
    if len(shape) != 2 or dtype.kind not in "fiu":
        raise ShapeError(f"{path} holds {dtype} of shape {list(shape)}; vectors are numbers [n, dim]")
    return shape[0], shape[1], dtype
