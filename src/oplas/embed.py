"""Files to latents, window by window."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ._errors import DataError, MissingDependency
from .data.audio import SUFFIXES, read
from .data.files import whole
from .space import Space

_BATCH = 64


@dataclass(frozen=True)
class Windows:
    """Latents of one file's windows.

    Shape:
        - start: ``[n]``, seconds
        - z: ``[n, width]``
    """

    file: Path
    start: Tensor
    z: Tensor


def embed(space: Space, file: str | os.PathLike[str], hop: float | None = None) -> Windows:
    """Latents of a sound file's windows from its beginning; a rest shorter than a window is left out.

    A file shorter than a window is followed by silence.

    Args:
        hop: seconds from one window to the next; default end to end.

    Raises:
        DataError: the file cannot be read, is silent, or the encoder reads no sound; or ``hop`` is not positive.
    """
    encoder, path = space.encoder, Path(file)
    if not encoder.rate:
        raise DataError(f"{encoder.name} reads no sound, so {path} cannot be embedded; use a space on an encoder of sound")
    step = encoder.samples if hop is None else round(hop * encoder.rate)
    if step < 1:
        raise DataError(f"windows {hop} s apart cannot be cut; give a positive number of seconds")
    wave = read(path, encoder.rate)
    starts = np.arange(0, max(0, len(wave) - encoder.samples) + 1, step)
    rows = []
    for some in np.split(starts, range(_BATCH, len(starts), _BATCH)):
        x = np.zeros((len(some), encoder.samples), np.float32)
        for row, start in zip(x, some, strict=True):
            piece = wave[start : start + encoder.samples]
            row[: len(piece)] = piece
        with torch.no_grad():
            rows.append(space(torch.from_numpy(x)))
    return Windows(path, torch.from_numpy(starts / encoder.rate), torch.cat(rows))


def embed_all(space: Space, files: Iterable[Path], hop: float | None = None) -> Iterator[Windows]:
    """:func:`embed` of each file; one that cannot be used is named in a warning, and the others go on.

    Raises:
        DataError: none of them can be used.
    """
    done, last = 0, None
    for path in files:
        try:
            yield embed(space, path, hop)
            done += 1
        except DataError as error:
            last = error
            warnings.warn(f"left out: {error}", stacklevel=2)
    if not done:
        raise last or DataError("there is no file to embed; name audio files, or a folder that holds some")


def audio_files(*places: str | os.PathLike[str]) -> list[Path]:
    """The files named and the audio files anywhere under the folders named, hidden ones left out.

    Raises:
        DataError: a place does not exist, or there is no audio file in any.
    """
    found: dict[Path, None] = {}
    for place in map(Path, places):
        if place.is_file():
            found[place] = None
        elif place.is_dir():
            inside = [path for path in sorted(place.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
            hidden = [any(part.startswith(".") for part in path.relative_to(place).parts) for path in inside]
            found |= dict.fromkeys(path for path, out in zip(inside, hidden, strict=True) if not out)
        else:
            raise DataError(f"there is no file or folder {place}; check its name")
    if not found:
        raise DataError(f"no audio file in {', '.join(map(str, places))}; oplas reads {', '.join(SUFFIXES)}")
    return list(found)


def write_embeddings(path: str | os.PathLike[str], windows: Iterable[Windows]) -> int:
    """Write latents with ids ``file@seconds``, ``source`` and ``start`` (s), as ``.npz`` or ``.parquet``, whole or not at all.

    :func:`oplas.encoders.load_embeddings` reads both.

    Returns:
        how many windows were written.

    Raises:
        DataError: the ending is neither, or the file cannot be written.
        MissingDependency: pyarrow, which writes Parquet, is not installed.
    """
    path = Path(path)
    check_writes(path)
    gathered = list(windows)
    z = torch.cat([each.z for each in gathered]).numpy()
    start = torch.cat([each.start for each in gathered]).numpy()
    file = [str(each.file) for each in gathered for _ in each.start]
    ids = [f"{name}@{second:.3f}" for name, second in zip(file, start, strict=True)]
    with whole(path) as fresh:
        if path.suffix == ".npz":
            with fresh.open("wb") as out:
                np.savez(out, embeddings=z, ids=np.array(ids), source=np.array(file), start=start)
        else:
            arrow, parquet = _arrow()
            column = arrow.FixedSizeListArray.from_arrays(arrow.array(z.ravel()), z.shape[1])
            table = arrow.table({"id": ids, "source": file, "start": start, "embedding": column})
            parquet.write_table(table, fresh)
    return len(z)


def check_writes(path: Path) -> None:
    """Raise what :func:`write_embeddings` would, before there is anything to write."""
    if path.suffix not in {".npz", ".parquet"}:
        raise DataError(f"{path} ends in {path.suffix!r}; latents are written as .npz or .parquet")
    if path.suffix == ".parquet":
        _arrow()
    with whole(path.with_name(f".{path.name}.trial")) as trial:
        trial.touch()
    path.with_name(f".{path.name}.trial").unlink()


def _arrow():  # type: ignore[no-untyped-def]
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependency("Parquet needs pyarrow, which is not installed: pip install pyarrow, or write .npz") from error
    return pyarrow, parquet
