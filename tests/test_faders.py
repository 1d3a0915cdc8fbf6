"""Faders: learned on some songs, measured on others, refused where nothing is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import ArtefactError, DataError, ShapeError
from oplas.faders import FaderSet, learn_faders


def world(songs: int = 48, each: int = 6) -> tuple[Tensor, dict[str, object], Tensor]:
    """Latents in which level, brightness and an instrument are directions; the louder the brighter."""
    g = Generator().manual_seed(0)
    song = torch.arange(songs).repeat_interleave(each)
    y = torch.randn(len(song), 3, generator=g)
    y[:, 1] += 0.8 * y[:, 0]
    z = y @ torch.randn(3, 12, generator=g) + 0.2 * torch.randn(len(song), 12, generator=g)
    names = ["pad" if value > 0 else "bass" for value in y[:, 2].tolist()]
    return z, {"level": 6 * y[:, 0], "brightness": y[:, 1].tolist(), "instrument": names}, song


@pytest.fixture(scope="module")
def learned() -> FaderSet:
    z, values, song = world()
    return learn_faders(z, values, song, units={"level": "dB", "brightness": "octaves"})


def test_each_attribute_gets_a_fader_that_moves_it_and_leaves_the_others(learned):
    assert learned.names == ("level", "brightness", "instrument=pad")
    assert [fader.report.verdict for fader in learned][:2] == ["holds", "holds"], str(learned)
    assert learned["level"].unit == "dB" and learned["level"].report.doses.slope == pytest.approx(1, abs=0.1)
    assert learned[0] is learned["level"] and len(learned) == 3
    with pytest.raises(DataError, match="there are level"):
        learned["pitch"]


def test_the_louder_is_no_longer_the_brighter(learned):
    """The direction of the means takes brightness along; the fader does not."""
    side = {each.name: each for each in learned["level"].report.sides}["brightness"]
    assert abs(side.effect) < 0.1 and side.bound < 1 / 3


def test_apply_moves_by_the_amount_and_refuses_what_was_not_measured(learned):
    z, fader = torch.zeros(2, 12), learned["level"]
    assert torch.allclose(fader.apply(z, 6.0), 6 * fader.operator.direction.expand(2, -1))
    assert torch.allclose(fader.apply(fader.apply(z, 6.0), -6.0), z, atol=1e-6)
    both = learned.apply(z, {"level": 3.0, "brightness": -0.5})
    assert torch.allclose(both, learned.apply(z, {"brightness": -0.5, "level": 3.0}), atol=1e-6)
    with pytest.raises(DataError, match="beyond that"):
        fader.apply(z, 1000.0)
    assert fader.apply(z, 1000.0, force=True).abs().max() > 100
    with pytest.raises(ShapeError, match="12 dimensions"):
        fader.apply(torch.zeros(2, 5), 1.0)


def test_to_dict_has_what_a_page_needs_before_a_fader_is_moved(learned):
    facts = json.loads(json.dumps(learned.to_dict(), allow_nan=False))["faders"][0]
    assert {"name", "unit", "min", "max", "step", "response", "side", "certified", "why"} <= facts.keys()
    assert facts["min"] == facts["response"][0][0] and len(facts["response"]) == 9
    assert facts["certified"] is True and facts["side"].keys() == {"brightness", "instrument=pad"}


def test_saved_and_loaded_it_is_the_same_and_damage_is_refused(learned, tmp_path: Path):
    learned.save(tmp_path / "mine.faders")
    again = FaderSet.load(tmp_path / "mine.faders")
    assert str(again) == str(learned) and again.to_dict() == learned.to_dict()
    assert torch.equal(again[1].operator.direction, learned[1].operator.direction)
    card = tmp_path / "mine.faders" / "card.json"
    card.write_text(card.read_text().replace('"holds"', '"HOLDS"'))
    with pytest.raises(ArtefactError, match="changed"):
        FaderSet.load(tmp_path / "mine.faders")


def test_pairs_before_and_after_give_the_direction():
    z, values, song = world()
    step = torch.linspace(-6, 6, len(z))
    moved = z + step[:, None] * torch.ones(12) / 6
    made = learn_faders(z, {"brightness": values["brightness"], "level": values["level"]}, song, pairs={"level": (z, moved, step)})
    plain = learn_faders(z, {"brightness": values["brightness"], "level": values["level"]}, song)
    assert not torch.allclose(made["level"].operator.direction, plain["level"].operator.direction, atol=1e-3)
    assert torch.allclose(made["brightness"].operator.direction, plain["brightness"].operator.direction)


@pytest.mark.parametrize("songs", [1, 3, 12])
def test_too_few_songs_are_vacuous_and_are_not_applied(songs):
    z, values, song = world(songs)
    made = learn_faders(z, values, song)
    assert {fader.report.verdict for fader in made} == {"vacuous"}
    with pytest.raises(DataError, match="vacuous"):
        made["level"].apply(z, 0.0)
    assert "songs" in made["level"].report.why and made["level"].range == (0.0, 0.0)
    assert json.dumps(made.to_dict(), allow_nan=False)


def test_a_constant_attribute_is_vacuous_and_the_others_are_not():
    z, values, song = world()
    made = learn_faders(z, {"level": values["level"], "same": [1.0] * len(z)}, song)
    assert made["same"].report.verdict == "vacuous" and made["level"].report.verdict == "partly"


def test_bad_input_is_named():
    z, values, song = world(4)
    with pytest.raises(DataError, match="no values"):
        learn_faders(z, {}, song)
    with pytest.raises(DataError, match="level: a value is NaN"):
        learn_faders(z, {"level": [float("nan")] * len(z)}, song)
    with pytest.raises(ShapeError, match="differ in number"):
        learn_faders(z, values, song[:-1])
    with pytest.raises(ShapeError, match="2 values"):
        learn_faders(z, {"level": values["level"], "two": [1.0, 2.0]}, song)
    with pytest.raises(DataError, match="latents hold NaN"):
        learn_faders(z.masked_fill(z > 2, torch.nan), values, song)
