"""The benchmark of parts: stems at equal loudness, windows in which all of them sound, orders and onsets told rightly."""

from __future__ import annotations

import json
import sys
from typing import Any

import _decompose_data
import decompose
import pytest
import torch
from _decompose_data import RATE, SAMPLES, Piece, level, windows
from _decompose_generate import agreement
from _decompose_jobs import Job, aligned
from _decompose_recipes import ABLATIONS, RECIPES, SHORT, SUPERVISED, Supervised, draw
from _decompose_rows import Again, Method, baselines, held_out, judge, kept
from torch import Generator, Tensor

from oplas.data import band
from oplas.separators import HPSS, Crossover


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed))


def song(seed: int, plays: int = 3) -> Piece:
    """Three windows; the first stem rests after ``plays`` of them, so often."""
    stems = 0.1 * noise(2, 3 * SAMPLES, seed=seed)
    stems[0, plays * SAMPLES :] = 0
    return Piece(f"song {seed}", stems)


def test_stems_are_as_loud_as_each_other_where_they_play() -> None:
    stems = torch.stack([0.5 * noise(10 * RATE), 0.01 * noise(10 * RATE, seed=1)])
    stems[1, 5 * RATE :] = 0
    even = level(stems)
    assert even is not None
    assert even[:, : 5 * RATE].square().mean(1).sqrt().tolist() == pytest.approx([0.1, 0.1], rel=0.02)
    assert level(stems[:, :RATE]) is None


def test_windows_are_those_in_which_every_stem_sounds_of_many_songs_first() -> None:
    heard = windows([song(0), song(1, plays=1), song(2)], 5, "two stems")
    assert heard.songs == (0, 1, 2, 0, 2)
    assert all(bool((sources.square().mean(1).sqrt() > 0.05).all()) for sources in heard.sources)
    assert windows([Piece("short", noise(2, RATE))], 5, "").sources == ()


def test_every_separator_has_a_row_for_two_and_for_three_stems() -> None:
    for parts in (2, 3):
        names = [each.name for each in baselines(parts)]
        assert len(set(names)) == len(names)
        for name in ("Mixture", "Crossover", "HPSS", "NMF", "RPCA", "REPET", "REPETSIM", "FT2D"):
            assert any(name in each for each in names)
    mix = noise(RATE)
    made = Again(HPSS(), Crossover())(mix, RATE)
    assert made.shape == (3, RATE)
    assert torch.allclose(made.sum(0), mix, atol=1e-4)


def test_a_method_that_swaps_parts_is_named_as_often_as_it_does_not() -> None:
    heard = windows([song(0), song(1), song(2)], 9, "two stems")
    turn = iter(range(9))
    row = judge(
        Method("swaps", lambda sources: sources.flip(0) * 2 if next(turn) % 3 == 0 else sources + 1e-3 * sources.flip(0)), heard
    )
    assert row["named"] == pytest.approx(2 / 3)
    assert row["si_sdr_one_order"] > 40
    assert (row["windows"], row["songs"]) == (9, 3)


def test_seeds_align_that_are_above_the_mixture_in_one_order() -> None:
    assert aligned([{"si_sdr_one_order": value} for value in (4.0, 0.9, -3.0, 1.1)], 0.0) == 0.5


def test_what_was_reckoned_is_not_reckoned_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path))
    first = kept("a job", lambda: {"figure": 1.23456789})
    assert first == kept("a job", lambda: pytest.fail("reckoned again"))
    assert first["figure"] == 1.23457
    assert kept("a job", lambda: {"figure": 2.0}, keep=False) == {"figure": 2.0}


def test_onsets_agree_with_their_own_and_not_with_others() -> None:
    def beats(seed: int) -> Tensor:
        wave, chance = torch.zeros(3 * RATE), Generator().manual_seed(seed)
        for start in (torch.randperm(30, generator=chance)[:8] * RATE // 10).tolist():
            wave[start : start + RATE // 20] = noise(RATE // 20, seed=seed)
        return wave

    drums, bass = [beats(i) for i in range(6)], [0.3 * beats(i) for i in range(6)]
    told = agreement(drums, bass)
    assert told["above"] > 0.95
    assert told["own"] > 0.8 > told["shuffled"]
    assert 0.2 < agreement(drums, bass[1:] + bass[:1])["above"] < 0.8


def test_recipes_ask_for_what_learning_offers() -> None:
    for name, recipe in (RECIPES | ABLATIONS).items():
        assert all(stage.objectives(("drums", "keys")) for stage in recipe.stages), name
        assert 0 < sum(stage.share for stage in recipe.stages) <= 1
        assert recipe.options.keys() <= {"view", "operator", "decoder", "predict", "numbers"}


def test_the_reference_learns_from_stems_and_its_parts_add_up() -> None:
    songs = [song(i) for i in range(2)]
    told = draw(songs, 3, SAMPLES, True, Generator().manual_seed(0))
    assert told.sum(1).square().mean(1).sqrt().tolist() == pytest.approx([0.1] * 3, rel=1e-4)
    model = Supervised(2, "S", 0).fit(songs, 1, 0)
    mix = songs[0].mix[:SAMPLES]
    parts = model.split(mix, RATE)
    assert parts.shape == (2, SAMPLES)
    assert torch.allclose(parts.sum(0), mix, atol=1e-4)


def test_the_quick_run_prints_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    few = band(seed=0, songs=6, seconds=8.0, rate=RATE)
    monkeypatch.setattr(_decompose_data, "played", lambda kind: few)
    monkeypatch.setattr(
        decompose, "baselines", lambda parts: [each for each in baselines(parts) if each.name in ("Mixture", "Crossover")]
    )
    monkeypatch.setattr(
        decompose, "jobs", lambda bench: [Job(name, ("drums", "bass"), 0, 2, data="band") for name in (SHORT, SUPERVISED)]
    )
    monkeypatch.setattr(sys, "argv", ["decompose", "--quick"])
    held_out.cache_clear()
    decompose.main()
    held_out.cache_clear()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    for key in ("si_sdr", "si_sir", "si_sar", "best_baseline_si_sdr", "ceiling_si_sdr", "aligned_fraction"):
        assert isinstance(told[key], float), key
    assert told["ceiling_si_sdr"] > told["best_baseline_si_sdr"]
    assert {row["method"] for row in told["rows"]} >= {"Mixture", "Crossover", "ideal mask", SHORT, SUPERVISED}
