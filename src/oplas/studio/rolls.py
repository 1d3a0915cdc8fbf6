"""Points that are windows of MIDI files, in the space of piano rolls that comes with oplas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError
from .._watch import bar
from ..actions.pianoroll import Shift, Transpose
from ..data.midi import midi, midi_files
from ..data.notes import Notes
from ..data.pianoroll import roll
from ..encoders.base import Encoder
from ..laws.equivariance import Equivariance
from ..networks.blocks import SIDE
from ..operators.translation import Translation
from ..rollspace import BAR, OCTAVE, RollSpace
from ..space import Space
from .demo import keys
from .files import inside
from .library import Category, Library, Number, Score, Songs

BEATS, PER_BEAT = 32, 4


class RollEncoder(Encoder):
    """:class:`oplas.rollspace.RollSpace` as an encoder; windows are rolls, onset and sustain, flattened."""

    def __init__(self, space: RollSpace) -> None:
        super().__init__()
        self.name, self.rate, self.samples, self.dim = "piano rolls", 0, 2 * SIDE * SIDE, space.dim
        self.space = space

    def forward(self, x: Tensor) -> Tensor:
        return self.space.encode(x.view(-1, 2, SIDE, SIDE))


def roll_space(rolls: RollSpace) -> Space:
    """The space with the two moves that are exact in it, whatever the network has learned."""
    moves = []
    for action, axis, unit in ((Transpose(-12, 12), 0, OCTAVE), (Shift(-BAR, BAR), 1, BAR)):
        operator = Translation(rolls.dim)
        with torch.no_grad():
            operator.direction[axis] = 1 / unit
        moves.append(Equivariance(action, operator))
    return Space(RollEncoder(rolls), laws=moves).eval()


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
        for first in range(0, max(int(np.ceil(notes.beats)), 1), BEATS):
            try:
                rows.append(cells(notes.between(first, first + BEATS)))
                where.append((index, first))
            except DataError:  # a window of rests
                continue
    space = roll_space(RollSpace.load())
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
    source, why = Scores(songs, song, start), "exact by construction for every move that loses no note"
    title, named = folder.resolve().name, [titles[each] for each in song]
    return Library(title, space, np.concatenate(z), names, columns, start, source, ring, named, exact=why)


def cells(notes: Notes) -> Tensor:
    """A window as the encoder reads it, ``[2, 128, 128]``."""
    sheet = roll(notes, PER_BEAT)[..., :SIDE]
    return torch.nn.functional.pad(sheet, (0, SIDE - sheet.shape[2]))
