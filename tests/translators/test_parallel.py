"""Guarantees of parallel anchors: a few seeds lead to the rest, the order of the rest is of no account, and failure is said."""

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.translators import Ridge, Translator
from oplas.translators.parallel import ParallelAnchors, refine, sinkhorn


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def order(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=Generator().manual_seed(seed))


def clustered(n: int, d: int = 16, seed: int = 0) -> Tensor:
    """Rows about eight centres, as an encoder's rows lie about its classes."""
    return 2 * normal(8, d, seed=99)[torch.arange(n) % 8] + normal(n, d, seed=seed) * torch.linspace(1.5, 0.5, d)


TURN = torch.linalg.qr(normal(20, 20, seed=1)).Q[:16]
X = clustered(500)[order(500, 3)]
Y = 3 * X @ TURN + 0.1 * normal(500, 20, seed=2) + 1
REST = torch.cat([torch.arange(10), 10 + order(390, 4)])


class TestSinkhorn:
    def test_rows_sum_to_one_and_columns_are_alike(self):
        plan = sinkhorn(normal(30, 20), 0.5, rounds=200)
        assert torch.allclose(plan.sum(1), torch.ones(30, dtype=torch.float64))
        assert torch.allclose(plan.sum(0), torch.full((20,), 1.5, dtype=torch.float64), atol=1e-6)

    def test_a_sharp_one_is_the_best_assignment(self):
        from scipy.optimize import linear_sum_assignment

        likeness = torch.rand(25, 25, generator=Generator().manual_seed(5), dtype=torch.float64)
        best = linear_sum_assignment(-likeness.numpy())[1]
        assert sinkhorn(likeness, 0.001, rounds=30000).argmax(1).tolist() == best.tolist()

    def test_no_temperature_is_too_sharp(self):
        assert sinkhorn(normal(9, 9), 1e-4).isfinite().all()


class TestRefine:
    def test_seeds_stay_together(self):
        plan = refine(X[:60], Y[:60] @ TURN.T, normal(60, 60), seeds=5)
        assert torch.equal(plan[:5, :5], torch.eye(5, dtype=torch.float64)) and float(plan[:5, 5:].sum()) == 0

    def test_a_true_start_stays_true(self):
        x = X[:80] - X[:80].mean(0)
        assert refine(x, x @ TURN, 5 * torch.eye(80, dtype=torch.float64)).argmax(1).tolist() == list(range(80))


class TestParallelAnchors:
    def test_ten_seeds_do_what_three_hundred_anchors_do(self):
        made = ParallelAnchors(10).fit(X[:400], Y[:400][REST])
        few, many = (Ridge().fit(X[:n], Y[:n]).score(X[400:], Y[400:]) for n in (10, 300))
        assert made.found_ and made.score(X[400:], Y[400:]) > 0.9 * many > few

    def test_rows_without_any_partner_do_too(self):
        """The rest of Y are other rows than the rest of X: clusters alone must do."""
        made = ParallelAnchors(10).fit(X[:200], torch.cat([Y[:10], Y[200:390]]))
        few = Ridge().fit(X[:10], Y[:10]).score(X[400:], Y[400:])
        assert made.found_ and made.score(X[400:], Y[400:]) > few + 0.05

    def test_the_order_of_the_rest_and_their_number_are_of_no_account(self):
        made = ParallelAnchors(10).fit(X[:400], Y[:400])
        other = ParallelAnchors(10).fit(X[:400], Y[:400][REST])
        assert torch.allclose(made.transform(X), other.transform(X), atol=1e-6)
        assert ParallelAnchors(10).fit(X[:300], Y[:400][REST]).transform(X).shape == (500, 20)

    def test_wrong_seeds_are_noticed_and_refused(self):
        found = [ParallelAnchors(10).fit(X[:200], Y[:200][order(200, s)]).found_ for s in range(20, 32)]
        assert sum(found) <= 1
        made = next(m for s in range(20, 32) if not (m := ParallelAnchors(10).fit(X[:200], Y[:200][order(200, s)])).found_)
        for go in (made.transform, made.inverse_transform):
            with pytest.raises(DataError, match=r"no translation was found: seeds left out are found at place 0\.\d+"):
                go(X if go == made.transform else Y)

    def test_seeds_among_unrelated_rows_find_nothing(self):
        places = [ParallelAnchors(10).fit(X[:200], normal(200, 20, seed=s)).place_ for s in range(40, 48)]
        assert abs(sum(places) / 8 - 0.5) < 4 / math.sqrt(12 * 80)  # as uniform places are

    def test_the_way_back(self):
        made = ParallelAnchors(10).fit(X[:400], Y[:400][REST])
        back = made.inverse_transform(Y[400:])
        assert 1 - float((back - X[400:]).square().sum() / (X[400:] - X[400:].mean(0)).square().sum()) > 0.9

    def test_saved_and_read_again_with_what_it_found(self, tmp_path):
        made = ParallelAnchors(8).fit(X[:100].numpy().astype(np.float32), Y[:100].numpy())
        again = Translator.load(made.save(tmp_path / "translator.safetensors"))
        assert repr(again) == "ParallelAnchors(seeds=8)" and again.found_ == made.found_ and again.why_ == made.why_
        made.found_ = again.found_ = True
        assert torch.equal(again.transform(X), made.transform(X))

    def test_bad_input(self):
        with pytest.raises(DataError, match="seeds=3 pairs are too few"):
            ParallelAnchors(3).fit(X, Y)
        with pytest.raises(DataError, match="15 and 500 rows beside 10 seeds"):
            ParallelAnchors(10).fit(X[:15], Y)
        with pytest.raises(ShapeError):
            ParallelAnchors(10).fit(X[:, 0], Y)
        broken = Y.clone()
        broken[300] = math.nan
        with pytest.raises(DataError, match="row 300"):
            ParallelAnchors(10).fit(X, broken)


def test_ten_labels_on_handwritten_digits_reach_nine_tenths_of_three_hundred():
    """Pixels to a random network's features, read by a classifier of the latter; what is not a seed has no partner at all."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import RidgeClassifier

    image, label = load_digits(return_X_y=True)
    at = order(len(image), 1)
    x, label = torch.from_numpy(image / 16)[at], label[at.numpy()]
    y = torch.tanh(x @ normal(64, 96, seed=1) / 3) @ normal(96, 48, seed=2)
    reader = RidgeClassifier().fit(y[:1300].numpy(), label[:1300])

    def accuracy(translator: Translator) -> float:
        return reader.score(translator.transform(x[1300:]).numpy(), label[1300:])

    made = ParallelAnchors(10).fit(x[:600], torch.cat([y[:10], y[600:1200]]))
    few, many = (accuracy(Ridge().fit(x[:n], y[:n])) for n in (10, 300))
    assert made.found_ and accuracy(made) >= 0.9 * many and accuracy(made) > few + 0.1
