"""Deeds done to piano rolls and note lists."""

from __future__ import annotations

from dataclasses import replace
from typing import overload

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..data.base import Scene
from ..data.notes import PITCHES, Notes
from .base import Action


class Transpose(Action):
    r"""Every note of a song's window moves by theta semitones: :math:`x'_{t,p}=x_{t,p-\theta}`; all parts together are one.

    Theta is drawn from ``low`` to ``high``; where a note would leave the 128 pitches, from what is left of that range.

    >>> roll = torch.zeros(1, 2 * 128)
    >>> roll[0, [60, 128 + 64]] = 1
    >>> Transpose.roll(roll, 3).nonzero()[:, 1].tolist()
    [63, 195]
    """

    per_unit = 1

    def __init__(self, low: int = -6, high: int = 6) -> None:
        if low > high or int(low) != low or int(high) != high:
            raise ValueError(f"{type(self).__name__}({low}, {high}): give two whole numbers, from low to high")
        self.low, self.high = int(low), int(high)

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        before = scene.parts.amax(0, keepdim=True)
        down, up = room(before)
        able = [theta for theta in range(self.low, self.high + 1) if -down <= self.semitones(theta) <= up]
        theta = able[int(torch.randint(len(able), (), generator=generator))] if able else 0
        return before, self.roll(before, self.semitones(theta))[0], torch.tensor([float(theta)]), [0]

    def semitones(self, theta: int) -> int:
        """How far a deed of theta moves every note."""
        return theta

    @overload
    def __call__(self, song: Notes, theta: int) -> Notes: ...
    @overload
    def __call__(self, song: Tensor, theta: int) -> Tensor: ...
    def __call__(self, song: Notes | Tensor, theta: int) -> Notes | Tensor:
        """The deed done to a note list, or to rolls ``[..., frames, 128]``.

        Raises:
            DataError: a note would leave the 128 pitches.
        """
        if isinstance(song, Notes):
            return song.transpose(self.semitones(theta))
        return self.roll(song.flatten(-2), self.semitones(theta)).reshape(song.shape)

    @staticmethod
    def roll(cells: Tensor, semitones: int) -> Tensor:
        """Rolls ``[..., frames * 128]`` so many semitones higher.

        Raises:
            DataError: a note would leave the 128 pitches.
        """
        down, up = room(cells)
        if not -down <= semitones <= up:
            raise DataError(
                f"notes {down} semitones above the lowest pitch and {up} below the highest cannot move by {semitones}; "
                "transpose by less, or by an octave the other way"
            )
        return cells.unflatten(-1, (-1, PITCHES)).roll(semitones, -1).flatten(-2)


class KeyChange(Transpose):
    """The song moves by theta fifths around the circle: 7 theta semitones, taken to the nearest octave (-5 to 6).

    >>> KeyChange().semitones(1), KeyChange().semitones(2), KeyChange().semitones(12)
    (-5, 2, 0)
    """

    def __init__(self, low: int = -5, high: int = 6) -> None:
        super().__init__(low, high)

    def semitones(self, theta: int) -> int:
        return (7 * theta + 5) % 12 - 5


class Shift(Action):
    r"""Every note of a song's window begins theta cells later: :math:`x'_{t,p}=x_{t-\theta,p}`; all parts together are one.

    So that no note is lost, a window shows nothing on as many cells at either end as the largest shift has.

    Args:
        low, high: the least and the largest theta, cells; negative is earlier.
        per_beat: cells a beat of note lists.

    >>> song = Notes.of([(0.0, 1.0, 60)])
    >>> Shift()(song, 2).onset.tolist(), Shift()(song.roll(), 0).equal(song.roll())
    ([0.5], True)
    """

    def __init__(self, low: int = -8, high: int = 8, per_beat: int = 4) -> None:
        if low > high or int(low) != low or int(high) != high or per_beat < 1:
            raise ValueError(f"Shift({low}, {high}, {per_beat}): give two whole numbers, from low to high, and cells a beat")
        self.low, self.high, self.per_beat = int(low), int(high), per_beat

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        before = scene.parts.amax(0, keepdim=True).unflatten(1, (-1, PITCHES)).clone()
        margin = max(abs(self.low), abs(self.high))
        if 2 * margin >= before.shape[1]:
            raise DataError(f"{self!r} leaves nothing of a window of {before.shape[1]} cells; shift by less, or widen the window")
        before[:, :margin] = before[:, before.shape[1] - margin :] = 0
        theta = int(torch.randint(self.low, self.high + 1, (), generator=generator))
        return before.flatten(1), before.roll(theta, 1).flatten(1)[0], torch.tensor([float(theta)]), [0]

    @overload
    def __call__(self, song: Notes, theta: int) -> Notes: ...
    @overload
    def __call__(self, song: Tensor, theta: int) -> Tensor: ...
    def __call__(self, song: Notes | Tensor, theta: int) -> Notes | Tensor:
        """The deed done to a note list, or to rolls ``[..., frames, 128]``.

        Raises:
            DataError: a note would begin before the song does, or leave the roll.
        """
        if isinstance(song, Notes):
            if len(song) and float(song.onset.min()) + theta / self.per_beat < 0:
                where = f"{song.name or 'the song'} has a note at beat {float(song.onset.min()):g}"
                late = f"which cannot begin {-theta} cells of 1/{self.per_beat} beat earlier"
                raise DataError(f"{where}, {late}; shift by less, or put a rest before the song")
            return replace(song, onset=song.onset + theta / self.per_beat)
        gone = song[..., song.shape[-2] - theta :, :] if theta > 0 else song[..., : max(-theta, 0), :]
        if bool(gone.any()) or abs(theta) > song.shape[-2]:
            raise DataError(f"notes would leave the roll's {song.shape[-2]} cells, shifted by {theta}; leave a margin of rest")
        return song.roll(theta, -2)


