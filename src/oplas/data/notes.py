"""Note lists: what a MIDI file says, without its clock's quirks."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .._errors import DataError

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
    def of(cls, rows: list[tuple[float, float, int]], *, name: str = "", parts: tuple[str, ...] = ("notes",)) -> Notes:
        """Notes of one part from rows (onset, length, pitch)."""
        table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 3)
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

    def between(self, first: float, last: float) -> Notes:
        """What sounds from beat ``first`` to beat ``last``, cut at both ends, starting at 0."""
        start, end = self.onset.clamp_min(first), (self.onset + self.length).clamp_max(last)
        keep = end > start
        rows = {name: getattr(self, name)[keep] for name in ("pitch", "velocity", "part")}
        return replace(self, onset=(start - first)[keep], length=(end - start)[keep], **rows).checked()

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
        """Write as a MIDI file, ``tempo`` beats per minute; ``programs`` are General MIDI's, one a part (default piano)."""
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
        score.dump_midi(str(path))
        return Path(path)


def read_midi(path: str | os.PathLike[str], *, drums: bool = False) -> Notes:
    """The notes of a MIDI file in beats (quarter notes by its own clock); ``drums`` keeps tracks that have no pitch.

    Raises:
        DataError: the file cannot be read, or holds no note.
    """
    score = midi_score(path)
    tracks = [track for track in score.tracks if len(track.notes) and (drums or not track.is_drum)]
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
    columns: dict[str, list[Tensor]] = {"time": [], "duration": [], "pitch": [], "velocity": []}
    part = []
    for index, track in enumerate(tracks):
        rows = track.notes.numpy()
        for key, values in columns.items():
            values.append(torch.from_numpy(rows[key].copy()).double())
        part.append(torch.full((len(rows["time"]),), index))
    empty = torch.zeros(0, dtype=torch.float64)
    onset, length, pitch, velocity = (torch.cat(values) if values else empty for values in columns.values())
    keep = length > 0
    which = torch.cat(part)[keep] if part else torch.zeros(0, dtype=torch.long)
    labels = tuple(track.name or f"track {index + 1}" for index, track in enumerate(tracks))
    notes = Notes(onset[keep] * unit, length[keep] * unit, pitch[keep].long(), velocity[keep] / 127, which, labels, name)
    return notes.checked()
