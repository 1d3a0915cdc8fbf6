"""Deeds done to piano rolls and note lists."""

from __future__ import annotations

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


def room(cells: Tensor) -> tuple[int, int]:
    """Semitones that the lowest note can fall and the highest can rise."""
    sounding = (cells.unflatten(-1, (-1, PITCHES)) != 0).flatten(0, -2).any(0).nonzero().flatten()
    return (int(sounding[0]), PITCHES - 1 - int(sounding[-1])) if len(sounding) else (PITCHES, PITCHES)