class Stretch(Action):
    r"""Every time of a song's window becomes theta times itself: :math:`x'_{t,p}=x_{\lfloor t/\theta\rfloor,p}`, theta whole.

    So that no note is lost, a window shows only what still fits when it is stretched by ``high``. Factors multiply where deeds
    are done in a row; their logarithms add.

    >>> Stretch()(Notes.of([(1.0, 1.0, 60)]), 2).beats
    4.0
    """

    def __init__(self, low: int = 1, high: int = 2) -> None:
        if not 1 <= low <= high or int(low) != low or int(high) != high:
            raise ValueError(f"Stretch({low}, {high}): give two whole factors, from low to high, at least 1")
        self.low, self.high = int(low), int(high)

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        before = scene.parts.amax(0, keepdim=True).unflatten(1, (-1, PITCHES)).clone()
        frames = before.shape[1]
        before[:, frames // self.high :] = 0
        theta = int(torch.randint(self.low, self.high + 1, (), generator=generator))
        after = before.repeat_interleave(theta, 1)[0, :frames]
        return before.flatten(1), after.flatten(), torch.tensor([float(theta)]), [0]

    @overload
    def __call__(self, song: Notes, theta: int) -> Notes: ...
    @overload
    def __call__(self, song: Tensor, theta: int) -> Tensor: ...
    def __call__(self, song: Notes | Tensor, theta: int) -> Notes | Tensor:
        """The deed done to a note list, or to rolls of what sounds, ``[..., frames, 128]``, which become theta times as long."""
        return song.stretch(theta) if isinstance(song, Notes) else song.repeat_interleave(int(theta), -2)


class Velocity(Action):
    """Every note of a song's window is struck theta times as hard.

    Rolls say what sounds, not how loud: on them the deed is nothing, so a space of rolls has it for free. That makes it a control:
    a law about it that fails, or an operator that finds a direction for it, is wrong.

    >>> Velocity()(Notes.of([(0.0, 1.0, 60)]), 0.5).velocity.tolist()
    [0.4]
    """

    def __init__(self, low: float = 0.5, high: float = 1.0) -> None:
        if not 0 < low <= high:
            raise ValueError(f"Velocity({low}, {high}): give two positive factors, from low to high")
        self.low, self.high = low, high

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        before = scene.parts.amax(0, keepdim=True)
        theta = self.low + (self.high - self.low) * torch.rand(1, generator=generator)
        return before, before[0], theta, [0]

    @overload
    def __call__(self, song: Notes, theta: float) -> Notes: ...
    @overload
    def __call__(self, song: Tensor, theta: float) -> Tensor: ...
    def __call__(self, song: Notes | Tensor, theta: float) -> Notes | Tensor:
        """The deed done to a note list; rolls stay as they are.

        Raises:
            DataError: a note would be struck harder than MIDI knows, or not at all.
        """
        if not isinstance(song, Notes):
            return song
        hardest = float(song.velocity.max()) * theta
        if not 0 < hardest <= 1:
            raise DataError(
                f"the hardest note would get velocity {hardest:g}; MIDI has those above 0 and up to 1: use another factor"
            )
        return replace(song, velocity=song.velocity * theta)


def room(cells: Tensor) -> tuple[int, int]:
    """Semitones that the lowest note can fall and the highest can rise."""
    sounding = (cells.unflatten(-1, (-1, PITCHES)) != 0).flatten(0, -2).any(0).nonzero().flatten()
    return (int(sounding[0]), PITCHES - 1 - int(sounding[-1])) if len(sounding) else (PITCHES, PITCHES)
