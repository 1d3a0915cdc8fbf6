"""From what was named on the command line to a library: the demo, a folder of sounds or MIDI files, or an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import DataError
from .._watch import bar
from ..algebra import Calibration
from ..algebra.calibrate import FILE
from ..embed import audio_files, embed_all
from ..faders import FaderSet
from ..mixing import load_space
from ..space import Space
from .files import Files, inside
from .library import Category, Library, Nothing, Number

#: The spelling of the space of piano rolls that comes with oplas.
ROLLS = "rolls"


def opened(
    space: Path | None, songs: Path | None = None, index: str | None = None, faders: Path | None = None
) -> tuple[Library, tuple[Path, ...]]:
    """The library, and the folders that no message may name.

    Raises:
        ArtefactError: the space or the index is damaged, or they do not belong together.
        DataError: a folder is missing, or holds nothing that can be used.
    """
    if space is None:
        from .demo import demo

        return demo(), ()
    if songs is not None and not songs.is_dir():
        raise DataError(f"{songs} is no folder; name the folder that the songs are in")
    roots = tuple(each.resolve() for each in (songs, space) if each is not None)
    if str(space) == ROLLS and not (space / "card.json").exists():
        from .rolls import midi_library

        if songs is None:
            raise DataError("the space of rolls shows MIDI files: name their folder with --songs")
        return midi_library(songs), roots
    loaded = load_space(space)
    if index is not None:
        library, roots = of_index(loaded, index, songs, _name(space)), (*roots, Path(index).resolve())
    else:
        assert songs is not None
        library = of_folder(loaded, songs, _name(space))
    if (space / FILE).exists():
        library.calibration = Calibration.load(space, loaded)
    if faders is not None:
        library = replace(library, faders=FaderSet.load(faders))
    return library, roots


def of_folder(space: Space, folder: Path, name: str) -> Library:
    """Every window of every sound file in the folder that does not lead out of it."""
    files = [path for path in audio_files(folder) if inside(path, folder)]
    if not files:
        raise DataError(f"every sound file in {folder} leads out of it; copy the files there")
    paths, starts, rows = [], [], []
    with bar("embedding", len(files), unit="files") as advance:
        for windows in embed_all(space, files):
            paths += [windows.file] * len(windows.start)
            starts.append(windows.start.numpy())
            rows.append(windows.z.numpy())
            advance(1)
    return _library(space, name, paths, np.concatenate(starts), np.concatenate(rows), None, folder)


def of_index(space: Space, where: str, folder: Path | None, name: str) -> Library:
    """Every row of an index; heard where its files lie in ``folder``."""
    from ..store import Index

    index = Index.open(where, space)
    if not len(index):
        raise DataError(f"{where} is empty; add files to it with 'oplas index'")
    table = index.table(["file", "song", "start", "tags"])
    z = index.vectors()[1].numpy()
    paths = [Path(each or "unknown") for each in table["file"].to_pylist()]
    starts = np.array([np.nan if each is None else each for each in table["start"].to_pylist()])
    library = _library(space, name, paths, starts, z, table["song"].to_pylist(), folder)
    if any(table["tags"].to_pylist()):
        library.columns["tags"] = Category.of([", ".join(each) if each else None for each in table["tags"].to_pylist()])
    return library


def _library(
    space: Space,
    name: str,
    paths: Sequence[Path],
    starts: np.ndarray,
    z: np.ndarray,
    songs: Sequence[Any] | None,
    folder: Path | None,
) -> Library:
    kinds = {path: (path.stem, path.parent.name) for path in dict.fromkeys(paths)}
    stems = Counter(stem for stem, _ in kinds.values())
    told = [f"{path.parent.name}/{path.stem}" if stems[path.stem] > 1 else path.stem for path in paths]
    names = [word if np.isnan(start) else f"{word}@{start:g}" for word, start in zip(told, starts.tolist(), strict=True)]
    columns: dict[str, Category | Number] = {"file": Category.of(told), "start": Number(starts)}
    if len(stems) <= len(kinds) / 2:  # the same stems in many folders: song/stem.wav
        columns["part"] = Category.of([kinds[path][0] for path in paths])
        columns["song"] = Category.of([kinds[path][1] for path in paths])
    elif songs is not None and any(songs):
        columns["song"] = Category.of([None if each is None else Path(each).stem for each in songs])
    source = Nothing() if folder is None else Files(paths, starts, folder, space.encoder.rate, space.encoder.samples)
    return Library(name, space, z, names, columns, starts, source, files=told)


def _name(space: Path) -> str:
    return space.resolve().name.removesuffix(".space") or "space"
