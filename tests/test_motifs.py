"""A phrase is found wherever it recurs, in whatever key; what is found by chance is said to be."""

from dataclasses import replace

import pytest
import torch
from exact import exact, tune
from torch import Generator

from oplas._errors import DataError
from oplas.data import Notes
from oplas.motifs import chance, find_motif


def planted(host: Notes, phrase: Notes, beat: float, semitones: int) -> Notes:
    """The host with the phrase in place of what it plays there."""
    there = (host.onset < beat) | (host.onset >= beat + phrase.beats)
    moved = replace(phrase.transpose(semitones), onset=phrase.onset + beat)
    names = ("onset", "length", "pitch", "velocity", "part")
    return replace(host, **{name: torch.cat([getattr(host, name)[there], getattr(moved, name)]) for name in names})


PHRASE = replace(tune(99, beats=8), name="the phrase")
SONGS = [planted(tune(1), PHRASE, 12.0, 5), tune(2), planted(tune(3), PHRASE, 30.25, -7), tune(4)]


def test_the_phrase_is_found_where_it_was_planted_and_how_far_it_was_moved():
    found = find_motif(PHRASE, SONGS, exact(), k=5).found
    first = {(each.song, each.beat - float(PHRASE.onset.min()), each.semitones) for each in found[:2]}
    assert first == {("tune 1", 12.0, 5), ("tune 3", 30.25, -7)}
    assert all(each.shared == 1 and each.expected < 0.01 for each in found[:2])
    assert all(each.shared < 0.8 and each.expected > each.p for each in found[2:]) and found[2].expected > 0.01
    assert [each.distance for each in found] == sorted(each.distance for each in found)


def test_a_phrase_with_a_wrong_note_is_still_found():
    pitch = PHRASE.pitch.clone()
    pitch[3] += 2
    found = find_motif(replace(PHRASE, pitch=pitch), SONGS, exact(), k=2).found
    assert {each.song for each in found} == {"tune 1", "tune 3"} and all(0.8 < each.shared < 1 for each in found)


def test_parts_are_searched_alone_and_together():
    host = tune(5)
    low = replace(planted(tune(6).transpose(-20), PHRASE, 8.0, -12), part=torch.ones(1, dtype=torch.long).expand(1))
    low = replace(low, part=torch.ones(len(low), dtype=torch.long))
    names = ("onset", "length", "pitch", "velocity", "part")
    both = replace(host, parts=("high", "low"), **{name: torch.cat([getattr(host, name), getattr(low, name)]) for name in names})
    assert find_motif(PHRASE, [both], exact(), k=1).found[0].part == "low"


def test_places_are_told_as_musicians_count():
    found = find_motif(PHRASE, SONGS[:1], exact(), k=1)
    start = 12 + float(PHRASE.onset.min())
    assert found.found[0].place() == f"{int(start // 4) + 1}:{start % 4 + 1:g}" and "bar:beat" in str(found)
    assert found.to_dict()["found"][0]["semitones"] == 5


@pytest.mark.parametrize(
    ("rows", "words"),
    [([(0.0, 1.0, 60)], "has 1 notes, which are everywhere"), ([(float(i), 1.0, 60) for i in range(40)], "a window holds 96")],
)
def test_phrases_that_are_too_short_or_too_long_are_refused(rows, words):
    with pytest.raises(DataError, match=words):
        find_motif(Notes.of(rows), SONGS, exact())


def test_songs_that_hold_nothing_like_it_are_told():
    dense = Notes.of([(index / 4, 0.25, 40 + index % 50) for index in range(96)])
    with pytest.raises(DataError, match="no part of the 1 songs"):
        find_motif(dense, [Notes.of([(float(index), 1.0, 60) for index in range(30)])], exact())


def test_p_values_of_the_unrelated_are_uniform_and_go_on_below_one_in_m():
    draw = Generator().manual_seed(0)
    unrelated, others = (torch.randn(5000, 12, generator=draw).norm(dim=1) for _ in range(2))
    p = chance(others, unrelated)
    for level in (0.5, 0.1, 0.01, 0.002):
        assert float((p <= level).double().mean()) == pytest.approx(level, rel=0.6)
    near = chance(torch.tensor([0.0, 0.2, 0.6, 0.8]), unrelated)
    assert near[0] == 1e-9 and bool((near[1:] >= near[:-1]).all()) and near[3] > near[2] and near[2] < 1 / 5000
    assert chance(torch.tensor([0.0, 1.0]), torch.zeros(100)).tolist()[1] == 1  # a phrase that is its own mirror says nothing
