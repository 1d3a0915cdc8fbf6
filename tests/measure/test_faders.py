"""The judge of faders: what was planted is measured, on songs its probes were not fitted on; what cannot be judged is vacuous."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import ShapeError
from oplas.measure.faders import Judge

MIX = torch.randn(3, 10, generator=Generator().manual_seed(9), dtype=torch.float64)


def world(songs: int = 30, each: int = 8, seed: int = 0, noise: float = 0.1) -> tuple[Tensor, Tensor, Tensor]:
    g = Generator().manual_seed(seed)
    song = torch.arange(songs).repeat_interleave(each)
    y = torch.randn(len(song), 3, generator=g, dtype=torch.float64) * torch.tensor([6.0, 1.0, 0.2])
    y[:, 1] += 0.1 * y[:, 0]
    return y @ MIX.to(y) + noise * torch.randn(len(song), 10, generator=g, dtype=torch.float64), y, song


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(*world(), ("level", "brightness", "width"), ("dB", "octaves", ""), draws=25)


def test_a_planted_direction_moves_its_own_probe_by_what_is_asked_and_no_other(judge):
    found = judge.report(MIX[0], "level")
    assert found.verdict == "holds", str(found)
    assert found.doses.slope == pytest.approx(1, abs=0.1) and found.doses.slope_low < found.doses.slope < found.doses.slope_high
    assert found.doses.rises and found.doses.amounts[0] == -found.doses.amounts[-1]
    assert {side.name for side in found.sides} == {"brightness", "width"} and found.largest < 0.2
    assert all(side.low <= side.effect <= side.high for side in found.sides)
    assert "its probe" in str(found) and "brightness" in str(found) and "dB" in str(found)


def test_a_planted_side_effect_is_measured_in_spreads(judge):
    """Two spreads of brightness with each of level, in their own units."""
    ratio = float(judge.spread[1] / judge.spread[0])
    found = judge.report(MIX[0] + 2 * ratio * MIX[1], "level")
    side = next(each for each in found.sides if each.name == "brightness")
    assert side.effect == pytest.approx(2, rel=0.15) and side.bound >= 1.7
    assert found.verdict == "partly" and "brightness" in found.why


def test_a_fader_that_goes_the_other_way_or_nowhere_is_vacuous(judge):
    assert "does not rise" in judge.report(-MIX[0], "level").why
    assert "means little" in judge.report(0.05 * MIX[0], "level").why
    for direction in (-MIX[0], torch.zeros(10), 0.05 * MIX[0]):
        assert judge.report(direction, "level").verdict == "vacuous"


def test_what_the_songs_cannot_show_is_vacuous():
    z, y, song = world(songs=8)
    few = Judge(z, y, song, ("a", "b", "c"), draws=5).report(MIX[0], "a")
    assert few.verdict == "vacuous" and "8 songs" in few.why
    z, y, song = world()
    y[:, 0] = 3.0
    constant = Judge(z, y, song, ("a", "b", "c"), draws=5)
    assert "always 3" in constant.report(MIX[0], "a").why
    assert [side.name for side in constant.report(MIX[1], "b").sides] == ["c"]
    y[:, 0] = torch.randn(len(y), generator=Generator().manual_seed(4), dtype=torch.float64)
    unread = Judge(z, y, song, ("a", "b", "c"), draws=25).report(MIX[0], "a")
    assert unread.verdict == "vacuous"


def test_alone_nothing_is_known_of_side_effects():
    z, y, song = world()
    found = Judge(z, y[:, :1], song, ("a",), draws=25).report(MIX[0], "a")
    assert found.verdict == "partly" and "no other attribute" in found.why


def test_probes_are_never_read_on_songs_they_were_fitted_on(judge):
    """A song's latents that tell its attribute to nobody else: a probe that had heard it would answer."""
    effects = judge.effects(MIX[0], torch.tensor([1.0], dtype=torch.float64))
    out = judge._drawn[1]
    assert torch.equal(effects[:, :, 0, 0].isfinite(), out)
    assert 0.2 < float(out.double().mean()) < 0.5


def test_labels_of_one_kind_are_no_side_effects_of_each_other():
    z, y, song = world()
    made = Judge(z, y, song, ("kind=a", "kind=b", "level"), draws=5).report(MIX[0], "kind=a")
    assert [side.name for side in made.sides] == ["level"]


def test_rows_that_do_not_go_together_are_refused():
    z, y, song = world()
    with pytest.raises(ShapeError, match="do not go together"):
        Judge(z, y[:-1], song, ("a", "b", "c"))
    with pytest.raises(ShapeError, match="do not go together"):
        Judge(z, y, song, ("a", "b"))
