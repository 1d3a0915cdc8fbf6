"""Note lists: what a MIDI file says, without its clock's quirks."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .._errors import DataError
from .files import whole

PITCHES = 128
#: More beats than a song has: the file is damaged, or its times are not beats.
LONGEST = 20_000


@dataclass(frozen=True)
class Notes:
    """The notes of one song. Pitches are MIDI numbers (60 is the middle C), times are beats.

    Shape:
        - onset, length, velocity: ``[n]`` float64; velocity in (0, 1]
        - pitch, part: ``[n]`` integers; ``part`` indexes ``parts``

    >>> song = Notes.of([(0.0, 1.0, 60), (1.0, 1.0, 67)], name="a fifth")
    >>> song.transpose(2).pitch.tolist(), song.beats
    ([62, 69], 2.0)
    """

    onset: Tensor
    length: Tensor
    pitch: Tensor
    velocity: Tensor
    part: Tensor
    parts: tuple[str, ...]
    name: str = ""

    @classmethod
    def of(cls, rows: Sequence[tuple[float, float, int]] | Tensor, *, name: str = "", parts: tuple[str, ...] = ("notes",)) -> Notes:
        """Notes of one part from rows (onset, length, pitch), a list or ``[n, 3]``."""
        table = torch.as_tensor(rows, dtype=torch.float64).reshape(-1, 3)
        n = len(table)
        velocity, part = torch.full((n,), 0.8, dtype=torch.float64), torch.zeros(n, dtype=torch.long)
        return cls(table[:, 0], table[:, 1], table[:, 2].long(), velocity, part, parts, name).checked()

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def beats(self) -> float:
        """Where the last note ends."""
        return float((self.onset + self.length).max()) if len(self) else 0.0

    def checked(self) -> Notes:
        """The same notes.

        Raises:
            DataError: there is none, a time or a pitch is not possible, or the song is far too long.
        """
        name = self.name or "the song"
        if not len(self):
            raise DataError(f"{name} holds no notes; remove it, or read it from the file it came from")
        if not all(bool(torch.isfinite(each).all()) for each in (self.onset, self.length, self.velocity)):
            raise DataError(f"{name} holds notes at times that are NaN or infinite; mend the file it came from")
        if bool((self.length <= 0).any()) or bool((self.onset < 0).any()) or self.beats > LONGEST:
            raise DataError(
                f"{name} has notes from beat {float(self.onset.min()):g} to {self.beats:g}, the shortest "
                f"{float(self.length.min()):g} long; notes start at 0 or later, last longer than 0, and end before beat {LONGEST}; "
                "are its times beats?"
            )
        low, high = int(self.pitch.min()), int(self.pitch.max())
        if low < 0 or high >= PITCHES:
            raise DataError(f"{name} has pitches from {low} to {high}; MIDI has 0 to {PITCHES - 1}: transpose it into that range")
        return self

    def transpose(self, semitones: int) -> Notes:
        """Every note so many semitones higher.

        Raises:
            DataError: a note would leave MIDI's range.
        """
        return replace(self, pitch=self.pitch + int(semitones)).checked()

    def stretch(self, factor: float) -> Notes:
        """Every time ``factor`` times as late and as long: played at the same clock, 1 / factor times as fast."""
        return replace(self, onset=self.onset * factor, length=self.length * factor).checked()

    def on_grid(self, per_beat: int = 4) -> Notes:
        """The notes moved by one constant, the song's :func:`phase`, onto the grid of ``per_beat`` cells a beat."""
        return replace(self, onset=(self.onset - phase(self.onset, per_beat)).clamp_min(0))

    def pick(self, rows: Tensor) -> Notes:
        """Some of the notes, by index or mask.

        Raises:
            DataError: none is left.
        """
        kept = {name: getattr(self, name)[rows] for name in ("onset", "length", "pitch", "velocity", "part")}
        return replace(self, **kept).checked()

    def only(self, *parts: str) -> Notes:
        """The notes of the parts named, in the order of the names; case does not count.

        Raises:
            DataError: there is no such part, or none of them has a note.
        """
        at = {label.lower(): index for index, label in reversed(list(enumerate(self.parts)))}
        wanted = [at.get(label.lower(), -1) for label in parts]
        if -1 in wanted or not wanted:
            raise DataError(f"{self.name or 'the song'} has no part {parts}; its parts are {', '.join(map(repr, self.parts))}")
        rank = torch.full((len(self.parts),), -1)
        rank[wanted] = torch.arange(len(wanted))
        mine = self.pick(rank[self.part] >= 0)
        return replace(mine, part=rank[mine.part], parts=tuple(self.parts[index] for index in wanted))

    def between(self, first: float, last: float) -> Notes:
        """What sounds from beat ``first`` to beat ``last``, cut at both ends, starting at 0."""
        start, end = self.onset.clamp_min(first), (self.onset + self.length).clamp_max(last)
        keep = end > start
        return replace(self.pick(keep), onset=(start - first)[keep], length=(end - start)[keep]).checked()

    def roll(self, per_beat: int = 4) -> Tensor:
        """Piano rolls, ``[parts, frames, 128]`` bool: true where a note sounds; a note fills at least one frame."""
        frames = max(math.ceil(self.beats * per_beat - 1e-6), 1)
        first = (self.onset * per_beat).round().long().clamp_max(frames - 1)
        last = ((self.onset + self.length) * per_beat).round().long().clamp(max=frames)
        rolls = torch.zeros(len(self.parts), frames, PITCHES, dtype=torch.bool)
        for part, start, stop, pitch in zip(*(each.tolist() for each in (self.part, first, last, self.pitch)), strict=True):
            rolls[part, start : max(stop, start + 1), pitch] = True
        return rolls

    def write(self, path: str | os.PathLike[str], *, tempo: float = 120.0, programs: tuple[int, ...] = ()) -> Path:
        """Write a MIDI file, whole or not at all; ``programs`` are General MIDI's, one a part (default piano).

        Raises:
            DataError: the file cannot be written.
        """
        import symusic

        score = symusic.Score(480)
        score.tempos.append(symusic.Tempo(0, tempo))
        for index, label in enumerate(self.parts):
            track = symusic.Track(label, programs[index] if index < len(programs) else 0, False)
            mine = (self.part == index).nonzero().flatten().tolist()
            for row in mine:
                start, length = round(float(self.onset[row]) * 480), max(round(float(self.length[row]) * 480), 1)
                track.notes.append(
                    symusic.Note(start, length, int(self.pitch[row]), max(round(127 * float(self.velocity[row])), 1))
                )
            score.tracks.append(track)
        with whole(Path(path)) as fresh:
            score.dump_midi(str(fresh))
        return Path(path)


