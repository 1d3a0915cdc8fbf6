"""What a stated recall is worth: true for a new song's question, on average over songs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from fakes import bent, clouds, straight
from torch import Generator

from oplas import Space
from oplas._errors import ArtefactError, DataError
from oplas.actions import Mix
from oplas.algebra import Calibration, calibrate
from oplas.algebra.calibrate import FILE
from oplas.algebra.questions import SUMS, questions
from oplas.laws import Decorrelation, Equivariance
from oplas.mixing import mixing_law
from oplas.operators import Sum


def of(songs: list[list[float]]) -> Calibration:
    return Calibration("", {"sum": {str(i): scores for i, scores in enumerate(songs)}}, 0, "")


def drawn(songs: int, generator: Generator) -> list[list[float]]:
    """Songs of a level of their own and of any length: scores within one are far from independent."""
    level = torch.randn(songs, generator=generator).exp()
    return [
        (level[i] * torch.rand(int(torch.randint(1, 9, (), generator=generator)), generator=generator)).tolist()
        for i in range(songs)
    ]


@pytest.mark.parametrize("songs", [9, 24])
def test_the_bound_covers_a_question_of_a_new_song_as_often_as_it_says(songs: int) -> None:
    generator = Generator().manual_seed(songs)
    hits = []
    for _ in range(200):
        *known, new = drawn(songs + 1, generator)
        bound = of(known).bound("sum", 0.9)
        hits.append(sum(score <= bound for score in new) / len(new))
    mean = sum(hits) / len(hits)
    assert 0.9 - 0.03 <= mean <= 0.9 + 1 / songs + 0.03


def test_true_answers_are_refused_no_oftener_than_one_in_twenty() -> None:
    generator = Generator().manual_seed(0)
    refused = []
    for _ in range(200):
        *known, new = drawn(25, generator)
        made = of(known)
        refused.append(sum(made.p("sum", score) <= 0.05 for score in new) / len(new))
    assert sum(refused) / len(refused) <= 0.05 + 0.02


def test_bounds_by_hand() -> None:
    made = of([[float(i)] for i in range(1, 10)])
    assert made.bound("sum", 0.9) == 9.0
    assert made.bound("sum", 0.5) == 5.0
    assert made.bound("sum", 0.91) == math.inf
    assert made.p("sum", 9.5) == pytest.approx(0.1)
    assert made.p("sum", 0.5) == pytest.approx(1.0)


def test_a_song_counts_once_however_many_windows_it_has() -> None:
    many = of([[5.0] * 100, *([1.0] for _ in range(9))])
    assert many.bound("sum", 0.8) == 1.0


def test_questions_of_an_additive_space_have_the_answers_they_should() -> None:
    data, law = clouds(10), Equivariance(Mix(2, 4), Sum())
    asked = questions(straight(), law, data, 6, Generator().manual_seed(0)).through(Space(straight(), laws=[law]))
    assert set(asked.kinds) == set(SUMS)
    assert torch.allclose(asked.query, asked.truth, atol=1e-5)
    assert len(asked.song.unique()) == 10
    assert bool((asked.scale > 0).all())


def test_a_worse_space_has_wider_bounds() -> None:
    made = {each.name: calibrate(Space(each, laws=[mixing_law()]), clouds(10), per_song=6) for each in (straight(), bent())}
    for kind in SUMS:
        assert made["straight"].bound(kind) < 1e-5 < 0.1 < made["bent"].bound(kind)


def test_it_is_kept_as_json_beside_the_space_and_belongs_to_it_alone(tmp_path: Path) -> None:
    space = Space(bent(), laws=[mixing_law()])
    made = calibrate(space, clouds(10), per_song=3)
    made.save(tmp_path / FILE)
    assert Calibration.load(tmp_path, space) == made
    assert "difference: 10 songs" in str(made)
    with pytest.raises(ArtefactError, match="another state"):
        Calibration.load(tmp_path, Space(straight(), laws=[mixing_law()]))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"identity": "x", "scores": {"sum": {"a": [-1]}}, "seed": 0, "data": ""}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ArtefactError, match=r"calibration\.json is not a readable calibration"):
        Calibration.load(tmp_path, Space(straight(), laws=[mixing_law()]))


def test_a_space_without_a_law_to_ask_about() -> None:
    with pytest.raises(DataError, match="nothing to calibrate"):
        calibrate(Space(straight(), laws=[Decorrelation()]), clouds(10))
