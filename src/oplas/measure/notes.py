"""How many notes are right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .._told import Told
from ..data.notes import PITCHES, Notes
from ..data.pianoroll import cells


@dataclass(frozen=True)
class NoteScore(Told):
    """Notes found beside the true ones; one is right where its pitch and the cell it begins on are those of a true note.

    Attributes:
        f1: harmonic mean of precision and recall.
        f1_with_length: the same, where the note must last as many cells, too.
        found, true: how many notes there are, those on one pitch and cell counted once.
    """

    precision: float
    recall: float
    f1: float
    f1_with_length: float
    found: int
    true: int

    def __str__(self) -> str:
        lengths = f"{self.f1_with_length:.4f} with lengths"
        return f"note F1 {self.f1:.4f} ({lengths}), precision {self.precision:.4f}, recall {self.recall:.4f}, {self.true} notes"


def note_score(found: Notes, true: Notes, per_beat: int = 4) -> NoteScore:
    """Score notes against the true ones on a grid of ``per_beat`` cells a beat.

    >>> true = Notes.of([(0.0, 1.0, 60), (1.0, 1.0, 62)])
    >>> note_score(Notes.of([(0.0, 1.0, 60), (1.0, 0.5, 62), (2.0, 1.0, 64)]), true).f1
    0.8
    """
    ours, theirs = cells(found, per_beat), cells(true, per_beat)
    precision, recall, f1 = _shares(_names(ours[:, [0, 2]]), _names(theirs[:, [0, 2]]))
    with_length = _shares(_names(ours), _names(theirs))[2]
    count = [len(_names(each[:, [0, 2]]).unique()) for each in (ours, theirs)]
    return NoteScore(precision, recall, f1, with_length, *count)


def _names(rows: Tensor) -> Tensor:
    """One number for each row of small ones."""
    name = torch.zeros(len(rows), dtype=torch.long)
    for column in rows.T:
        name = name * (PITCHES << 12) + column
    return name


def _shares(found: Tensor, true: Tensor) -> tuple[float, float, float]:
    found, true = found.unique(), true.unique()
    right = int(torch.isin(found, true).sum())
    return right / len(found), right / len(true), 2 * right / (len(found) + len(true))
