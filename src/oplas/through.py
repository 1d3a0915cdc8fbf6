"""Whole songs taken through a space of rolls: encoded window by window, moved there, decoded, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from ._errors import DataError
from .actions.pianoroll import Shift, Transpose
from .data.notes import Notes
from .data.pianoroll import cells, roll, unroll
from .measure.notes import NoteScore, note_score

SIZE, MARGIN = 128, 16
BATCH = 16


class Moving(Protocol):
    """A space in which rolls ``[n, 2, 128, 128]`` can be moved, and from which they come back."""

    def encode(self, rolls: Tensor) -> Tensor:
        """Rolls to latents, ``[n, dim]``."""
        ...

    def transpose(self, z: Tensor, semitones: int) -> Tensor:
        """Latents so many semitones higher."""
        ...

    def shift(self, z: Tensor, steps: int) -> Tensor:
        """Latents so many cells later."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Latents to rolls."""
        ...


@dataclass(frozen=True)
class Passage:
    """A song before and after its way through a space.

    Attributes:
        before: the song.
        found: what came out, with the parts, the velocities and what the grid rounds away taken over from the song.
        true: the song moved by its notes.
        score: ``found`` against ``true``.
    """

    before: Notes
    found: Notes
    true: Notes
    score: NoteScore


def through(
    song: Notes, space: Moving, *, semitones: int = 0, steps: int = 0, tell: Callable[[float], object] = lambda done: None
) -> Passage:
    r"""Transpose or shift a song in a space: :math:`\hat x=g(f(x)+s\,v)` on windows of 96 sixteenths with rests around them.

    Args:
        song: notes on the grid of sixteenths (:meth:`oplas.data.Notes.on_grid`).
        steps: sixteenths later, at most 16 either way.
        tell: called with the number of windows done, for progress; there are :func:`windows` of them.

    Raises:
        DataError: a note would leave MIDI's range or begin before the song does, the shift is too large, or nothing comes out.
    """
    if abs(steps) > MARGIN:
        raise DataError(f"a window has {MARGIN} cells of rest on either side, so {steps} is too far to shift; {MARGIN} is the most")
    true = Shift()(Transpose()(song, semitones), steps)
    sheet = roll(song)
    inner, frames = SIZE - 2 * MARGIN, sheet.shape[2]
    padded = torch.nn.functional.pad(sheet, (0, windows(song) * inner - frames))
    parts = torch.nn.functional.pad(padded.unflatten(2, (-1, inner)).permute(2, 0, 1, 3), (MARGIN, MARGIN))
    made = []
    for some in parts.split(BATCH):
        sounding = some.flatten(1).any(1)
        back = torch.zeros_like(some)
        if sounding.any():
            back[sounding] = space.decode(space.shift(space.transpose(space.encode(some[sounding]), semitones), steps))
        made.append(back[..., MARGIN + steps : MARGIN + steps + inner])
        tell(len(some))
    drawn = torch.cat(made).permute(1, 2, 0, 3).flatten(2)
    try:
        plain = unroll(drawn)
    except DataError as error:
        raise DataError(f"nothing of {song.name or 'the song'} came out of the space; was it trained?") from error
    plain = replace(plain, onset=plain.onset + steps / 4)
    if float(plain.onset.min()) < 0:  # a window's first cells, which the true notes leave empty
        plain = plain.between(0, plain.beats)
    return Passage(song, _dressed(plain, true), true, note_score(plain, true))


def windows(song: Notes) -> int:
    """How many windows a song is taken through in."""
    return -(-int(cells(song)[:, 1].max()) // (SIZE - 2 * MARGIN))


def _dressed(found: Notes, true: Notes) -> Notes:
    """The notes found with part, velocity and exact times of the true notes they are, else of the nearest in time and pitch.

    Where several parts share a note, each has it again.
    """
    ours, theirs = cells(found), cells(true)
    at: dict[tuple[int, int], list[int]] = {}
    for row, (first, _, pitch) in enumerate(theirs.tolist()):
        at.setdefault((first, pitch), []).append(row)
    rows: list[tuple[float, float, int, float, int]] = []
    for mine, (first, stop, pitch) in enumerate(ours.tolist()):
        same = at.get((first, pitch))
        if same is None:
            near = int(((theirs[:, 0] - first).abs() + (theirs[:, 2] - pitch).abs()).argmin())
            rows.append(
                (float(found.onset[mine]), float(found.length[mine]), pitch, float(true.velocity[near]), int(true.part[near]))
            )
        for row in same or ():
            whole = int(theirs[row, 1]) == stop
            length = float(true.length[row]) if whole else max(stop / 4 - float(true.onset[row]), 1 / 16)
            rows.append((float(true.onset[row]), length, pitch, float(true.velocity[row]), int(true.part[row])))
    onset, length, pitch, velocity, part = torch.tensor(rows, dtype=torch.float64).T
    return Notes(onset, length, pitch.long(), velocity, part.long(), true.parts, true.name).checked()
