"""Guarantees of the translation report: known truths are told apart, and nothing is measured on rows that were learned from."""

import inspect
import json
import math
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score
from torch import Generator, Tensor

from oplas import translators
from oplas._errors import DataError, OplasError, ShapeError
from oplas.measure.translation import _needed, report
from oplas.translators import Affine, Orthogonal, Ridge, Translator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


N, D, E = 240, 12, 9
X = normal(N, D) * torch.linspace(2, 0.3, D) + 1
Y = X @ normal(D, E, seed=1) / math.sqrt(D) + 0.3 * normal(N, E, seed=2)
ORDER = torch.randperm(N, generator=Generator().manual_seed(3))
SONG = torch.arange(N) // 8


class Known(Translator):
    """A map that is given, not learned; remembers what it was shown."""

    seen: ClassVar[list[Tensor]] = []

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def _fit(self, x: Tensor, y: Tensor) -> None:
        self.seen.append(x)

    def _forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class TestVerdicts:
    def test_a_true_translation_holds(self):
        found = report(Ridge(), X, X @ normal(D, E, seed=1) + 0.01 * normal(N, E, seed=2), curve=False)
        assert found.verdict == "holds", str(found)
        assert found.row.r2 > 0.99 and found.row.top1 > 0.99

    def test_a_wrong_scale_is_seen_by_the_scale_sensitive_figures_alone(self):
        found = report(Known(9.0), X, X + 0.01 * normal(N, D, seed=2), curve=False)
        assert found.verdict == "retrieves"
        assert found.row.r2 < -10 and found.row.r2_scaled > 0.99 and found.row.top1 == 1 and found.row.cka > 0.99
        assert any("scale or offset is off" in each for each in found.warnings)

    def test_a_translator_that_misses_what_is_there(self):
        found = report(Known(-1.0), X - X.mean(0), X - X.mean(0), curve=False)
        # opposite vectors have the same neighbours, so rows correspond; as a prediction it is worthless
        assert found.row.r2 < 0 and found.row.top10 < 0.1 and found.verdict == "not found"
        assert "the rows do correspond" in found.why

    def test_doing_nothing_may_do(self):
        found = report(Orthogonal(), X, X + 0.01 * normal(N, D, seed=2), curve=False)
        assert found.verdict == "holds" and "doing nothing did as well" in found.why

    def test_a_weak_translation_is_partly_one(self):
        assert report(Ridge(), X, Y + 1.5 * normal(N, E, seed=8), curve=False).verdict == "partly"

    def test_too_few_songs_leave_it_open(self):
        three = torch.arange(N) // 80
        found = report(Ridge(), X, Y[ORDER], groups=three, curve=False)
        assert found.verdict == "not found" and "too few to tell" in found.why and math.isnan(found.correspondence_p)
        right = report(Ridge(), X, Y, groups=three, curve=False)
        assert right.verdict == "holds" and any("one group alone" in each for each in right.warnings)

    def test_a_translator_that_says_it_found_nothing(self):
        class Silent(Known):
            found_, why_ = False, "two halves of the data gave two maps"

            def _forward(self, x: Tensor) -> Tensor:
                raise DataError("nothing was found")

        found = report(Silent(), X, X, curve=False)
        assert found.verdict == "not found" and found.why == Silent.why_ and math.isnan(found.row.r2)
        assert found.groups == 48 and found.bound == math.inf and "not found" in str(found)


def everyone() -> list[Translator]:
    named = (getattr(translators, name) for name in translators.__all__)
    kinds = [each for each in named if isinstance(each, type) and issubclass(each, Translator) and not inspect.isabstract(each)]
    return [kind() for kind in kinds]


@pytest.mark.parametrize("translator", everyone(), ids=repr)
class TestShuffledPairs:
    """Rows that lost their partners are noticed, whatever the translator."""

    def test_are_noticed(self, translator):
        found = report(translator, X, Y[ORDER], curve=False)
        assert found.verdict in ("no correspondence", "not found"), str(found)
        assert found.verdict == "no correspondence" or not math.isfinite(found.row.r2)  # a blind one says it itself
        if math.isfinite(found.row.r2):
            assert found.row.r2 < 0.1 and found.row.r2_low <= 0
            assert found.neighbours_p > 0.01 and found.correspondence_p > 0.01

    def test_whole_songs_in_another_order_are_noticed(self, translator):
        order = (torch.randperm(30, generator=Generator().manual_seed(5))[:, None] * 8 + torch.arange(8)).flatten()
        clustered = X + 3 * normal(30, D, seed=6)[SONG]
        target = clustered @ normal(D, E, seed=1) / math.sqrt(D)
        found = report(translator, clustered, target[order], groups=SONG, curve=False)
        assert found.verdict in ("no correspondence", "not found"), str(found)
        assert found.verdict == "no correspondence" or not math.isfinite(found.row.r2)


