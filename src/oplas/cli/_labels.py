"""Tables of labels, and the latents that belong to them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .._errors import DataError, ShapeError
from ..data.files import whole

#: Latents, values, songs, and where they are from.
Matched = tuple[Tensor, dict[str, list[Any]], list[str], dict[str, Any]]


@dataclass(frozen=True)
class Labels:
    """A table: files (as written, and as found beside the table), their songs, and attributes, each a list."""

    names: list[str]
    paths: list[Path]
    songs: list[str]
    values: dict[str, list[Any]]


def read_labels(path: Path) -> Labels:
    """A CSV with a head: ``file``, any number of attributes, and, if files belong together, ``song``.

    Raises:
        DataError: it cannot be read, has no such column, no rows, or a cell is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8") from error
    head = list(rows[0]) if rows else []
    attributes = [name for name in head if name not in {"file", "song"}]
    if "file" not in head or not attributes:
        raise DataError(
            f"{path} has the columns {', '.join(map(str, head)) or 'nothing'}; it needs file and at least one attribute"
        )
    for number, row in enumerate(rows, 2):
        if None in row or any(value is None or not value.strip() for value in row.values()):
            raise DataError(f"{path}, line {number}: it has not one value for each of {len(head)} columns; fill or remove it")
    names = [row["file"].strip() for row in rows]
    if len(set(names)) < len(names):
        raise DataError(f"{path} names {len(names) - len(set(names))} files twice; keep one line each")
    paths = [Path(name) if Path(name).is_file() else path.parent / name for name in names]
    songs = [row.get("song", row["file"]).strip() for row in rows]
    return Labels(names, paths, songs, {name: numbers([row[name].strip() for row in rows]) for name in attributes})


def numbers(cells: Sequence[str]) -> list[Any]:
    """All as numbers if they all are, else as they stand."""
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return list(cells)


def matched(table: Labels, space: Path | None, latents: Path | None) -> Matched:
    """Latents of the files, the values and the song of each row, and where they are from.

    Raises:
        DataError: neither or both of space and latents are given, or no row of the latents is of a file in the table.
    """
    if (space is None) == (latents is None):
        raise DataError("give either --space, to encode the files named, or --latents, where they are encoded already")
    if space is not None:
        return _encoded(table, space)
    from ..encoders import load_embeddings

    assert latents is not None
    z, ids = load_embeddings(latents)
    known = {name: index for index, name in enumerate(table.names)}
    known |= {str(path): index for index, path in enumerate(table.paths)}
    sources = [name if name in known else name.rpartition("@")[0] for name in ids]
    rows = [row for row, source in enumerate(sources) if source in known]
    if not rows:
        raise DataError(f"no row of {latents} (the first is {ids[0]}) is of a file in the table (the first is {table.names[0]})")
    of = [known[sources[row]] for row in rows]
    return z[rows], *_of(table, of), {"latents": latents.name}


def _encoded(table: Labels, folder: Path) -> Matched:
    import torch

    from ..embed import embed_all
    from ..mixing import load_space

    space = load_space(folder)
    index = {path: number for number, path in enumerate(table.paths)}
    windows = list(embed_all(space, table.paths))
    of = [index[each.file] for each in windows for _ in each.z]
    card = {"space": {"name": space.encoder.name, "identity": space.encoder.identity, "width": space.width}}
    return torch.cat([each.z for each in windows]), *_of(table, of), card


def _of(table: Labels, of: list[int]) -> tuple[dict[str, list[Any]], list[str]]:
    return {name: [column[row] for row in of] for name, column in table.values.items()}, [table.songs[row] for row in of]


def amounts(moves: Sequence[str]) -> dict[str, float]:
    """``level=+6`` as a name and a number; the last ``=`` counts, since labels have one of their own.

    Raises:
        DataError: it is not written so.
    """
    made: dict[str, float] = {}
    for each in moves:
        name, _, amount = each.rpartition("=")
        try:
            made[name] = float(amount)
        except ValueError:
            raise DataError(f"{each!r} says no amount; write --move level=+6") from None
        if not name or not np.isfinite(made[name]):
            raise DataError(f"{each!r} says no amount of a fader; write --move level=+6")
    return made


def write_latents(path: Path, z: Tensor, ids: Sequence[str]) -> None:
    """As ``.npz`` with ids or as ``.npy``, whole or not at all.

    Raises:
        ShapeError: the ending is neither.
    """
    if path.suffix not in {".npz", ".npy"}:
        raise ShapeError(f"{path} ends in {path.suffix!r}; latents are written as .npz or .npy")
    with whole(path) as fresh, fresh.open("wb") as out:
        if path.suffix == ".npz":
            np.savez(out, embeddings=z.numpy(), ids=np.array(ids))
        else:
            np.save(out, z.numpy())
