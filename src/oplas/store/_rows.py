"""Rows of the index: checked, named by their content, filtered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError, MissingDependency, ShapeError
from .identity import Identity

#: What a row is, besides its vector.
COLUMNS = ("id", "file", "song", "start", "tags", "content")

Array = Tensor | np.ndarray
Text = str | Sequence[str | None] | None


def arrow() -> Any:
    """pyarrow, which comes with LanceDB."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingDependency("the index needs pyarrow, which is not installed: pip install 'oplas[store]'") from error
    return pyarrow


def schema(width: int, metadata: dict[str, str] | None = None) -> Any:
    """The columns as Arrow has them. Lance lets two writers of one key through only once, if it knows which column is the key."""
    pa = arrow()
    fields = [
        pa.field("id", pa.string(), nullable=False, metadata={"lance-schema:unenforced-primary-key": "true"}),
        pa.field("file", pa.string()),
        pa.field("song", pa.string()),
        pa.field("start", pa.float64()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("content", pa.string()),
        pa.field("vector", pa.list_(pa.float32(), width)),
    ]
    return pa.schema(fields, metadata)


def vectors(z: Array, width: int, what: str = "rows") -> np.ndarray:
    """float32 ``[n, width]``, every row usable.

    Raises:
        ShapeError: another shape or width.
        DataError: no row, NaN or infinity, or a row of zeros.
    """
    array = z.detach().cpu().numpy() if isinstance(z, Tensor) else np.asarray(z)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise ShapeError(f"the {what} are {array.dtype} of shape {list(array.shape)}; give numbers [n, {width}]")
    if not len(array):
        raise DataError(f"there are no {what}; give at least one")
    if array.shape[1] != width:
        raise ShapeError(f"the {what} have {array.shape[1]} dimensions, the index holds {width}; embed them with its own space")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, np.float32)
    for bad, fact in ((~np.isfinite(array).all(1), "hold NaN or infinity"), (~array.any(1), "are zero, which is silence")):
        if bad.any():
            raise DataError(f"{bad.sum()} of {len(array)} {what} {fact}, the first is number {bad.argmax()}; leave them out")
    return array


def table(z: np.ndarray, identity: Identity, columns: dict[str, list[Any]], named: bool) -> Any:
    """An Arrow table of rows; where they are not named, ``id`` is the hash of space, file, start and vector. Each id comes once."""
    pa = arrow()
    if not named:
        facts = zip(columns["file"], columns["start"], z, strict=True)
        columns["id"] = [content_hash(identity, file, start, row.tobytes()) for file, start, row in facts]
    first = np.sort(np.unique(columns["id"], return_index=True)[1])
    flat = pa.FixedSizeListArray.from_arrays(pa.array(z.ravel()), identity.width)
    whole = pa.table({**{name: columns[name] for name in COLUMNS}, "vector": flat}, schema=schema(identity.width))
    return whole if len(first) == len(z) else whole.take(first)


def content_hash(identity: Identity, *parts: object) -> str:
    """Thirty-two hexadecimal digits that stand for these parts in this space."""
    digest = hashlib.sha256(identity.digest.encode())
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()[:32]


def spread(value: Any, n: int, name: str) -> list[Any]:
    """One value for each row, from one for all or from n.

    Raises:
        ShapeError: neither one nor n.
    """
    if name == "tags" and value is not None and all(isinstance(each, str) for each in value):
        value = [list(value)] * n if not isinstance(value, str) else [[value]] * n
    if value is None or isinstance(value, str | float | int):
        return [float(value) if name == "start" and value is not None else value] * n
    values = value.tolist() if isinstance(value, Tensor | np.ndarray) else list(value)
    values = [None if each is None else float(each) for each in values] if name == "start" else values
    if len(values) != n:
        raise ShapeError(f"{len(values)} values of '{name}' for {n} rows; give one for all, or one for each")
    return values


def matrix(rows: Any) -> np.ndarray:
    """The vectors of an Arrow table or batch, ``[n, width]``."""
    column = rows["vector"]
    column = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)


def tensor(rows: Any) -> Tensor:
    """The same, as a tensor of its own."""
    return torch.from_numpy(matrix(rows).copy())


def where(**columns: object) -> str:
    """A filter for rows whose columns equal these values, or are among them; quotes inside are no matter.

    >>> where(song="It's", start=2.0)
    "song = 'It''s' AND start = 2.0"
    >>> where(id=["a", "b"], tags="drums")
    "id IN ('a', 'b') AND array_has(tags, 'drums')"
    """
    return " AND ".join(_equal(name, value) for name, value in columns.items())


def _equal(name: str, value: object) -> str:
    if value is None:
        return f"{name} IS NULL"
    if name == "tags":
        return f"array_has(tags, {_quoted(value)})"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"{name} IN ({', '.join(map(_quoted, value))})"
    return f"{name} = {_quoted(value)}"


def _quoted(value: object) -> str:
    return repr(float(value)) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
