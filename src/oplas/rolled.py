"""The space of piano rolls that comes with oplas, as a space like any other: windows of MIDI files, and laws exact in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ._errors import DataError
from .actions.pianoroll import Shift, Transpose
from .data.notes import Notes
from .data.pianoroll import roll
from .encoders.base import Encoder
from .laws.equivariance import Equivariance
from .networks.blocks import SIDE
from .operators.translation import Translation
from .rollspace import BAR, OCTAVE, RollSpace
from .space import Space

#: Beats of a window, and steps of a beat.
BEATS, PER_BEAT = 32, 4
NAME = "piano rolls"
WHY = "exact by construction for every move that loses no note"


class RollEncoder(Encoder):
    """:class:`oplas.rollspace.RollSpace` as an encoder; windows are rolls, onset and sustain, flattened."""

    def __init__(self, space: RollSpace) -> None:
        super().__init__()
        self.name, self.rate, self.samples, self.dim = NAME, 0, 2 * SIDE * SIDE, space.dim
        self.space = space

    def forward(self, x: Tensor) -> Tensor:
        return self.space.encode(x.view(-1, 2, SIDE, SIDE))


def rolled(rolls: RollSpace | None = None) -> Space:
    """The space, by default the shipped one, with the two moves that are exact in it, whatever the network has learned."""
    rolls = rolls or RollSpace.load()
    moves = []
    for action, axis, unit in ((Transpose(-12, 12), 0, OCTAVE), (Shift(-BAR, BAR), 1, BAR)):
        operator = Translation(rolls.dim)
        with torch.no_grad():
            operator.direction[axis] = 1 / unit
        moves.append(Equivariance(action, operator))
    return Space(RollEncoder(rolls), laws=moves).eval()


def exact(space: Space) -> list[dict[str, Any]]:
    """What stands in the place of certificates where laws hold by construction."""
    laws = [law for law in space.laws if isinstance(law, Equivariance)]
    return [{"law": f"{law.action!r} → {law.operator!r}", "verdict": "holds", "why": WHY} for law in laws]


def windows(notes: Notes, hop: float = BEATS) -> Iterator[tuple[float, Tensor]]:
    """First beat and cells ``[2, 128, 128]`` of every window of 32 beats, ``hop`` beats apart, in which a note sounds."""
    for index in range(max(math.ceil(notes.beats / hop), 1)):
        try:
            yield index * hop, cells(notes.between(index * hop, index * hop + BEATS))
        except DataError:  # a window of rests
            continue


def cells(notes: Notes) -> Tensor:
    """A window as the encoder reads it, ``[2, 128, 128]``."""
    sheet = roll(notes, PER_BEAT)[..., :SIDE]
    return torch.nn.functional.pad(sheet, (0, SIDE - sheet.shape[2]))
