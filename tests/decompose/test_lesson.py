"""A lesson, remixing and mixtures of mixtures: what each promises, and what each refuses."""

from __future__ import annotations

import copy
import itertools
import math
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError
from oplas.codecs import Mel
from oplas.data import band
from oplas.decompose import Composable, from_songs, learn
from oplas.decompose.apart import FLOOR, apart, decibels, parts
from oplas.decompose.lesson import Lesson, equalised
from oplas.decompose.remix import MixIT, Remix
from oplas.decompose.windows import Batch, levelled
from oplas.functional.separation import si_sdr

RATE = 24_000


@pytest.fixture(scope="module")
def codec() -> Mel:
    return Mel(32)


@pytest.fixture
def model() -> Composable:
    torch.manual_seed(0)
    return Composable(32, 2, size="S", view="clean", positive=True).eval()


def batch(codec: Mel, count: int = 4) -> Batch:
    waves, _ = levelled(torch.randn(count, RATE // 2, generator=Generator().manual_seed(1)))
    return Batch(waves, codec.encode(waves), torch.arange(count))


def test_sources_of_a_lesson_are_heard_and_differ_from_draw_to_draw() -> None:
    lesson = Lesson("drums", "bass+lead", songs=2)
    drawn = [lesson.sources(names, RATE, 3, RATE, Generator().manual_seed(seed)) for names in lesson.players for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    for each in drawn:
        level = 20 * each.square().mean(1).sqrt().div(0.1).log10()
        assert bool((level.abs() < Lesson.spread + 0.01).all())


def test_an_equaliser_of_no_decibels_changes_nothing() -> None:
    waves = torch.randn(2, 4000)
    assert torch.allclose(equalised(waves, 0.0, Generator()), waves, atol=1e-5)
    assert not torch.allclose(equalised(waves, 8.0, Generator().manual_seed(0)), waves, atol=1e-2)


def test_a_lesson_names_players_of_the_band_one_kind_for_each_part(model: Composable, codec: Mel) -> None:
    with pytest.raises(DataError, match="violin does not play in the band; a part is one of drums, bass, chords, lead"):
        Lesson("drums", "violin+bass")
    with pytest.raises(DataError, match="nobody"):
        Lesson()
    with pytest.raises(DataError, match="3 kinds, the model 2 parts"):
        Lesson("drums", "bass", "lead", songs=1).loss(model, batch(codec), codec, Generator())


def test_the_loss_is_least_for_the_sources_themselves_and_worse_for_their_exchange() -> None:
    sources = torch.randn(3, 2, 1000, generator=Generator().manual_seed(0))
    assert decibels(sources - sources, sources) == pytest.approx(10 * math.log10(FLOOR))
    assert decibels(sources.flip(1) - sources, sources) == pytest.approx(0, abs=0.5)


def test_parts_of_an_untrained_model_add_up_to_the_mixture(model: Composable, codec: Mel) -> None:
    waves = batch(codec).waves
    with torch.no_grad():
        assert torch.allclose(parts(model, codec, waves).sum(1), waves, atol=1e-5)


@pytest.mark.parametrize("view", ["clean", "blind", "noisy"])
def test_a_lesson_teaches_every_view(view: str, codec: Mel) -> None:
    torch.manual_seed(0)
    model = Composable(32, 2, size="S", view=view, positive=True)  # type: ignore[arg-type]
    loss = apart(model, codec, torch.randn(2, 2, RATE // 2), Generator())
    loss.backward()
    assert math.isfinite(loss.item())
    assert all(each.grad is not None and bool(each.grad.isfinite().all()) for each in model.parameters())


def test_remixing_follows_the_model_only_when_it_learns(model: Composable, codec: Mel) -> None:
    remix = Remix()
    remix.begin(model)
    was = copy.deepcopy(remix.teacher.state_dict())
    moved = copy.deepcopy(model)
    with torch.no_grad():
        for each in moved.parameters():
            each.add_(1.0)
        remix.loss(moved, batch(codec), codec, Generator())
    assert all(torch.equal(was[key], value) for key, value in remix.teacher.state_dict().items())
    remix.loss(moved, batch(codec), codec, Generator()).backward()
    assert any(not torch.equal(was[key], value) for key, value in remix.teacher.state_dict().items())
    assert all(each.grad is None for each in remix.teacher.parameters())


def test_mixit_is_the_best_of_all_ways_to_share_parts_out(monkeypatch: pytest.MonkeyPatch, codec: Mel) -> None:
    found = torch.randn(2, 3, 500, generator=Generator().manual_seed(2))
    waves = found[:, 0] + 0.3 * torch.randn(2, 500, generator=Generator().manual_seed(3))
    waves = torch.cat([waves, found.sum(1) - waves])
    monkeypatch.setattr("oplas.decompose.remix.parts", lambda *_: found)
    monkeypatch.setattr(torch, "randperm", lambda n, generator: torch.arange(n))
    model = Composable(32, 3, size="S", view="clean", positive=True)
    seen = MixIT().loss(model, Batch(waves, torch.zeros(4, 32, 1), torch.arange(4)), codec, Generator())

    def told(a: Tensor, b: Tensor, f: Tensor) -> float:
        errors = [(sum((f[i] for i in chosen), torch.zeros(500)) - a).square().sum() for n in range(4)
                  for chosen in itertools.combinations(range(3), n)]  # fmt: skip
        least = min(errors)
        return sum(10 * math.log10(float(least / x.square().sum()) + FLOOR) for x in (a, b)) / 2

    assert seen.item() == pytest.approx(sum(told(waves[i], waves[2 + i], found[i]) for i in range(2)) / 2, rel=1e-4)


@pytest.mark.parametrize("objective", [Remix(), MixIT()])
def test_a_model_that_sees_noise_is_neither_remixed_nor_shared_out(objective: Remix | MixIT) -> None:
    with pytest.raises(DataError, match="view='clean'"):
        objective.begin(Composable(32, 2, size="S", view="noisy"))


def test_one_part_is_not_shared_out() -> None:
    with pytest.raises(DataError, match="at least 2 parts"):
        MixIT().begin(Composable(32, 1, size="S", view="clean"))


def test_a_lesson_finds_drums_in_songs_that_were_never_played() -> None:
    heard, unheard = band(seed=1, songs=4, seconds=6.0, rate=RATE), band(seed=2, songs=3, seconds=3.0, rate=RATE)
    lesson = Lesson("drums", "bass+chords+lead", songs=6)
    made = learn(heard, 2, size="S", view="clean", objectives=(lesson,), steps=20, progress=False)
    better = []
    for song in unheard.songs:
        waves = {part.label: torch.from_numpy(song.window((part.label,), 0, RATE, 3 * RATE)[0].copy()) for part in song.parts}
        drums, mix = waves["drums"], torch.stack(list(waves.values())).sum(0)
        better.append(float(si_sdr(drums[None], made.split(mix, RATE)[:1]) - si_sdr(drums[None], mix[None])))
    assert min(better) > 0
    assert sum(better) / 3 > 2


def test_from_songs_teaches_then_remixes_and_a_finished_run_is_taken_up(tmp_path: Path) -> None:
    heard = band(seed=1, songs=3, seconds=4.0, rate=RATE)
    how = {"lesson": Lesson("drums", "bass+chords+lead", songs=2), "size": "S", "steps": 4, "folder": tmp_path, "progress": False}
    made = from_songs(heard, **how)  # type: ignore[arg-type]
    assert made.names == ("drums", "rest")
    assert made.card["objectives"] == ["1 × Remix()"]
    assert made.card["start"] is not None
    assert from_songs(heard, **how).identity == made.identity  # type: ignore[arg-type]


def test_more_parts_than_the_band_has_players_are_learned_by_mixtures_of_mixtures() -> None:
    heard = band(seed=1, songs=3, seconds=4.0, rate=RATE)
    made = from_songs(heard, 5, size="S", steps=2, progress=False)
    assert made.names == ("part 1", "part 2", "part 3", "part 4", "part 5")
    assert made.card["objectives"] == ["1 × MixIT()"]
    with pytest.raises(DataError, match="teaches nothing"):
        learn(heard, 2, size="S", start=made, steps=2, progress=False)
