"""Rolls say what the notes say, windows move exactly, and no note is lost unseen."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.data import Crops, Notes, roll, unroll

note = st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(20, 100))


def song(seed: int = 0, count: int = 120, cells: int = 300) -> Notes:
    draw = Generator().manual_seed(seed)
    first, length, pitch = (torch.randint(low, high, (count,), generator=draw) for low, high in ((0, cells), (1, 9), (40, 90)))
    return Notes.of(torch.stack([first / 4, length / 4, pitch.double()], 1), name=str(seed))


def crops(**options: object) -> Crops:
    return Crops([song(seed) for seed in range(4)], size=64, **{"margin": 12, **options})


@settings(max_examples=60, deadline=None)
@given(st.lists(note, min_size=1, max_size=40))
def test_a_roll_read_back_is_the_same_roll(rows):
    sheet = roll(Notes.of([(a / 4, b / 4, pitch) for a, b, pitch in rows]))
    assert torch.equal(roll(unroll(sheet)), sheet)


def test_notes_that_do_not_overlap_come_back_as_they_were(tmp_path):
    notes = Notes.of([(0.0, 0.5, 60), (0.5, 0.25, 60), (0.0, 4.0, 40), (2.0, 1.0, 60)])
    back = unroll(roll(notes))
    rows = sorted(zip(back.onset.tolist(), back.length.tolist(), back.pitch.tolist(), strict=True))
    assert rows == sorted(zip(notes.onset.tolist(), notes.length.tolist(), notes.pitch.tolist(), strict=True))


def test_a_sound_that_never_began_is_kept_as_a_note():
    sheet = torch.zeros(2, 128, 10)
    sheet[1, 60, 3:7] = 1
    back = unroll(sheet)
    assert (back.onset.tolist(), back.length.tolist()) == ([0.75], [1.0])


@pytest.mark.parametrize("shape", [(128, 10), (1, 128, 10), (2, 88, 10)])
def test_other_shapes_are_no_rolls(shape):
    with pytest.raises(ShapeError, match="a roll has shape"):
        unroll(torch.zeros(shape))


def test_an_empty_roll_has_no_notes():
    with pytest.raises(DataError, match="no notes"):
        unroll(torch.zeros(2, 128, 16))


def test_windows_are_cut_from_the_songs_roll():
    whole = crops(around="song")
    for index in torch.randint(len(whole), (30,), generator=Generator().manual_seed(0)).tolist():
        sheet, start = roll(song(int(whole.song[index]))), int(whole.start[index])
        assert torch.equal(whole.rolls(torch.tensor([index]))[0], sheet[:, :, start : start + 64])
    framed = crops()
    index = framed.grid()
    for row, window in zip(index.tolist(), framed.rolls(index), strict=True):
        start = int(framed.start[row])
        assert torch.equal(window[:, :, 12:52], roll(song(int(framed.song[row])))[:, :, start : start + 40])
        assert not window[:, :, :12].any() and not window[:, :, 52:].any()


def test_a_moved_window_is_the_window_moved_and_loses_nothing():
    framed, draw = crops(), Generator().manual_seed(1)
    index = torch.randint(len(framed), (200,), generator=draw)
    moves = framed.moves(index, draw, semitones=(-45, 45), steps=(-12, 12))
    for before, after, (up, later) in zip(framed.rolls(index), framed.rolls(index, *moves.T), moves.tolist(), strict=True):
        assert torch.equal(before.roll((up, later), (1, 2)), after) and after[1].sum() == before[1].sum()
    assert int(moves[:, 0].min()) < -20 and int(moves[:, 0].max()) > 20  # as far as there is room, no further


def test_around_the_song_a_shift_slides_along_it():
    whole, draw = crops(around="song"), Generator().manual_seed(1)
    index = torch.randint(len(whole), (100,), generator=draw)
    moves = whole.moves(index, draw, semitones=(-3, 3), steps=(-20, 20))
    assert len(moves[:, 1].unique()) > 20
    for before, after, (up, later) in zip(whole.rolls(index), whole.rolls(index, *moves.T), moves.tolist(), strict=True):
        kept = before[1].roll(up, 0)
        ours, theirs = (kept[:, : 64 - later], after[1][:, later:]) if later >= 0 else (kept[:, -later:], after[1][:, : 64 + later])
        assert torch.equal(ours, theirs)


def test_views_rest_first_and_move_along_one_axis_at_a_time():
    views = crops().views(60, Generator().manual_seed(2), steps=12)
    assert views.x.shape == (60, 3, 2, 128, 64) and not views.moves[:, 0].any()
    assert not (views.moves != 0).all(2).any() and (views.moves[:, 1:] != 0).any(1).all(1).any()
    for seen, moves in zip(views.x, views.moves.tolist(), strict=True):
        for each, (up, later) in zip(seen, moves, strict=True):
            assert torch.equal(seen[0].roll((up, later), (1, 2)), each)


def test_windows_that_start_with_a_note():
    whole = crops(around="song", least=1)
    begins = whole.rolls(whole.at_notes())[:, 0, :, 0].any(1)
    assert begins.all() and len(begins) < len(whole)


def test_every_window_has_notes_and_a_short_song_is_one_window():
    assert float(crops(least=6).rolls(torch.arange(0, 200))[:, 0].sum((1, 2)).min()) >= 6 - 2  # two may begin on one cell
    short = Crops([Notes.of([(0.0, 1.0, 60), (1.0, 1.0, 62)])], size=64, margin=12, least=2)
    assert len(short) == 1 and short.rolls(short.grid()).shape == (1, 2, 128, 64)


def test_moves_that_would_lose_notes_are_refused():
    framed = crops()
    with pytest.raises(DataError, match="12 is the most"):
        framed.rolls(torch.tensor([0]), steps=13)
    with pytest.raises(DataError, match="beyond 0 to 127"):
        framed.rolls(torch.tensor([0]), semitones=60)
    with pytest.raises(DataError, match="no window"):
        Crops([Notes.of([(0.0, 1.0, 60)])])
    with pytest.raises(ValueError, match="margins must leave room"):
        crops(margin=32)
