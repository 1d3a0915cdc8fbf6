"""What an index looks like in other people's files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._artefact import write_text
from .._errors import ArtefactError, DataError, MissingDependency, ShapeError
from ._rows import COLUMNS, arrow, matrix
from .identity import Identity

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file: vectors, columns as far as they are there, their numbers, and the space they claim to be from."""

    z: np.ndarray
    columns: dict[str, list[Any]] = field(default_factory=dict)
    numbers: Sequence[int] = ()
    space: str | None = None


def _columns(found: dict[str, list[Any]], ours: bool) -> dict[str, list[Any]]:
    """Known columns by their names here; ids of others name files, if nothing else does."""
    kept = {name: found[name] for name in COLUMNS if name in found and name != "id"}
    kept |= {"file": found["source"]} if "source" in found and "file" not in found else {}
    if "id" in found:
        kept |= {"id": found["id"]} if ours else {} if "file" in kept else {"file": list(map(str, found["id"]))}
    return kept


def parquet(path: Path) -> Iterator[Chunk]:
    arrow()
    import pyarrow.parquet
    import pyarrow.types as kinds

    with pyarrow.parquet.ParquetFile(path) as file:
        lists = [
            column.name
            for column in file.schema_arrow
            if (kinds.is_list(column.type) or kinds.is_fixed_size_list(column.type) or kinds.is_large_list(column.type))
            and kinds.is_floating(column.type.value_type)
        ]
        named = [name for name in ("embedding", "vector") if name in lists] or lists
        if len(named) != 1:
            raise ShapeError(f"{path} has the columns {', '.join(file.schema_arrow.names)}; name the column of vectors 'embedding'")
        space = json.loads((file.schema_arrow.metadata or {}).get(b"oplas", b"{}")).get("digest")
        at = 0
        for batch in file.iter_batches(_BLOCK):
            vectors = batch[named[0]]
            lengths = set(pyarrow.compute.list_value_length(vectors).to_pylist())
            if len(lengths) != 1 or None in lengths:
                raise ShapeError(f"{path}: the vectors from row {at} on have different lengths; every row needs the same")
            flat = pyarrow.compute.list_flatten(vectors).to_numpy(zero_copy_only=False)
            rest = {name: batch[name].to_pylist() for name in batch.schema.names if name in {*COLUMNS, "source"}}
            yield Chunk(flat.reshape(len(batch), -1), _columns(rest, bool(space)), range(at, at + len(batch)), space)
            at += len(batch)


def to_parquet(rows: Any, identity: Identity, fresh: Path, path: Path) -> None:
    import pyarrow.parquet

    named = rows.rename_columns([*COLUMNS, "embedding"]).replace_schema_metadata({"oplas": json.dumps(identity.to_dict())})
    pyarrow.parquet.write_table(named, fresh)


