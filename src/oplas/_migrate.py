"""Vectors of a file or a folder translated block by block: constant memory, resumable, the answer written whole."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import _artefact
from ._errors import ArtefactError, DataError, OplasError, ShapeError
from ._tables import BLOCK, Npy, Npz, Parquet, Table, arrow, parquet, table
from .data.files import whole
from .translators.base import Translator

Tell = Callable[[int], object]
MARK = b"oplas.translated"


def migrate(
    translator: Translator,
    source: Path,
    out: Path,
    column: str | None = None,
    into: str | None = None,
    *,
    tell: Tell = lambda rows: None,
) -> int:
    """Translate every vector of ``source`` (a file, or a folder of Parquet files) and write ``out`` of the same kind.

    Translated blocks are kept in ``out.run`` until the answer is whole: after a kill the same call goes on from there.
    Everything else in the file (ids, texts, other columns) is copied.

    Args:
        into: name of the new column, the old one is kept; by default the translations take the old one's place.
        tell: is told the number of rows done.

    Returns:
        how many vectors were translated.

    Raises:
        ShapeError: the vectors have other dimensions than the translator was fitted on.
        DataError, ArtefactError: the file cannot be used, ``out`` cannot be written, or ``out.run`` is of another translation.
    """
    if not source.is_dir():
        return _file(translator, source, out, column, into, tell)
    files = sorted(path for path in source.rglob("*.parquet") if not path.name.startswith("."))
    if not files:
        raise DataError(f"{source} holds no .parquet file; name a file, or a folder of Parquet files")
    for path in files:
        table(path, column)  # whatever is wrong with one of them is said before any work
    return sum(_file(translator, path, out / path.relative_to(source), column, into, tell) for path in files)


def count(source: Path, column: str | None = None) -> tuple[int, int]:
    """Rows and dimensions of what :func:`migrate` would translate."""
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    opened = [table(path, column) for path in files]
    if not opened:
        raise DataError(f"{source} holds no .parquet file; name a file, or a folder of Parquet files")
    if len({each.dim for each in opened}) > 1:
        raise DataError(
            f"the files of {source} hold vectors of {sorted({each.dim for each in opened})} dimensions; they are several indexes"
        )
    return sum(each.rows for each in opened), opened[0].dim


def _file(translator: Translator, source: Path, out: Path, column: str | None, into: str | None, tell: Tell) -> int:
    opened = table(source, column)
    if out.suffix.lower() != source.suffix.lower():
        raise DataError(f"{out} ends in {out.suffix!r}, {source.name} in {source.suffix!r}; the answer has the kind of its source")
    if into is not None and isinstance(opened, Npy):
        raise DataError(f"{source.name} holds one array and cannot keep the old column beside the new; save it as .npz or .parquet")
    if into is not None and into == opened.column:
        raise DataError(f"the new column cannot be called {into!r}, as the old one is; give another name")
    if isinstance(opened, Parquet) and into in opened.columns:
        raise DataError(f"{source} has a column {into!r} already; give the new one another name")
    if opened.dim != translator.n_features_in_:
        fact = f"{source} holds vectors of {opened.dim} dimensions, {translator!r} was fitted on {translator.n_features_in_}"
        raise ShapeError(f"{fact}; give the index of that model")
    mark = _mark(translator, opened, into)
    if _done(out, mark):
        tell(opened.rows)
        return opened.rows
    run = out.with_name(f"{out.name}.run")
    _begin(run, mark)
    try:
        _translate(translator, opened, run, tell)
        with whole(out) as fresh:
            {Npy: _npy, Npz: _npz, Parquet: _parquet}[type(opened)](opened, run, fresh, into, mark)  # type: ignore[operator]
    except OplasError as error:
        if not isinstance(error.__cause__, OSError):  # a full disk can be freed; a sick file must change, and begin anew
            shutil.rmtree(run, ignore_errors=True)
        raise
    shutil.rmtree(run, ignore_errors=True)
    return opened.rows


def _translate(translator: Translator, opened: Table, run: Path, tell: Tell) -> None:
    """Blocks not yet in ``run``, in order."""
    kept = next(number for number in itertools.count() if not (run / f"{number:06}.npy").is_file())
    at = min(kept * BLOCK, opened.rows)
    tell(at)
    for number, block in enumerate(opened.blocks(BLOCK, at), kept):
        made = np.ascontiguousarray(translator.transform(block))
        if not np.isfinite(made).all():
            fact = f"{opened.path}: translations of rows {at} to {at + len(made)} are not finite in {made.dtype}"
            raise DataError(f"{fact}; save the vectors as float32")
        with whole(run / f"{number:06}.npy") as fresh:
            np.save(fresh, made)
        at += len(made)
        tell(len(made))


def _mark(translator: Translator, opened: Table, into: str | None) -> str:
    """What decides the answer: the translator, the source as it stands, the columns."""
    tensors, card = translator._state()
    digest = hashlib.sha256(json.dumps(_artefact.plain(card), sort_keys=True, default=str).encode())
    for key, value in sorted(tensors.items()):
        digest.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    seen = opened.path.stat()
    facts = (seen.st_size, seen.st_mtime_ns, opened.rows, opened.dim, opened.column, into, BLOCK)
    digest.update(repr(facts).encode())
    return digest.hexdigest()[:32]


def _begin(run: Path, mark: str) -> None:
    note = run / "run.json"
    if run.exists():
        try:
            known = json.loads(note.read_text())["mark"]
        except (OSError, ValueError, LookupError, TypeError):
            known = None
        if known == mark:
            return
        if known is None and any(run.iterdir()):
            raise ArtefactError(f"{run} is in the way and is no half-done translation; move it or choose another name")
        if known is not None:
            raise ArtefactError(
                f"{run} holds a half-done translation of another file or by another translator; give the same ones to go on, "
                "or remove that folder to begin anew"
            )
    with whole(note) as fresh:
        fresh.write_text(json.dumps({"mark": mark}))


def _done(out: Path, mark: str) -> bool:
    """Whether this very answer is there already, as Parquet files remember."""
    if out.suffix.lower() != ".parquet" or not out.is_file():
        return False
    try:
        return bool((parquet().read_metadata(out).metadata or {}).get(MARK) == mark.encode())
    except Exception:  # whatever is there is no answer of ours
        return False


def _parts(run: Path) -> list[np.ndarray]:
    return [np.load(path, mmap_mode="r", allow_pickle=False) for path in sorted(run.glob("[0-9]*.npy"))]


def _stream(file: Any, opened: Table, run: Path) -> None:
    parts = _parts(run)
    header = {
        "descr": np.lib.format.dtype_to_descr(parts[0].dtype),
        "fortran_order": False,
        "shape": (opened.rows, parts[0].shape[1]),
    }
    np.lib.format.write_array_header_1_0(file, header)
    for part in parts:
        file.write(part.tobytes())


def _npy(opened: Npy, run: Path, fresh: Path, into: str | None, mark: str) -> None:
    with fresh.open("wb") as file:
        _stream(file, opened, run)


def _npz(opened: Npz, run: Path, fresh: Path, into: str | None, mark: str) -> None:
    with zipfile.ZipFile(opened.path) as old, zipfile.ZipFile(fresh, "w") as new:
        for name in [*opened.others, *([opened.column] if into else [])]:
            with old.open(f"{name}.npy") as held, new.open(f"{name}.npy", "w", force_zip64=True) as copy:
                shutil.copyfileobj(held, copy, 1 << 20)
        with new.open(f"{into or opened.column}.npy", "w", force_zip64=True) as file:
            _stream(file, opened, run)


def _parquet(opened: Parquet, run: Path, fresh: Path, into: str | None, mark: str) -> None:
    pa, writer = arrow(), None
    try:
        for block, part in zip(opened.batches(BLOCK), _parts(run), strict=True):
            column = pa.FixedSizeListArray.from_arrays(pa.array(np.array(part).ravel()), part.shape[1])
            if into is None:
                block = block.set_column(block.column_names.index(opened.column), opened.column, column)
            else:
                block = block.append_column(into, column)
            if writer is None:
                schema = block.schema.with_metadata({**(block.schema.metadata or {}), MARK: mark.encode()})
                writer = parquet().ParquetWriter(fresh, schema)
            writer.write_table(block.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()
