"""A folder of anybody's MIDI files as note lists on the grid of sixteenths."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .._errors import DataError
from .files import whole
from .notes import Notes, midi_score, phase, read_midi
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


def rewrite(source: str | os.PathLike[str], notes: Notes, out: str | os.PathLike[str], *, per_beat: int = 4) -> Path:
    """Write the MIDI file ``source`` anew with other notes in its pitched tracks; drums, tempo, programs and all else stay.

    Args:
        notes: made from those of ``read_midi(source).on_grid(per_beat)``, with the same parts.

    Raises:
        DataError: a file cannot be read or written, or the parts are not those of the source.
    """
    import numpy as np
    import symusic

    score, old = midi_score(source), read_midi(source)
    tracks = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if notes.parts != old.parts:
        raise DataError(f"the notes have parts {notes.parts}, {source} has {old.parts}; give notes that were made from that file")
    ticks, shift = score.ticks_per_quarter, phase(old.onset, per_beat)
    first = ((notes.onset + shift).clamp_min(0) * ticks).round()
    length = (notes.length * ticks).round().clamp_min(1)
    loud = (notes.velocity * 127).round().clamp(1, 127)
    for index, track in enumerate(tracks):
        mine = notes.part == index
        times = (each[mine].numpy().astype(np.int32) for each in (first, length))
        bytes_ = (each[mine].numpy().astype(np.int8) for each in (notes.pitch, loud))
        track.notes = symusic.Note.from_numpy(*times, *bytes_, ttype="tick")
    with whole(Path(out)) as fresh:
        score.dump_midi(str(fresh))
    return Path(out)
