"""The space of rolls: moves are translations whatever was learned, and the shipped networks draw what they were given."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oplas._errors import ArtefactError, DataError, ShapeError
from oplas.data.pianoroll import Crops, unroll
from oplas.data.pop909 import pop909
from oplas.measure.notes import note_score
from oplas.rollspace import WEIGHTS, RollSpace, frame, placed


def melody(seed: int, notes: int = 24, low: int = 50, high: int = 80) -> torch.Tensor:
    """A roll of short notes from step 20 to 100, none on top of another."""
    generator = torch.Generator().manual_seed(seed)
    roll = torch.zeros(1, 2, 128, 128)
    for step in range(20, 100, max(80 // notes, 1)):
        pitch = int(torch.randint(low, high, (), generator=generator))
        roll[0, 0, pitch, step] = 1
        roll[0, 1, pitch, step : step + 2] = 1
    return roll


@pytest.fixture(scope="module")
def shipped() -> RollSpace:
    return RollSpace.load()


@pytest.fixture(scope="module")
def bare() -> RollSpace:
    torch.manual_seed(0)
    return RollSpace().eval()


@given(st.integers(0, 9), st.integers(-40, 40), st.integers(-20, 20))
@settings(max_examples=12, deadline=None)
def test_moves_are_translations_even_untrained(seed, semitones, steps):
    torch.manual_seed(0)
    space = RollSpace().eval()
    roll = melody(seed)
    moved = space.encode(roll.roll((semitones, steps), (2, 3)))
    assert torch.allclose(space.shift(space.transpose(space.encode(roll), semitones), steps), moved, atol=1e-5)


def test_frame_moves_with_a_roll_that_fills_the_pitches():
    roll = torch.zeros(1, 2, 128, 128)
    roll[0, :, 120:, 30] = roll[0, :, 1, 31] = 1
    assert torch.equal(frame(roll.roll(-1, 2)), frame(roll) - torch.tensor([1.0, 0.0]))
    assert torch.equal(placed(placed(roll, -frame(roll)), frame(roll)), roll)


def test_shipped_space_draws_the_melody_transposed(shipped):
    roll = torch.cat([melody(seed) for seed in range(8)])
    drawn = shipped.decode(shipped.shift(shipped.transpose(shipped.encode(roll), 5), -7))
    true = roll.roll((5, -7), (2, 3))
    assert float(2 * (drawn * true).sum() / (drawn.sum() + true.sum())) > 0.99


def test_held_out_songs_come_back_note_by_note(shipped, shared_data, tmp_path):
    """The figure of benchmarks/factor_pop909.py, on three songs that no training saw."""
    names = json.loads((Path(__file__).parents[1] / "benchmarks" / "weights" / "held_out.json").read_text())[:3]
    with tarfile.open(shared_data / "pop909.tar.gz") as tar:
        tar.extractall(tmp_path, [each for each in tar if each.name.split("/")[-2:-1] in [[name] for name in names]], filter="data")
    crops = Crops([song.notes for song in pop909(tmp_path)])
    rolls = crops.rolls(crops.grid(96))
    drawn = shipped.decode(shipped.encode(rolls))
    found, true = (unroll(torch.cat([*each], 2), name="songs") for each in (drawn, rolls))
    assert note_score(found, true).f1 > 0.98


def test_silence_stays_silence(shipped):
    z = shipped.encode(torch.zeros(2, 2, 128, 128))
    assert not z[:, :2].any() and not shipped.decode(z).any()
    assert shipped.encode(torch.zeros(0, 2, 128, 128)).shape == (0, shipped.dim)
    assert shipped.decode(torch.zeros(0, shipped.dim)).shape == (0, 2, 128, 128)


def test_bad_input(bare):
    with pytest.raises(ShapeError, match="128"):
        bare.encode(torch.zeros(1, 2, 128, 64))
    for sick in (torch.nan, 0.5, -1.0):
        with pytest.raises(DataError, match="0 or 1"):
            bare.encode(torch.full((1, 2, 128, 128), sick))
    with pytest.raises(ShapeError, match=str(bare.dim)):
        bare.decode(torch.zeros(1, 7))
    with pytest.raises(DataError, match="NaN"):
        bare.decode(torch.full((1, bare.dim), torch.nan))


def test_notes_that_would_leave_the_roll_are_told(shipped):
    z = shipped.encode(melody(0))
    with pytest.raises(DataError, match=r"pitches .* outside 0 to 127"):
        shipped.decode(shipped.transpose(z, 60))
    with pytest.raises(DataError, match=r"steps .* outside 0 to 127"):
        shipped.decode(shipped.shift(z, 50))


def test_saved_and_loaded(bare, tmp_path):
    path = bare.save(tmp_path / "space.safetensors", steps=0)
    again = RollSpace.load(path)
    assert again.card == {"steps": 0} and torch.allclose(again.encode(melody(1)), bare.encode(melody(1)), atol=2e-2)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArtefactError, match="install oplas again"):
        RollSpace.load(path)


def test_shipped_weights_are_small_and_say_where_they_come_from(shipped):
    assert WEIGHTS.stat().st_size < 5_000_000
    assert {"command", "data", "seed", "steps"} <= shipped.card.keys()
    assert not shipped.training and not any(parameter.requires_grad for parameter in shipped.parameters())
