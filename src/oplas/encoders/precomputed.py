"""Codes a user already has: read from a file, checked, and used as they are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .._errors import ArtefactError, DataError, MissingDependency, ShapeError
from .base import Encoder


class Precomputed(Encoder):
    """The identity: the "windows" given to it are codes already. It has no sampling rate (``rate`` is 0).

    Shape:
        - x, y: ``[batch, dim]``

    Args:
        origin: code of silence, ``[dim]``, where it is known; else zero.

    >>> Precomputed(2).encode(torch.tensor([[1.0, 2.0]]))
    tensor([[1., 2.]])
    """

    origin: Tensor

    def __init__(self, dim: int, origin: Tensor | None = None) -> None:
        super().__init__()
        self.name, self.rate, self.samples, self.dim = f"precomputed({dim})", 0, dim, dim
        if origin is not None and origin.shape != (dim,):
            raise ShapeError(f"the origin of codes of {dim} numbers is [{dim}]; this one is {list(origin.shape)}")
        self.register_buffer("origin", torch.zeros(dim) if origin is None else origin.detach().float())

    def forward(self, x: Tensor) -> Tensor:
        return x

    def silence(self) -> Tensor:
        return self.origin[None].clone()


def load_embeddings(path: str | os.PathLike[str]) -> tuple[Tensor, tuple[str, ...]]:
    """Codes ``[n, dim]`` (float32) and one id a row, from ``.npy``, ``.npz`` or ``.parquet``.

    - ``.npy``: one array ``[n, dim]``; ids are the row numbers.
    - ``.npz``: the array ``embeddings`` (or the only one with two axes), and ``ids`` if there is one.
    - ``.parquet``: the column ``embedding`` of lists of equal length (or the only such column), and ``id`` if there is one.

    Raises:
        ArtefactError: there is no such file, or it is damaged or of another kind.
        DataError: it is empty, holds NaN or infinity, all its rows are alike, or an id comes twice.
        ShapeError: the array is not ``[n, dim]``, or rows or ids differ in number or length.
        MissingDependency: pyarrow, which reads Parquet, is not installed.
    """
    path = Path(path)
    readers = {".npy": _npy, ".npz": _npz, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise ArtefactError(f"{path} is none of {', '.join(readers)}; save the embeddings as one of these")
    if not path.is_file():
        raise ArtefactError(f"there is no file {path}; check the path")
    try:
        array, ids = readers[path.suffix.lower()](path)
    except (DataError, ShapeError, MissingDependency):
        raise
    except Exception as error:  # numpy and pyarrow raise many kinds for a damaged file
        raise ArtefactError(
            f"{path} ({path.stat().st_size} bytes) could not be read as {path.suffix} ({error}); it is damaged or of another kind: "
            "save it again, without Python objects"
        ) from error
    _check(path, array, ids)
    return torch.from_numpy(array.astype(np.float32)), tuple(map(str, ids))


def _npy(path: Path) -> tuple[np.ndarray, list]:
    array = np.load(path, allow_pickle=False)
    return array, list(range(len(array) if array.ndim else 0))


def _npz(path: Path) -> tuple[np.ndarray, list]:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    tables = [name for name, array in arrays.items() if array.ndim == 2]
    name = "embeddings" if "embeddings" in arrays else tables[0] if len(tables) == 1 else None
    if name is None:
        raise ShapeError(f"{path} holds {', '.join(arrays) or 'nothing'}; name the array [n, dim] 'embeddings'")
    return arrays[name], list(arrays["ids"]) if "ids" in arrays else list(range(len(arrays[name])))


def _parquet(path: Path) -> tuple[np.ndarray, list]:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency(f"reading {path} needs pyarrow, which is not installed: pip install pyarrow") from error
    table = pyarrow.parquet.read_table(path)
    kinds = pyarrow.types
    lists = [
        field.name
        for field in table.schema
        if kinds.is_list(field.type) or kinds.is_fixed_size_list(field.type) or kinds.is_large_list(field.type)
    ]
    name = "embedding" if "embedding" in lists else lists[0] if len(lists) == 1 else None
    if name is None:
        raise ShapeError(f"{path} has the columns {', '.join(table.column_names)}; name the column of lists 'embedding'")
    column = table.column(name)
    lengths = pyarrow.compute.unique(pyarrow.compute.list_value_length(column)).to_pylist()
    if len(lengths) > 1 or None in lengths:
        raise ShapeError(f"{path}: the lists in '{name}' have the lengths {lengths[:5]}; every row needs the same number")
    values = pyarrow.compute.list_flatten(column).to_numpy()
    ids = table.column("id").to_pylist() if "id" in table.column_names else list(range(len(column)))
    return values.reshape(len(column), lengths[0] if lengths else 0), ids


def _check(path: Path, array: np.ndarray, ids: list) -> None:
    if array.size == 0:
        raise DataError(f"{path} holds no embeddings (shape {list(array.shape)}); save at least two rows")
    if array.ndim != 2 or not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise ShapeError(f"{path} holds {array.dtype} of shape {list(array.shape)}; embeddings are numbers [n, dim]")
    if len(ids) != len(array):
        raise ShapeError(f"{path} holds {len(array)} embeddings and {len(ids)} ids; give every row one id")
    if len(set(map(str, ids))) < len(ids):
        raise DataError(f"{path} holds {len(ids) - len(set(map(str, ids)))} ids twice; make them distinct")
    with np.errstate(over="ignore"):
        sick = np.flatnonzero(~np.isfinite(array.astype(np.float32)).all(1))
    if len(sick):
        raise DataError(
            f"{path}: {len(sick)} of {len(array)} embeddings hold NaN or infinity, the first at row {sick[0]} (id {ids[sick[0]]}); "
            "leave these rows out"
        )
    if len(array) > 1 and (array == array[0]).all():
        raise DataError(f"{path}: all {len(array)} embeddings are the same; the encoder that made them may be broken")
