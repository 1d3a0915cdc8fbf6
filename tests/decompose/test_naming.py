"""Names of parts: guessed from what is plain to hear, and changed by the user."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from oplas._errors import DataError, ShapeError
from oplas.decompose.naming import check_names, guess_names, register, renamed

RATE = 16_000
TIME = torch.arange(3 * RATE) / RATE


def tone(*hertz: float) -> Tensor:
    return torch.stack([torch.sin(2 * math.pi * each * TIME) for each in hertz]).sum(0)


def clicks() -> Tensor:
    noise = torch.randn(len(TIME), generator=torch.Generator().manual_seed(0))
    return noise * torch.exp(-200 * (TIME % 0.4))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_hits_are_drums_low_tones_are_bass_and_nothing_is_made_up_for_the_rest(order):
    sounds, names = (clicks(), tone(60.0, 120.0), tone(440.0, 900.0)), ("drums", "bass", None)
    found = guess_names(torch.stack([sounds[i] for i in order]), RATE)
    assert found == tuple(names[i] or f"part {place}" for place, i in enumerate(order, 1))


def test_of_two_alike_one_has_the_name():
    assert guess_names(torch.stack([tone(60.0), tone(80.0, 700.0)]), RATE) == ("bass", "part 2")
    assert sorted(guess_names(torch.stack([clicks(), 0.5 * clicks()]), RATE)) in (["drums", "part 1"], ["drums", "part 2"])


def test_silence_and_scraps_are_nothing_in_particular():
    assert guess_names(torch.zeros(2, 50), RATE) == ("part 1", "part 2")
    assert register(torch.zeros(RATE), RATE) == (0, 0)
    with pytest.raises(ShapeError, match="are \\[parts, samples\\]"):
        guess_names(torch.zeros(50), RATE)


def test_rendered_stems_are_named_rightly_more_often_than_not(shared_data, tmp_path):
    import tarfile

    import soundfile

    with tarfile.open(shared_data / "audio" / "stems_freedoom24k.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    right = []
    for song in sorted({path.parent for path in tmp_path.rglob("drums.flac")})[:4]:
        waves = [
            torch.from_numpy(soundfile.read(song / f"{name}.flac", dtype="float32")[0][: 24000 * 5]) for name in ("bass", "drums")
        ]
        right += [a == b for a, b in zip(guess_names(torch.stack(waves), 24000), ("bass", "drums"), strict=True)]
    assert sum(right) >= 6


@given(st.lists(st.text(max_size=70), min_size=1, max_size=4))
def test_names_that_pass_can_be_files(names):
    try:
        check_names(names)
    except DataError:
        return
    assert all("/" not in name and name not in {".", ".."} and len(name.encode()) < 250 for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("bad", [["a", "A"], ["../up"], [""], ["  "], ["3"], ["a\nb"], ["x" * 61], [".hidden"], ["Mix"], []])
def test_names_that_will_not_do_are_refused(bad):
    with pytest.raises(DataError):
        check_names(bad)


@pytest.mark.parametrize("change", ["3=x", "0=x", "voice", "nobody=x", "1=", "1=bass", "-1=x"])
def test_renaming_says_what_can_be_renamed(change):
    with pytest.raises(DataError):
        renamed(["drums", "bass"], [change])


def test_two_names_can_be_exchanged():
    assert renamed(["drums", "bass"], ["1=bass", "2=drums"]) == ("bass", "drums")
