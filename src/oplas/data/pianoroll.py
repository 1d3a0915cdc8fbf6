"""Piano rolls with onsets: notes to rolls, rolls to notes, and windows of songs drawn in batches with their moved versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .notes import PITCHES, Notes
from .views import Views

ONSET, SUSTAIN = 0, 1


def cells(notes: Notes, per_beat: int = 4) -> Tensor:
    """Each note as whole cells: first, the one after its last, pitch; ``[n, 3]`` integers. A note fills one cell at least."""
    first = (notes.onset * per_beat).round().long()
    stop = ((notes.onset + notes.length) * per_beat).round().long().maximum(first + 1)
    return torch.stack([first, stop, notes.pitch], 1)


def roll(notes: Notes, per_beat: int = 4) -> Tensor:
    """All parts as one roll, ``[2, 128, frames]``: one where a note begins (channel 0), one while it sounds (channel 1).

    >>> sheet = roll(Notes.of([(0.0, 0.5, 60), (0.5, 0.5, 60)]))
    >>> sheet[:, 60].tolist()
    [[1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]]
    """
    table = cells(notes, per_beat)
    return _fill(table, torch.zeros(len(table), dtype=torch.long), 1, int(table[:, 1].max()))[0]


def unroll(sheet: Tensor, *, per_beat: int = 4, name: str = "") -> Notes:
    """The notes of a roll ``[2, 128, frames]``, a cell being on above one half.

    A note lasts until its pitch begins again or falls silent. What sounds without having begun starts a note where the sound
    starts, so nothing is lost: ``roll(unroll(x))`` is x, wherever every sound of x has begun.

    Raises:
        DataError: the roll holds no note.
        ShapeError: it has another shape.
    """
    if sheet.ndim != 3 or sheet.shape[:2] != (2, PITCHES):
        raise ShapeError(f"a roll has shape [2, {PITCHES}, frames]; {list(sheet.shape)} was given")
    onset = sheet[ONSET] > 0.5
    sounds = onset | (sheet[SUSTAIN] > 0.5)
    begins = onset | (sounds & ~torch.nn.functional.pad(sounds, (1, 0))[:, :-1])
    edges = torch.nn.functional.pad(begins | ~sounds, (0, 1), value=True).flatten().nonzero().flatten()
    pitch, first = begins.nonzero(as_tuple=True)
    at = pitch * (sounds.shape[1] + 1) + first
    length = edges[torch.searchsorted(edges, at, right=True)] - at
    order = (first * PITCHES + pitch).argsort()
    rows = torch.stack([first, length, pitch], 1)[order].double()
    rows[:, :2] /= per_beat
    return Notes.of(rows, name=name or "the roll")


class Crops:
    r"""Every window of ``size`` cells of some songs in which at least ``least`` notes begin; rolls are made when asked for.

    Around ``"rest"``, a window shows ``size - 2 margin`` cells of its song with ``margin`` empty ones on both sides: shifted by up
    to the margin it is the same notes elsewhere, exactly, and shifts form a group: :math:`T_s T_t=T_{s+t}`. Around ``"song"`` the
    window is full, and shifting slides it along the song: what comes in at one side is what the song plays there.

    Notes stay notes and move as integers: no move rounds, and none loses a note unseen.

    >>> crops = Crops([Notes.of([(beat, 1.0, 60 + beat) for beat in range(8)])], size=24, margin=4)
    >>> first = torch.tensor([0])
    >>> torch.equal(crops.rolls(first, semitones=2, steps=3), crops.rolls(first).roll((2, 3), (2, 3)))
    True

    Args:
        songs: note lists that lie on the grid (:meth:`oplas.data.Notes.on_grid`).
        per_beat: cells a beat.

    Attributes:
        names: of the songs.
        song, start: which song each window is of, and the cell at which what it shows begins, ``[windows]``.

    Raises:
        DataError: there is no such window.
    """

    def __init__(
        self, songs: Sequence[Notes], *, size: int = 128, margin: int = 16, around: Literal["rest", "song"] = "rest",
        least: int = 4, per_beat: int = 4,
    ) -> None:  # fmt: skip
        if not 0 <= 2 * margin < size or around not in ("rest", "song") or least < 1 or per_beat < 1:
            raise ValueError(
                f"crops of {size} cells, margin {margin}, around {around!r}, {least} notes at least, {per_beat} cells a beat: "
                "margins must leave room for notes, counts be positive, and around be 'rest' or 'song'"
            )
        self.names, self.size, self.around, self.per_beat = [song.name for song in songs], size, around, per_beat
        self.margin = margin if around == "rest" else 0
        self.inner = size - 2 * self.margin
        tables, origin, found, end = [], [], [], 0
        for notes in songs:
            table = cells(notes, per_beat)
            found.append(_windows(table, self.inner, least))
            origin.append(end + 2 * size)  # on one line of time, too far apart to be seen together
            tables.append(table[table[:, 0].argsort(stable=True)] + torch.tensor([origin[-1], origin[-1], 0]))
            end = int(tables[-1][:, 1].max())
        if not sum(map(len, found)):
            raise DataError(
                f"no window of {self.inner} cells in the {len(tables)} songs given has {least} notes; give others or ask for fewer"
            )
        self.song = torch.arange(len(found)).repeat_interleave(torch.tensor([len(each) for each in found]))
        self.start = torch.cat(found)
        self._at = self.start + torch.tensor(origin)[self.song]
        self._notes = torch.cat(tables)
        self._first, self._last = self._notes[:, 0].contiguous(), self._notes[:, 1].cummax(0).values

    def __len__(self) -> int:
        return len(self.song)

    def grid(self, hop: int | None = None) -> Tensor:
        """The windows that start at multiples of ``hop`` cells (default: end to end), as an index."""
        return (self.start % (hop or self.inner) == 0).nonzero().flatten()

    def at_notes(self) -> Tensor:
        """The windows that start where a note begins, as an index."""
        return torch.isin(self._at, self._first).nonzero().flatten()

    def rolls(self, index: Tensor, semitones: Tensor | int = 0, steps: Tensor | int = 0) -> Tensor:
        """Rolls of the windows at ``index``, so many semitones higher and cells later, ``[n, 2, 128, size]``.

        Raises:
            DataError: a note would leave the 128 pitches or, shifted by more than the margin, the window.
        """
        semitones, steps = (torch.as_tensor(each).expand(len(index)) for each in (semitones, steps))
        reach = self.margin if self.around == "rest" else self.size
        if len(index) and int(steps.abs().max()) > reach:
            raise DataError(
                f"windows were to be shifted by up to {int(steps.abs().max())} cells; {reach} is the most: raise the margin"
            )
        begin, lead = (self._at[index], self.margin + steps) if self.around == "rest" else (self._at[index] - steps, 0 * steps)
        row, notes = self._among(begin, begin + self.inner)
        table = notes - torch.stack([begin, begin, -semitones], 1)[row]
        low, high = (int(table[:, 2].min()), int(table[:, 2].max())) if len(table) else (0, 0)
        if low < 0 or high >= PITCHES:
            raise DataError(f"transposed, the notes would have pitches from {low} to {high}, beyond 0 to {PITCHES - 1}; see room()")
        table[:, 1] = table[:, 1].clamp_max(self.inner)
        return _fill(table, row, len(index), self.size, lead)

    def room(self, index: Tensor, steps: int = 0) -> Tensor:
        """Semitones that each window's notes can fall and rise, shifted by up to ``steps``, ``[n, 2]``."""
        slide = steps if self.around == "song" else 0
        row, notes = self._among(self._at[index] - slide, self._at[index] + self.inner + slide)
        room = torch.full((len(index), 2), PITCHES)
        room[:, 0].scatter_reduce_(0, row, notes[:, 2], "amin")
        room[:, 1].scatter_reduce_(0, row, PITCHES - 1 - notes[:, 2], "amin")
        return room

    def moves(
        self, index: Tensor, generator: Generator, *, semitones: tuple[int, int] = (-6, 6), steps: tuple[int, int] = (-16, 16)
    ) -> Tensor:
        """A random move for each window, uniform over those that lose no note, bounds included: ``[n, 2]``, semitones and steps."""
        room = self.room(index, max(map(abs, steps)))
        low, high = (-room[:, 0]).clamp_min(semitones[0]), room[:, 1].clamp_max(semitones[1])
        low = low.minimum(high)  # where no move asked for has room, the nearest that has
        drawn = (torch.rand(len(index), generator=generator) * (high - low + 1)).long().minimum(high - low)
        return torch.stack([low + drawn, torch.randint(steps[0], steps[1] + 1, (len(index),), generator=generator)], 1)

    def views(self, count: int, generator: Generator, *, semitones: int = 6, steps: int = 16) -> Views:
        """Random windows at rest and moved twice: in pitch twice, in time twice, or once in each, a third of the time each."""
        index = torch.randint(len(self), (count,), generator=generator)
        scheme = torch.randint(3, (count,), generator=generator)
        drawn = [self.moves(index, generator, semitones=(-semitones, semitones), steps=(-steps, steps)) for _ in range(2)]
        axis = torch.stack([scheme == 1, scheme != 0], 1).long()
        moves = torch.zeros(count, 3, 2, dtype=torch.long)
        moves[:, 1:] = torch.stack(drawn, 1) * torch.nn.functional.one_hot(axis, 2)
        x = self.rolls(index.repeat_interleave(3), *moves.flatten(0, 1).T)
        return Views(x.unflatten(0, (count, 3)), moves)

    def _among(self, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Notes that sound between moments: which of them, ``[m]``, and the notes, ``[m, 3]``."""
        low, high = torch.searchsorted(self._last, begin, right=True), torch.searchsorted(self._first, end)
        count = (high - low).clamp_min(0)
        row = torch.arange(len(begin)).repeat_interleave(count)
        place = torch.arange(len(row)) - (count.cumsum(0) - count)[row] + low[row]
        keep = self._notes[place, 1] > begin[row]
        return row[keep], self._notes[place[keep]]


def _windows(table: Tensor, inner: int, least: int) -> Tensor:
    """Cells at which a window of ``inner`` cells holds the beginnings of ``least`` notes; a short song has one window."""
    frames = int(table[:, 1].max())
    begun = torch.bincount(table[:, 0] + 1, minlength=max(frames, inner) + 1).cumsum(0)
    return ((begun[inner:] - begun[:-inner])[: max(frames - inner, 0) + 1] >= least).nonzero().flatten()


def _fill(table: Tensor, row: Tensor, count: int, frames: int, lead: Tensor | None = None) -> Tensor:
    """Rolls with the notes of ``table``, ``lead`` cells later; what began before cell 0 sounds from there, without onset."""
    out = torch.zeros(count, 2, PITCHES, frames)
    flat = out.view(-1)
    later = lead[row] if lead is not None else torch.zeros_like(row)
    begun = table[:, 0] >= 0
    first = table[:, 0].clamp_min(0)
    home = (row * 2 * PITCHES + table[:, 2]) * frames + first + later
    flat[home[begun]] = 1
    length = table[:, 1] - first
    along = torch.arange(int(length.sum())) - (length.cumsum(0) - length).repeat_interleave(length)
    flat[(home + SUSTAIN * PITCHES * frames).repeat_interleave(length) + along] = 1
    return out