def test_false_alarms_are_rare():
    """Unrelated rows: of 20 draws none is taken for a translation."""
    verdicts = [report(Ridge(), normal(80, 6, seed=s), normal(80, 5, seed=s + 1000), curve=False).verdict for s in range(20)]
    assert sum(each != "no correspondence" for each in verdicts) <= 1
    assert "holds" not in verdicts and "retrieves" not in verdicts


class TestFigures:
    def test_r2_is_that_of_sklearn_on_rows_held_out(self):
        found = report(Ridge(), X[:200], Y[:200], curve=False)
        made = Ridge().fit(X[:200], Y[:200])
        fresh = report(made, X[200:], Y[200:], refit=False)
        theirs = r2_score(Y[200:], made.transform(X[200:]), multioutput="variance_weighted")
        whole = 1 - float((Y[200:] - made.transform(X[200:])).square().sum() / (Y[200:] - Y[200:].mean(0)).square().sum())
        assert fresh.row.r2 == pytest.approx(theirs) == pytest.approx(whole) == pytest.approx(made.score(X[200:], Y[200:]))
        assert fresh.anchors == 0 and fresh.held_out == 40 and not fresh.curve and found.held_out == 40
        assert found.row.r2_low < found.row.r2 < found.row.r2_high

    def test_controls_are_at_their_nulls(self):
        found = {each.name: each for each in report(Ridge(), X, Y, curve=False).rows}
        assert found["this translation"].r2 > 0.5
        assert found["shuffled pairs"].r2 < 0.05 and abs(found["mean of the target"].r2) < 0.05
        assert found["mean of the target"].top1 < 0.1 and math.isnan(found["mean of the target"].neighbours)
        nothing = found["nothing done"]  # other dimensions: nothing but what needs none
        assert math.isnan(nothing.r2) and math.isfinite(nothing.cka) and math.isfinite(nothing.neighbours)

    def test_nothing_is_measured_on_what_was_learned_from(self):
        Known.seen.clear()
        marked = torch.cat([SONG[:, None].double(), X], 1)
        found = report(Known(), marked, marked, groups=SONG)
        first = set(Known.seen[0][:, 0].long().tolist())
        assert found.held_out == N - len(Known.seen[0]) and found.groups == 30 - len(first)
        assert found.held_out == 8 * found.groups  # whole songs
        assert all(set(rows[:, 0].long().tolist()) <= first for rows in Known.seen)

    def test_the_translator_given_is_left_alone(self):
        made = Ridge()
        report(made, X, Y, curve=False)
        assert not hasattr(made, "n_features_in_")

    def test_the_seed_decides_alone(self):
        assert report(Ridge(), X, Y).to_dict() == report(Ridge(), X, Y).to_dict()

    def test_arrays_and_names_of_songs_are_read(self):
        names = np.array([f"song {s}" for s in SONG.tolist()])
        theirs = report(Ridge(), X.numpy(), Y.numpy(), groups=names, curve=False)
        assert theirs.to_dict() == report(Ridge(), X, Y, groups=SONG, curve=False).to_dict()


