"""A decomposition: parts that add up, whatever is asked; kept in a file; and parts that were never played."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oplas import ArtefactError, DataError, ShapeError
from oplas.codecs import Mel
from oplas.decompose import Composable, Decomposition

RATE = 24_000


@pytest.fixture
def wave(songs) -> torch.Tensor:
    return torch.from_numpy(songs["song 0"][:48_000])


def decibels(error: torch.Tensor, of: torch.Tensor) -> float:
    return float(20 * torch.log10(error.norm() / of.norm()))


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
@pytest.mark.parametrize("samples", [1, 300, 48_000])
def test_parts_add_up_to_the_mixture(learned, wave, rate: int, samples: int) -> None:
    mix = wave[:samples] + 0.1
    made = learned.split(mix, rate)
    assert made.shape == (2, samples)
    assert decibels(made.sum(0) - mix, mix) < -100


def test_parts_follow_the_level_and_the_batch(learned, wave) -> None:
    made = learned.split(wave, RATE, steps=2)
    torch.testing.assert_close(learned.split(torch.stack([wave, wave / 8]), RATE, steps=2)[1], made / 8, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(learned.split(wave.double().numpy(), RATE, steps=2), made)


def test_silence_has_silent_parts(learned) -> None:
    assert not learned.split(torch.zeros(9000), RATE).any()
    assert not learned.split(torch.zeros(9000), RATE, consistent=False).any()


@pytest.mark.parametrize("consistent", [True, False])
def test_only_the_parts_asked_for(learned, wave, consistent: bool) -> None:
    made = learned.split(wave, RATE, consistent=consistent)
    torch.testing.assert_close(learned.split(wave, RATE, only=["part 2"], consistent=consistent), made[1:], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(learned.split(wave, RATE, only=[1, 0], consistent=consistent), made.flip(0), atol=1e-3, rtol=1e-3)


def test_one_part_is_the_mixture(wave) -> None:
    made = Decomposition(Mel(), Composable(128, 1, size="S", view="clean", positive=True))
    torch.testing.assert_close(made.split(wave, RATE)[0], wave, atol=1e-5, rtol=1e-4)


def test_latents_are_one_number_a_frame(learned, wave) -> None:
    assert learned.latents(wave, RATE).shape == (2, learned.codec.frames(48_000))


def test_saved_and_loaded_it_is_the_same(learned, wave, tmp_path) -> None:
    learned.names = ("tone", "noise")
    again = Decomposition.load(learned.save(tmp_path / "mine.safetensors"))
    assert again.names == ("tone", "noise") and repr(again) == repr(learned) and again.card["steps"] == 20
    assert torch.equal(again.split(wave, RATE, only="noise"), learned.split(wave, RATE)[1:])
    assert torch.equal(again.generate(0.5), learned.generate(0.5))
    learned.names = ("part 1", "part 2")


def test_damage_and_other_codecs_are_refused(learned, tmp_path) -> None:
    file = learned.save(tmp_path / "mine.safetensors")
    with pytest.raises(ArtefactError, match="give the codec it names"):
        Decomposition.load(file, Mel(64))
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ArtefactError, match="not a readable"):
        Decomposition.load(file)


def test_a_given_part_stays_and_the_others_fit_it(learned, wave) -> None:
    made = learned.generate(1.0, given={"part 1": wave}, seed=1)
    assert torch.equal(made[0], wave[:RATE]) and made[1].any() and made.shape == (2, RATE)
    assert torch.equal(made, learned.generate(1.0, given={0: wave}, seed=1))
    assert not torch.allclose(made, learned.generate(1.0, given={0: wave}, seed=2))
    quiet = learned.generate(1.0, given={0: wave / 4}, seed=1)
    torch.testing.assert_close(quiet, made / 4, atol=1e-4, rtol=1e-2)


def test_what_is_not_varied_stays(learned, wave) -> None:
    made, split = learned.vary(wave, RATE, parts=["part 2"], strength=0.5), learned.split(wave, RATE, steps=8)
    assert torch.equal(made[0], split[0]) and not torch.allclose(made[1], split[1])
    with pytest.raises(DataError, match="strength"):
        learned.vary(wave, RATE, strength=1.5)


def test_without_a_prior_nothing_is_generated(learned) -> None:
    bare = Decomposition(learned.codec, learned.model)
    for ask in (lambda: bare.generate(1.0), lambda: bare.vary(torch.rand(999), RATE)):
        with pytest.raises(DataError, match="prior=True"):
            ask()
    with pytest.raises(DataError, match="none is left"):
        learned.generate(1.0, given={0: torch.rand(99), 1: torch.rand(99)})
    with pytest.raises(DataError, match="positive"):
        learned.generate(0.0)


@pytest.mark.parametrize(
    ("wave", "rate", "kind"),
    [
        (np.zeros((2, 2, 2), np.float32), RATE, ShapeError),
        (np.zeros(0, np.float32), RATE, ShapeError),
        (np.array([0.0, np.nan], np.float32), RATE, DataError),
        (np.zeros(9, np.int16), RATE, DataError),
        (np.zeros(9, np.float32), 0, DataError),
    ],
)
def test_no_sound_no_parts(learned, wave, rate: int, kind) -> None:
    with pytest.raises(kind):
        learned.split(wave, rate)


@pytest.mark.parametrize("names", [(), ("a",), ("a", "a"), ("a", "")])
def test_names_are_different_and_as_many_as_parts(learned, names) -> None:
    with pytest.raises(DataError, match="different names"):
        learned.names = names
    with pytest.raises(DataError, match="no part 'drums'"):
        learned.split(np.zeros(9, np.float32), RATE, only=["drums"])


def test_what_the_codec_does_not_hear_goes_to_the_brighter_part() -> None:
    from oplas.decompose._sound import shares

    t = torch.arange(44_100) / 44_100
    dark, bright = torch.sin(2 * torch.pi * 100 * t), 0.1 * torch.sin(2 * torch.pi * 9000 * t) * (t < 0.5)
    told = shares(torch.stack([dark, bright])[None])[0]
    torch.testing.assert_close(told.sum(0), torch.ones(44_100))
    assert float(told[1, :20_000].min()) > 0.99 and float(told[1, 24_000:].max()) < 0.01


def test_alone_parts_are_about_as_loud_as_in_the_mixture(learned, songs) -> None:
    wave = torch.from_numpy(songs["song 1"])
    assert 0.5 < float(learned.split(wave, RATE, consistent=False).sum(0).norm() / wave.norm()) < 2
