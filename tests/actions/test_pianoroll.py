"""Transposing notes, rolls and codes is one and the same deed."""

import pytest
import torch
from torch import Generator

from oplas._errors import DataError
from oplas.actions.pianoroll import KeyChange, Shift, Stretch, Transpose, Velocity
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


DEEDS = [(Transpose(), (-5, 0, 4)), (Shift(), (0, 1, 7)), (Stretch(), (1, 2, 3)), (Velocity(), (0.5, 1.0))]


@pytest.mark.parametrize(("deed", "thetas"), DEEDS, ids=lambda each: type(each).__name__)
def test_deeds_commute_with_reading_rolls(deed, thetas):
    song = songs(beats=20).songs[0]
    for theta in thetas:
        room = torch.nn.functional.pad(song.roll(), (0, 0, 0, 8))  # cells of rest, into which a shift may go
        done, seen = deed(song, theta).roll(), deed(room, theta)
        frames = min(done.shape[1], seen.shape[1])
        assert torch.equal(done[:, :frames], seen[:, :frames]) and done.sum() == seen.sum()


@pytest.mark.parametrize(("deed", "both"), [(Shift(), 5), (Stretch(), 6)], ids=["steps add", "factors multiply"])
def test_deeds_in_a_row_are_one_deed(deed, both):
    song = songs(beats=8).songs[0]
    assert torch.allclose(deed(deed(song, 2), 3).onset, deed(song, both).onset)


@pytest.mark.parametrize("deed", [Shift(-6, 6), Stretch(1, 3), Velocity()], ids=lambda each: type(each).__name__)
def test_what_is_performed_loses_no_note(deed):
    generator, rolls = Generator().manual_seed(0), songs(beats=64)
    for _ in range(20):
        scene = rolls.draw(4 * 128, 64 * 128, 1, generator)
        before, after, theta, chosen = deed.perform(scene, generator)
        cells, there = before.view(64, 128), after.view(64, 128)
        assert chosen == [0] and cells.any() and theta.shape == (1,)
        if isinstance(deed, Shift):
            assert torch.equal(cells.roll(int(theta), 0), there) and torch.equal(deed(cells, int(theta)), there)
        elif isinstance(deed, Stretch):
            assert there.sum() == theta * cells.sum()
        else:
            assert torch.equal(cells, there)


def test_moves_that_lose_notes_are_refused():
    song = songs(beats=8).songs[0]
    with pytest.raises(DataError, match="cannot begin 1 cells"):
        Shift()(song, -1)
    with pytest.raises(DataError, match="leave a margin"):
        Shift()(song.roll(), 1)
    with pytest.raises(DataError, match="shift by less"):
        Shift(-32, 32).perform(songs().draw(4 * 128, 64 * 128, 1, Generator()), Generator())
    with pytest.raises(DataError, match=r"velocity 1\.6"):
        Velocity()(song, 2.0)


@pytest.mark.parametrize("make", [lambda: Shift(3, -3), lambda: Stretch(0, 2), lambda: Velocity(0, 1)])
def test_senseless_bounds_are_refused(make):
    with pytest.raises(ValueError, match="from low to high"):
        make()
