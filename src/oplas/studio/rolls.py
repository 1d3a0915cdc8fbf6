"""Points that are windows of MIDI files, in the space of piano rolls that comes with oplas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .._errors import DataError
from .._watch import bar
from ..data.midi import midi, midi_files
from ..data.notes import Notes
from ..networks.blocks import SIDE
from ..rolled import BEATS, WHY, cells, rolled, windows
from ..rollspace import OCTAVE
from .demo import keys
from .files import inside
from .library import Category, Library, Number, Score, Songs


class Scores:
    """The points' notes."""

    audio, rolls = False, True

    def __init__(self, songs: list[Notes], song: np.ndarray, start: np.ndarray) -> None:
        self.songs, self.song, self.start = songs, song, start

    def score(self, i: int) -> Score:
        """The notes of point i's window, in beats from its beginning."""
        first = float(self.start[i])
        return Score(self.songs[int(self.song[i])].between(first, first + BEATS), 120.0)

    def sound(self, i: int) -> np.ndarray | None:
        return None

    def window(self, score: Score) -> np.ndarray:
        """Notes as the encoder reads them."""
        return cells(score.notes.between(0, BEATS)).flatten().numpy()


def midi_library(folder: Path) -> Library:
    """Every window of 32 beats of the MIDI files in a folder that do not lead out of it."""
    files = midi_files(folder)
    if outside := [path for path in files if not inside(path, folder)]:
        fact = f"{len(outside)} MIDI file(s) lead out of {folder}, the first {outside[0].name}"
        raise DataError(f"{fact}; copy them there, or remove them")
    with bar("reading", len(files), unit="files") as advance:
        songs = midi(folder, tell=advance).songs
    rows, where = [], []
    for index, notes in enumerate(songs):
        for first, sheet in windows(notes):
            rows.append(sheet)
            where.append((index, first))
    space = rolled()
    z = []
    with bar("embedding", len(rows), unit="windows") as advance, torch.no_grad():
        for first in range(0, len(rows), 64):
            z.append(space(torch.stack(rows[first : first + 64]).flatten(1)).numpy())
            advance(len(z[-1]))
    song, start = np.array([each for each, _ in where]), np.array([first for _, first in where], float)
    titles = [Path(each.name).with_suffix("").as_posix() for each in songs]
    names = [f"{titles[s]}@{t:g}" for s, t in zip(song, start, strict=True)]
    first_of = tuple(int(np.flatnonzero(song == index)[0]) if (song == index).any() else None for index in range(len(songs)))
    columns: dict[str, Category | Number] = {
        "song": Category.of([titles[each] for each in song]), "start": Number(start),
        "pitch": Number(np.concatenate(z)[:, 0] * OCTAVE + SIDE // 2),
        "notes": Number(np.array([float(each[0].sum()) for each in rows])),
    }  # fmt: skip
    scores = tuple(Score(each, 120.0) for each in songs)
    ring = Songs(tuple(titles), scores, first_of, keys(), "by a ring learned on the built-in band's songs, without labels")
    source = Scores(songs, song, start)
    title, named = folder.resolve().name, [titles[each] for each in song]
    return Library(title, space, np.concatenate(z), names, columns, start, source, ring, named, exact=WHY)
