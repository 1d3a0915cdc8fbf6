"""Guarantees of relative representations: what each is invariant to, and that what stands there can be read."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import cosine_similarity
from torch import Generator, Tensor

from oplas._errors import OplasError, ShapeError
from oplas.functional.similarity import leverage
from oplas.translators import Ridge, Translator
from oplas.translators.relative import Invariances, Relative, choose_anchors, relative


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


D = 6
X = normal(150, D) * torch.linspace(2, 0.5, D)
TURN = torch.linalg.qr(normal(D, D, seed=1)).Q
FLIP = torch.eye(D, dtype=torch.float64)[torch.randperm(D, generator=Generator().manual_seed(2))] * torch.tensor(
    [1.0, -1, 1, 1, -1, 1]
)
A = X[:20]


class TestSimilarities:
    @pytest.mark.parametrize(
        ("kind", "oracle"),
        [
            ("cosine", lambda x, a: cosine_similarity(x, a)),
            ("geodesic", lambda x, a: -np.arccos(np.clip(cosine_similarity(x, a), -1, 1))),
            ("l1", lambda x, a: -cdist(x, a, "cityblock")),
            ("l2", lambda x, a: -cdist(x, a)),
            ("linf", lambda x, a: -cdist(x, a, "chebyshev")),
        ],
    )
    def test_equal_those_of_scipy_and_sklearn(self, kind, oracle):
        assert np.allclose(relative(X, A, kind), oracle(X.numpy(), A.numpy()), atol=1e-7)

    @pytest.mark.parametrize(
        ("kind", "changes"),
        [
            ("cosine", (lambda z: z @ TURN, lambda z: 3 * z, lambda z: z * z.norm(dim=1, keepdim=True))),
            ("geodesic", (lambda z: z @ TURN, lambda z: 3 * z, lambda z: z * z.norm(dim=1, keepdim=True))),
            ("l2", (lambda z: z @ TURN, lambda z: z + 3)),
            ("l1", (lambda z: z @ FLIP, lambda z: z + 3)),
            ("linf", (lambda z: z @ FLIP, lambda z: z + 3)),
        ],
    )
    def test_invariances(self, kind, changes):
        for change in changes:
            assert torch.allclose(relative(change(X), change(A), kind), relative(X, A, kind), atol=1e-6)

    @pytest.mark.parametrize("kind", ["l1", "linf"])
    def test_what_is_no_invariance(self, kind):
        assert not torch.allclose(relative(X @ TURN, A @ TURN, kind), relative(X, A, kind), atol=0.1)

    def test_a_row_of_zeros_is_like_nothing(self):
        assert relative(torch.zeros(1, 3), torch.ones(2, 3)).tolist() == [[0, 0]]

    def test_a_kind_that_is_none(self):
        with pytest.raises(OplasError, match="'l3' is no similarity"):
            relative(X, A, "l3")


class TestTranslators:
    @pytest.mark.parametrize("kinds", [("cosine",), ("l2",), ("geodesic",), ("cosine", "l2", "geodesic")], ids=str)
    def test_two_spaces_that_differ_by_a_rotation_share_it(self, kinds):
        made = Invariances(kinds, anchors=40).fit(X[:100], 5 * X[:100] @ TURN + 2)
        assert torch.allclose(made.relative(X[100:]), made.relative_target(5 * X[100:] @ TURN + 2), atol=1e-6)
        assert all(each == pytest.approx(1) for each in made.agreement_.values())

    def test_agreement_names_the_invariance_that_holds(self):
        turned = Invariances().fit(X, X @ TURN).agreement_
        assert turned["l2"] == pytest.approx(1) and turned["cosine"] == pytest.approx(1) and turned["linf"] < 0.99
        unrelated = Invariances().fit(X, normal(150, D, seed=7)).agreement_
        assert all(abs(each - unrelated["cosine"]) < 0.9 for each in unrelated.values()) and unrelated["cosine"] < 0.5

    @pytest.mark.parametrize("wide", [4, 6, 9])
    def test_a_linear_truth_is_translated_there_and_back(self, wide):
        y = X @ normal(D, wide, seed=3) + 1
        made = Invariances().fit(X[:120], y[:120])
        assert made.score(X[120:], y[120:]) > 0.97
        back = made.inverse_transform(y[120:])
        assert back.shape == (30, D)
        if wide >= D:
            assert 1 - float((back - X[120:]).square().sum() / X[120:].square().sum()) > 0.9

    def test_directions_are_read_from_cosines(self):
        unit = X / X.norm(dim=1, keepdim=True)
        assert Relative().fit(unit[:120], unit[:120] @ TURN).score(unit[120:], unit[120:] @ TURN) > 0.999

    def test_a_curved_truth_is_followed_better_than_by_a_linear_map(self):
        x = normal(600, 3)
        y = torch.cat([x.norm(dim=1, keepdim=True), x[:, :1] * x[:, 1:2]], 1)
        assert (
            Invariances().fit(x[:500], y[:500]).score(x[500:], y[500:])
            > 0.8
            > Ridge().fit(x[:500], y[:500]).score(x[500:], y[500:])
        )

    def test_saved_and_read_again(self, tmp_path):
        made = Invariances(("cosine", "l1"), anchors=30).fit(X, X @ TURN)
        again = Translator.load(made.save(tmp_path / "translator.safetensors"))
        assert repr(again) == repr(made) and again.agreement_ == made.agreement_
        assert torch.equal(again.transform(X), made.transform(X)) and torch.equal(again.relative(X), made.relative(X))

    def test_arrays_come_back_as_arrays(self):
        made = Relative().fit(X.numpy().astype(np.float32), (X @ TURN).numpy())
        assert made.relative(X.numpy().astype(np.float32)).dtype == np.float32
        with pytest.raises(ShapeError):
            made.relative(X[:, :3])

    def test_no_more_anchors_than_asked_for(self):
        made = Invariances(("cosine",), anchors=25).fit(X, X @ TURN)
        assert made.anchors_x_.shape == (25, D) and made.relative(X).shape == (150, 25)


class TestChoosingAnchors:
    def test_distinct_rows_by_the_seed_alone(self):
        chosen = choose_anchors(X, 60, seed=4)
        assert len(chosen.unique()) == 60 and torch.equal(chosen, choose_anchors(X.numpy(), 60, seed=4))
        assert not torch.equal(chosen, choose_anchors(X, 60, seed=5))

    def test_chances_are_in_proportion_to_leverage(self):
        x = normal(10, 3)
        share = leverage(x, 0.01) / leverage(x, 0.01).sum()
        drawn = torch.bincount(torch.cat([choose_anchors(x, 1, seed=s) for s in range(2000)]), minlength=10) / 2000
        assert torch.allclose(drawn.double(), share, atol=4 * math.sqrt(0.25 / 2000))

    def test_fewer_labels_do_where_directions_are_rare(self):
        """One row in fifty tells of a direction of its own: chosen anchors meet it, drawn ones mostly do not."""
        x = normal(1000, 10)
        x[:, 5:] *= (torch.arange(1000) % 50 == 0)[:, None] * 6
        y = x @ normal(10, 8, seed=1) + 0.1 * normal(1000, 8, seed=2)

        def r2(rows: Tensor) -> float:
            return Ridge().fit(x[rows], y[rows]).score(x, y)

        def order(seed: int) -> Tensor:
            return torch.randperm(1000, generator=Generator().manual_seed(seed))

        chosen = sum(r2(choose_anchors(x, 40, seed=s)) for s in range(10)) / 10
        drawn = {
            n: sum(r2(torch.randperm(1000, generator=Generator().manual_seed(s))[:n]) for s in range(10)) / 10 for n in (40, 80)
        }
        assert chosen > drawn[80] > drawn[40]

    def test_more_than_there_are(self):
        with pytest.raises(OplasError, match="151 of 150"):
            choose_anchors(X, 151)