def phase(onset: Tensor, per_beat: int = 4) -> float:
    """How far onsets (beats) lie off the grid: the circular mean of what is left of each."""
    turn = 2 * torch.pi * per_beat * onset
    return math.atan2(float(turn.sin().mean()), float(turn.cos().mean())) / (2 * torch.pi * per_beat)


def read_midi(path: str | os.PathLike[str], *, drums: bool = False) -> Notes:
    """The notes of a MIDI file in beats (quarter notes by its own clock); ``drums`` keeps tracks that have no pitch.

    Raises:
        DataError: the file cannot be read, or holds no note.
    """
    score = midi_score(path)
    tracks = [track for track in score.tracks if len(track.notes) and (drums or not track.is_drum)]
    if not tracks:
        some = any(len(track.notes) for track in score.tracks)
        what = "drums only: read it with drums=True, or leave it out" if some else "no notes; leave it out, or export it again"
        raise DataError(f"{path} holds {what}")
    return from_tracks(tracks, 1 / score.ticks_per_quarter, Path(path).stem)


def midi_score(path: str | os.PathLike[str]) -> Any:
    """The file as symusic reads it.

    Raises:
        DataError: it cannot be read.
    """
    import symusic

    try:
        return symusic.Score(Path(path))
    except Exception as error:  # symusic raises many kinds
        raise DataError(f"{path} could not be read as MIDI ({error}); remove it or export it again") from error


def from_tracks(tracks: list[Any], unit: float, name: str) -> Notes:
    """symusic's tracks, their times multiplied by ``unit``; one part a track."""
    import numpy as np

    tables = [track.notes.numpy() for track in tracks]
    columns = ([rows[key] for rows in tables] for key in ("time", "duration", "pitch", "velocity"))
    table = torch.from_numpy(np.stack([np.concatenate([np.empty(0), *column]) for column in columns]))
    part = torch.arange(len(tracks)).repeat_interleave(torch.tensor([len(rows["time"]) for rows in tables], dtype=torch.long))
    keep = table[1] > 0
    onset, length, pitch, velocity = table[:, keep]
    labels = tuple(track.name or f"track {index + 1}" for index, track in enumerate(tracks))
    return Notes(onset * unit, length * unit, pitch.long(), velocity / 127, part[keep], labels, name).checked()
