"""Transposing notes, rolls and codes is one and the same deed."""

import pytest
import torch
from torch import Generator

from oplas._errors import DataError
from oplas.actions.pianoroll import KeyChange, Transpose
from oplas.data.notes import Notes
from oplas.data.rolls import Rolls
from oplas.encoders.rolls import pitch_classes, pitch_durations


def songs(count: int = 4, beats: int = 64) -> Rolls:
    made = []
    for seed in range(count):
        pitch = torch.randint(45, 80, (beats,), generator=Generator().manual_seed(seed)).tolist()
        made.append(Notes.of([(float(i), 1.0, p) for i, p in enumerate(pitch)], name=str(seed)))
    return Rolls(made)


@pytest.mark.parametrize("action", [Transpose(-7, 7), KeyChange()])
def test_evidence_of_the_deed_is_a_shift_of_the_code(action):
    for encoder in (pitch_classes(), pitch_durations()):
        trials = action.trials(encoder, songs(), 40, Generator().manual_seed(0))
        for before, after, theta in zip(trials.before[:, 0], trials.after, trials.theta[:, 0].tolist(), strict=True):
            assert torch.equal(before.roll(action.semitones(int(theta))), after)
        assert len(trials.theta.unique()) > 8


def test_notes_and_rolls_move_alike_and_deeds_add_up():
    song = songs().songs[0]
    roll = song.roll()
    for theta in (-5, 0, 4):
        assert torch.equal(Transpose()(song, theta).roll(), Transpose()(roll, theta))
    assert torch.equal(Transpose()(Transpose()(roll, 3), 4), Transpose()(roll, 7))
    assert all((KeyChange().semitones(a) + KeyChange().semitones(b) - KeyChange().semitones(a + b)) % 12 == 0
               for a in range(-6, 7) for b in range(-6, 7))  # fmt: skip


def test_no_note_is_ever_lost():
    high = Rolls([Notes.of([(float(i), 1.0, 127 - i % 3) for i in range(40)])])
    trials = Transpose(1, 6).trials(pitch_durations(), high, 8, Generator().manual_seed(0))
    assert torch.allclose(trials.after.sum(1), torch.ones(8)) and trials.theta.unique().tolist() == [0.0]  # no room above
    with pytest.raises(DataError, match="cannot move by 2"):
        Transpose()(high.songs[0].roll(), 2)


def test_senseless_ranges_are_refused():
    with pytest.raises(ValueError, match="from low to high"):
        Transpose(3, -3)