def npz(path: Path) -> Iterator[Chunk]:
    with np.load(path, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    tables = [name for name, array in found.items() if array.ndim == 2]
    name = "embeddings" if "embeddings" in found else tables[0] if len(tables) == 1 else None
    if name is None:
        raise ShapeError(f"{path} holds {', '.join(found) or 'nothing'}; name the array [n, width] 'embeddings'")
    space = str(found["space"]) if "space" in found else None
    rest: dict[str, list[Any]] = {key: found[key].tolist() for key in ("file", "source", "song", "content") if key in found}
    rest = {key: [each or None for each in values] for key, values in rest.items()}
    if "ids" in found:
        rest["id"] = found["ids"].tolist()
    if "start" in found:
        rest["start"] = [None if each != each else each for each in found["start"].tolist()]
    if "tags" in found:
        rest["tags"] = [json.loads(each) for each in found["tags"].tolist()]
    yield Chunk(found[name], _columns(rest, space is not None), range(len(found[name])), space)


def to_npz(rows: Any, identity: Identity, fresh: Path, path: Path) -> None:
    named = {"source": "file", "song": "song", "content": "content"}  # savez keeps the word file for itself
    text: dict[str, Any] = {key: np.array([each or "" for each in rows[name].to_pylist()], np.str_) for key, name in named.items()}
    start = np.array([np.nan if each is None else each for each in rows["start"].to_pylist()])
    tags = np.array([json.dumps(each) for each in rows["tags"].to_pylist()], np.str_)
    ids = np.array(rows["id"].to_pylist(), np.str_)
    with fresh.open("wb") as out:
        np.savez(out, embeddings=matrix(rows), ids=ids, start=start, tags=tags, space=np.array(identity.digest), **text)


def npy(path: Path) -> Iterator[Chunk]:
    yield _beside(path, np.load(path, allow_pickle=False))


def to_npy(rows: Any, identity: Identity, fresh: Path, path: Path) -> None:
    _write_beside(rows, identity, path)
    with fresh.open("wb") as out:
        np.save(out, matrix(rows))


def faiss(path: Path) -> Iterator[Chunk]:
    library = _faiss()
    whole = index = library.read_index(str(path))  # what is inside lives as long as the whole
    ids = None
    if isinstance(whole, library.IndexIDMap | library.IndexIDMap2):
        ids = library.vector_to_array(whole.id_map).tolist()
        index = library.downcast_index(whole.index)
    if isinstance(index, library.IndexIVF):
        index.make_direct_map()
    if not isinstance(index, library.IndexFlat | library.IndexIVFFlat | library.IndexHNSWFlat):
        raise DataError(f"{path} is a {type(index).__name__}, which keeps no exact vectors; export them from where they came from")
    chunk = _beside(path, index.reconstruct_n(0, index.ntotal))
    yield Chunk(chunk.z, _columns({"id": ids}, False), chunk.numbers) if ids is not None and not chunk.columns else chunk


def to_faiss(rows: Any, identity: Identity, fresh: Path, path: Path) -> None:
    library = _faiss()
    flat = library.IndexFlatL2(identity.width)
    flat.add(np.ascontiguousarray(matrix(rows)))
    _write_beside(rows, identity, path)
    library.write_index(flat, str(fresh))


def _faiss() -> Any:
    try:
        import faiss as library
    except ImportError as error:
        raise MissingDependency("FAISS files need faiss, which is not installed: pip install faiss-cpu") from error
    return library


def _rest(path: Path) -> Path:
    return path.with_name(f"{path.name}.rows.json")


def _beside(path: Path, z: np.ndarray) -> Chunk:
    """Vectors, and what the file beside them says of their rows."""
    if not _rest(path).is_file():
        return Chunk(z, {}, range(len(z)))
    facts = json.loads(_rest(path).read_text(encoding="utf-8"))
    if len(facts["rows"]["id"]) != len(z):
        raise ArtefactError(f"{path} holds {len(z)} vectors, {_rest(path).name} {len(facts['rows']['id'])} rows; write both again")
    return Chunk(z, facts["rows"], range(len(z)), facts["space"]["digest"])


def _write_beside(rows: Any, identity: Identity, path: Path) -> None:
    facts = {"space": identity.to_dict(), "rows": {name: rows[name].to_pylist() for name in COLUMNS}}
    write_text(_rest(path), json.dumps(facts))


def points(path: Path) -> Iterator[Chunk]:
    listed = json.loads(path.read_text(encoding="utf-8"))
    for key in ("result", "points"):
        listed = listed.get(key, listed) if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ArtefactError(f'{path} holds no points; write {{"points": [{{"id": 1, "vector": [0.1], "payload": {{}}}}]}}')
    for at in range(0, len(listed), _BLOCK):
        some = listed[at : at + _BLOCK]
        payloads = [each.get("payload") or {} for each in some]
        spaces = {payload.get("space") for payload in payloads}
        space = spaces.pop() if len(spaces) == 1 else None
        names = {name for payload in payloads for name in payload}
        rest = {name: [payload.get(name) for payload in payloads] for name in names & {*COLUMNS, "source"}}
        rest.setdefault("id", [each.get("id") for each in some])
        z = _vectors(path, [each.get("vector") for each in some], at)
        yield Chunk(z, _columns(rest, space is not None), range(at, at + len(some)), space)


def _vectors(path: Path, listed: list[Any], at: int) -> np.ndarray:
    for row, vector in enumerate(listed, at):
        if isinstance(vector, dict) and len(vector) == 1:
            listed[row - at] = vector = next(iter(vector.values()))
        if not isinstance(vector, list) or len(vector) != len(listed[0]) or not vector:
            seen = f"{len(vector)} numbers" if isinstance(vector, list) else f"{type(vector).__name__}"
            raise ShapeError(f"{path}: the vector of point {row} is {seen}; every point needs one, as long as the others'")
    return np.array(listed, np.float64)


def to_points(rows: Any, identity: Identity, fresh: Path, path: Path) -> None:
    with fresh.open("w", encoding="utf-8") as out:
        out.write('{"points": [')
        for at in range(0, len(rows), _BLOCK):
            some = rows.slice(at, _BLOCK)
            for number, (row, z) in enumerate(zip(some.select(COLUMNS).to_pylist(), matrix(some).tolist(), strict=True)):
                point = {"id": _uuid(row["id"]), "vector": z, "payload": {**row, "space": identity.digest}}
                out.write((",\n" if at or number else "\n") + json.dumps(point))
        out.write("\n]}\n")


def _uuid(name: str) -> str:
    """An id as Qdrant takes it: the hash as a UUID, and for any other name a UUID made of it."""
    try:
        return str(uuid.UUID(hex=name))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
