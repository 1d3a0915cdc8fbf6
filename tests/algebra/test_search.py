"""A search answers with what it is worth, and refuses what leaves the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fakes import clouds, straight
from torch import Generator, Tensor

from oplas import Space
from oplas._errors import DataError
from oplas.algebra import Calibration, Collection, Found, Item, Rows, calibrate, search
from oplas.mixing import mixing_law
from oplas.store import Index

LAW = mixing_law()
CARD = {"law": f"{LAW.action!r} → {LAW.operator!r}", "verdict": "holds", "why": "", "homogeneity": {"exponent": 1.0, "r2": 1.0}}


class Held(Collection):
    """Latents in memory, named by their numbers."""

    whole = False

    def __init__(self, z: Tensor) -> None:
        self.z = z

    def place(self, item: Item) -> Tensor:
        return self.z[int(item.name)]

    def nearest(self, queries: Tensor, k: int, skip: Iterable[Item] = ()) -> list[list[Found]]:
        far = torch.cdist(queries, self.z)
        far[:, [int(item.name) for item in skip]] = torch.inf
        best = far.topk(min(k, len(self.z) - len(set(skip))), largest=False)
        return [
            [Found(Path(str(i)), 0.0, d, str(i)) for i, d in zip(at, row, strict=True)]
            for at, row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def draw(self, count: int, generator: Generator) -> Tensor:
        return self.z[torch.randint(len(self.z), (count,), generator=generator)]


@pytest.fixture(scope="module")
def space() -> Space:
    made = Space(straight(), laws=[LAW])
    made.card["certificate"] = CARD
    return made


@pytest.fixture(scope="module")
def held() -> Held:
    """Forty parts; 40 is the sum of 0 and 1, 41 that of 2, 3 and 4."""
    z = torch.randn(40, 6, generator=Generator().manual_seed(0))
    return Held(torch.cat([z, z[:2].sum(0, keepdim=True), z[2:5].sum(0, keepdim=True)]))


@pytest.fixture(scope="module")
def noisy(space: Space) -> Calibration:
    """Scores as of a space that errs by a twentieth or less."""
    exact = calibrate(space, clouds(24), per_song=4)
    scores = {kind: {song: [0.05 * (i + 1) / 24] for i, song in enumerate(songs)} for kind, songs in exact.scores.items()}
    return replace(exact, scores=scores)


@pytest.mark.parametrize(("expression", "answer"), [("#0 + #1", "40"), ("#40 - #1", "0"), ("#41 - #2 - #4", "3")])
def test_the_answer_is_first_likely_and_beyond_chance(space, held, noisy, expression, answer) -> None:
    found = search(space, expression, held, 3, calibration=noisy)
    assert found.found[0].id == answer and found.found[0].likely
    assert found.candidates == 1 and found.level == 0.9
    assert found.p <= 0.05 < found.fits
    assert "with probability 90%" in str(found)


def test_what_the_expression_names_is_no_answer(space, held) -> None:
    assert {"0", "40"}.isdisjoint(each.id for each in search(space, "#40 - #0", held, 50))


def test_what_is_not_there_is_refused(space, held, noisy) -> None:
    found = search(space, "#0 + #9", held, calibration=noisy)
    assert found.refused.startswith("out of the certified range: the nearest lies")
    assert found.found == () and found.fits <= 0.05
    assert "out of the certified range" in str(found)


@pytest.mark.parametrize("expression", ["#0 + #1 + #2 + #3 + #4", "gain(#0, 20)"])
def test_what_says_itself_that_it_goes_too_far_is_refused_before_it_is_computed(space, expression) -> None:
    found = search(space, expression, "/no/such/folder")
    assert "out of the certified range" in found.refused


def test_no_recall_is_stated_where_none_is_known(space, held, noisy) -> None:
    assert "oplas calibrate" in search(space, "#0 + #1", held).note
    assert "--uncertified" in search(space, "#0 + #1", held, calibration=noisy, uncertified=True).note
    assert "no single law" in search(space, "mean(#0, #1)", held, calibration=noisy).note
    few = replace(noisy, scores={"sum": {str(i): [0.1] for i in range(5)}})
    found = search(space, "#0 + #1", held, calibration=few)
    assert "from 5 songs" in found.note and found.candidates == -1 and found.found


def test_a_higher_recall_asks_for_a_larger_set(space, held) -> None:
    wide = Calibration("", {"sum": {str(i): [i / 20] for i in range(30)}}, 0, "")
    sizes = [search(space, "#0 + #1", held, calibration=wide, level=level).candidates for level in (0.3, 0.6, 0.9)]
    assert sizes == sorted(sizes) and sizes[-1] > sizes[0] >= 1


@pytest.mark.parametrize(
    ("expression", "words", "more"),
    [
        ("#0 - #0", "comes to nothing", {}),
        ("#0", "at least 1", {"k": 0}),
        ("#0", "between 0 and 1", {"level": 1.0}),
    ],
)
def test_what_asks_for_nothing(space, held, expression, words, more) -> None:
    with pytest.raises(DataError, match=words):
        search(space, expression, held, **more)


def test_answers_go_through_json(space, held, noisy) -> None:
    facts = search(space, "#40 - #1", held, calibration=noisy).to_dict()
    assert facts["kind"] == "difference" and facts["found"][0]["id"] == "0"
    assert search(space, "#0", held).to_dict()["radius"] is None


def test_rows_of_an_index_by_name_window_and_id(space, tmp_path) -> None:
    pytest.importorskip("lancedb")
    index = Index.create(tmp_path / "index", space)
    z = torch.randn(6, 6, generator=Generator().manual_seed(0))
    files = ["/music/a.wav", "/music/a.wav", "/music/b.wav", "/other/b.wav", "/music/it's.wav", "/music/sum.wav"]
    z[5] = z[1] + z[4]
    index.add(z, file=files, start=[0.0, 3.0, None, 0.0, 0.0, 0.0], id=["aa1", "aa2", "b1", "b2", "c1", "d1"])
    rows = Rows(space, index)
    for item, row in ((Item("a.wav", 3.0), 1), (Item("aa2", by_id=True), 1), (Item("music/b.wav"), 2), (Item("it's"), 4)):
        assert torch.allclose(rows.place(item), z[row])
    assert torch.allclose(rows.place(Item("a")), z[:2].mean(0))
    found = search(space, 'a@3 + "it\'s.wav"', index, 9)
    assert found.found[0].id == "d1" and {each.id for each in found} == {"b1", "b2", "d1"}
    assert [each.id for each in search(space, "a@3", index, 9, where="start = 0.0")] == ["d1", "c1", "b2"]
    for item, words in (
        (Item("b.wav"), "may be 2 files"),
        (Item("aa", by_id=True), "may be 2 rows"),
        (Item("a", 1.0), "nearest window of a starts at"),
        (Item("music/b.wav", 1.0), "not in the index"),
        (Item("z"), "nothing in the index"),
    ):
        with pytest.raises(DataError, match=words):
            rows.place(item)