class TestBound:
    def test_it_covers_new_rows_as_often_as_it_says(self):
        """Over draws of data the bound of 80 % covers a fresh row in at least 80 % of cases, less three standard errors."""
        covered, weight = [], normal(4, 3, seed=1)
        for s in range(16):
            x = normal(150, 4, seed=s + 50)
            y = x @ weight + normal(150, 3, seed=s + 500)
            shown: list[tuple[Tensor, Tensor]] = []
            found = report(_Spy(shown), x[:100], y[:100], curve=False, level=0.8, held_out=0.3, seed=s)
            made = Ridge().fit(*shown[0])  # the bound belongs to the map learned from the rows not held out
            kept = torch.isin(y[:100, 0], shown[0][1][:, 0])
            spread = (y[:100][~kept] - y[:100][~kept].mean(0)).square().sum(1).mean().sqrt()
            error = (made.transform(x[100:]) - y[100:]).norm(dim=1) / spread
            covered += (error <= found.bound).tolist()
        assert sum(covered) / len(covered) > 0.8 - 3 * math.sqrt(0.8 * 0.2 / 160)
        assert sum(covered) / len(covered) < 0.95

    def test_too_few_songs_give_none(self):
        found = report(Ridge(), X, Y, groups=torch.arange(N) // 40, curve=False)
        assert found.bound == math.inf and "no bound for a new group" in str(found)


class _Spy(Ridge):
    def __init__(self, shown: list[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.shown = shown

    def __deepcopy__(self, memo: object) -> "_Spy":
        return _Spy(self.shown)

    def _fit(self, x: Tensor, y: Tensor) -> None:
        self.shown.append((x, y))
        super()._fit(x, y)


class TestCurve:
    def test_it_ends_with_all_anchors_and_rises_to_them(self):
        found = report(Ridge(), X, Y)
        counts = [p["anchors"] for p in found.curve]
        assert counts == sorted(counts) and counts[-1] == found.anchors
        assert found.curve[-1]["r2"] == found.row.r2 > found.curve[0]["r2"]
        assert 10 < found.anchors_needed <= found.anchors

    def test_where_it_enters_the_last_twentieth_for_good(self):
        def points(*r2: float) -> list[dict[str, float]]:
            return [{"anchors": 10.0 * 10**i, "r2": each, "top1": 0.0} for i, each in enumerate(r2)]

        assert _needed(points(0.0, 1.0)) == pytest.approx(10 * 10**0.95)
        assert _needed(points(1.0, 0.5, 1.0)) == pytest.approx(100 * 10**0.9)  # a dip counts
        assert _needed(points(0.99, 0.97, 1.0)) == 10
        assert _needed(points(math.nan, 1.0)) == 100
        assert math.isnan(_needed(points(-1.0, -0.5))) and math.isnan(_needed([]))

    def test_as_many_anchors_as_dimensions_raise_a_warning(self):
        d = 80
        x = normal(100, d)
        y = x @ normal(d, 5, seed=1) / math.sqrt(d) + 0.5 * normal(100, 5, seed=2)
        found = report(Affine(), x, y)
        assert found.anchors == d
        assert any("80 anchors for 80 dimensions" in each for each in found.warnings)
        assert any("try Ridge()" in each for each in found.warnings)
        assert not any("try Ridge()" in each for each in report(Ridge(), x, y).warnings)


class TestCeiling:
    def test_is_what_the_best_map_reaches(self):
        item = torch.arange(600) // 3
        x = normal(200, 4)[item]
        y = x @ normal(4, 3, seed=1) + 0.7 * normal(600, 3, seed=2)
        found = report(Ridge(), x + 1e-9 * normal(600, 4, seed=3), y, repeats=item, curve=False)
        assert found.ceiling == pytest.approx(1 - 3 * 0.49 / float(y.var(0).sum()), abs=0.01)
        assert found.row.r2 == pytest.approx(found.ceiling, abs=0.03)
        assert found.verdict == "holds" and found.held_out % 3 == 0  # readings of one thing stay on one side

    def test_repeats_that_repeat_nothing_are_refused(self):
        with pytest.raises(DataError, match="repeats say nothing"):
            report(Ridge(), X, Y, repeats=torch.arange(N), curve=False)


def test_what_is_printed_and_what_goes_into_json(tmp_path):
    found = report(Ridge(), X, Y)
    told = str(found)
    for word in (
        found.verdict,
        "shuffled pairs",
        "mean of the target",
        "nothing done",
        "anchors: R² / R@1",
        "192 anchors, 48 rows",
    ):
        assert word in told
    read = json.loads(found.save(tmp_path / "report.json").read_text())
    assert read == json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["rows"][3]["r2"] is None and read["rows"][0]["r2"] == found.row.r2


class TestBadInput:
    def test_rows_are_checked_as_in_fit(self):
        with pytest.raises(ShapeError):
            report(Ridge(), X, Y[1:])
        broken = Y.clone()
        broken[5, 1] = math.nan
        with pytest.raises(DataError):
            report(Ridge(), X, broken)

    def test_too_few_to_hold_any_out(self):
        with pytest.raises(DataError):
            report(Ridge(), X[:11], Y[:11])
        with pytest.raises(DataError, match="one group"):
            report(Ridge(), X, Y, groups=[0] * N)

    def test_a_share_that_is_none(self):
        with pytest.raises(OplasError, match="held_out=2"):
            report(Ridge(), X, Y, held_out=2)

    def test_held_out_rows_that_are_a_point(self):
        flat = torch.where(SONG[:, None] == 3, Y, 1.0)
        with pytest.raises(DataError, match="all the same vector"):
            report(Ridge(), X, flat, groups=SONG, curve=False)
