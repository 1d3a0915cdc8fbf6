"""What there is to hear: the loudest stretch of a file, and all that a model makes of it."""

import numpy as np
import pytest
import soundfile
import torch

from oplas._errors import DataError
from oplas.codecs import Mel
from oplas.decompose import Composable, Decomposition
from oplas.decompose.listening import ceiling, guessed, heard, loudest

RATE = 16_000


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path):
    noise = np.random.default_rng(0).standard_normal((2, 6 * RATE)) * 0.01
    noise[0, 3 * RATE : 4 * RATE] *= 20
    for index, each in enumerate(noise):
        soundfile.write(tmp_path / f"{index}.wav", np.stack([each, 0 * each], 1), RATE)
    (tmp_path / "2.wav").write_text("la la")
    return [tmp_path / f"{index}.wav" for index in (2, 0, 1)]


def test_the_loudest_stretch_is_found_and_averaged_to_mono(files):
    wave, rate, start = loudest(files[1], 1.0)
    assert (len(wave), rate, start) == (RATE, RATE, 3.0)
    assert np.allclose(wave, soundfile.read(files[1])[0][3 * RATE : 4 * RATE].mean(1), atol=1e-6)
    assert loudest(files[1], 60)[0].shape == (6 * RATE,)
    with pytest.raises(DataError, match=r"2\.wav"):
        loudest(files[0], 1.0)


def test_a_ceiling_needs_two_songs_that_can_be_read(files):
    best = ceiling(Mel(), files, 1.0)
    assert best is not None and best.shared > 0
    assert ceiling(Mel(), files[:2], 1.0) is None


def test_names_are_guessed_where_there_are_none(files):
    made = Decomposition(Mel(), Composable(128, 2, size="S", view="blind", positive=True))
    assert len(guessed(made, files)) == 2 and guessed(made, files[:1]) == ("part 1", "part 2")
    made.names = ("kit", "rest")
    assert guessed(made, files) == ("kit", "rest")


def test_a_model_that_cannot_generate_has_no_variations_to_hear():
    made = Decomposition(Mel(), Composable(128, 2, size="S", view="clean", positive=True), ("kit", "rest"))
    sounds = list(heard(made, torch.randn(RATE), RATE))
    assert [each.name for each in sounds] == ["mix", "kit", "rest", "all together", "kit", "rest"]
    assert torch.allclose(sounds[1].wave + sounds[2].wave, sounds[0].wave, atol=1e-4)
