"""A folder of anybody's MIDI files as note lists on the grid of sixteenths."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .._errors import DataError
from .notes import read_midi
from .rolls import Rolls

KINDS = {".mid", ".midi", ".kar", ".smf"}


def midi_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The MIDI files under a folder, by name.

    Raises:
        DataError: it is no folder, or there is none in it.
    """
    home = Path(folder)
    found = sorted(path for path in home.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    if not found:
        what = "has no MIDI file in it" if home.is_dir() else "is no folder"
        raise DataError(f"{folder} {what}; give a folder with files that end in {', '.join(sorted(KINDS))}")
    return found


def midi(
    folder: str | os.PathLike[str], *, drums: bool = False, per_beat: int = 4, tell: Callable[[float], object] = lambda done: None
) -> Rolls:
    """Every song under a folder, its name the file's path there; files that will not do are left out with a warning each.

    Beats are quarter notes of the file's own clock; the constant by which a song lies off the grid is removed.

    Args:
        drums: keep the tracks that have no pitch.
        tell: called with 1 after each file, for progress.

    Raises:
        DataError: there is no MIDI file, or none that can be used.
    """
    files = midi_files(folder)
    songs, last = [], ""
    for path in files:
        try:
            song = read_midi(path, drums=drums).on_grid(per_beat)
            songs.append(replace(song, name=path.relative_to(folder).as_posix()))
        except DataError as error:
            last = str(error)
            warnings.warn(f"left out: {last}", stacklevel=2)
        tell(1)
    if not songs:
        raise DataError(f"none of the {len(files)} MIDI files in {folder} can be used; the last: {last}")
    return Rolls(songs)
