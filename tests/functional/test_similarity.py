"""Guarantees of the similarity figures: invariances, oracles from scipy and scikit-learn, and nulls that are calibrated."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from sklearn.cross_decomposition import CCA
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.functional.similarity import (
    _shuffled,
    canonical_correlations,
    cka,
    cosine,
    leverage,
    mutual_neighbours,
    nearest,
    ranks,
    recall,
)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def turn(d: int, seed: int = 9) -> Tensor:
    return torch.linalg.qr(normal(d, d, seed=seed)).Q


X, Y = normal(60, 5), normal(60, 5) @ normal(5, 7, seed=1) + 0.8 * normal(60, 7, seed=2)


def unbiased_hsic(x: Tensor, y: Tensor) -> float:
    """Song et al. (2012), by its n × n definition."""
    n, one = len(x), torch.ones(len(x), dtype=x.dtype)
    k, m = (z @ z.T * (1 - torch.eye(n, dtype=z.dtype)) for z in (x, y))
    pairs = (k @ m).trace() + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
    return float(pairs) / (n * (n - 3))


class TestCKA:
    def test_equals_the_definition_by_kernels(self):
        by_kernels = unbiased_hsic(X, Y) / math.sqrt(unbiased_hsic(X, X) * unbiased_hsic(Y, Y))
        assert cka(X, Y) == pytest.approx(by_kernels, abs=1e-12)

    def test_rotation_shift_and_one_scale_change_nothing(self):
        rotation = torch.tensor(Rotation.random(random_state=1).as_matrix())
        x = normal(40, 3)
        assert cka(x, -7 * x @ rotation + 3) == pytest.approx(1)
        assert cka(X @ turn(5), 0.01 * Y - 4) == pytest.approx(cka(X, Y), abs=1e-10)

    def test_a_stretch_changes_it(self):
        assert cka(X, X * torch.tensor([9.0, 1, 1, 1, 1])) < 0.9

    @pytest.mark.parametrize(("n", "d"), [(12, 50), (100, 50), (12, 2)])
    def test_unrelated_rows_are_at_zero_on_average_however_few(self, n, d):
        found = torch.tensor([cka(normal(n, d, seed=s), normal(n, d, seed=s + 1000) * torch.arange(1, d + 1)) for s in range(300)])
        found = found[found.isfinite()]
        assert abs(float(found.mean())) < 4 * float(found.std()) / math.sqrt(len(found)) + 0.01

    def test_it_is_symmetric(self):
        assert cka(X, Y) == pytest.approx(cka(Y, X), abs=1e-12)


class TestCanonicalCorrelations:
    def test_equal_those_of_sklearn(self):
        x, y = X[:, :3].numpy(), Y[:, :3].numpy()
        a, b = CCA(n_components=3, scale=False, max_iter=20000, tol=1e-14).fit(x, y).transform(x, y)
        theirs = sorted((float(np.corrcoef(a[:, i], b[:, i])[0, 1]) for i in range(3)), reverse=True)
        assert canonical_correlations(X[:, :3], Y[:, :3]).tolist() == pytest.approx(theirs, abs=1e-5)

    def test_no_invertible_affine_map_changes_them(self):
        changed = canonical_correlations(X @ normal(5, 5, seed=4) + 2, Y @ normal(7, 7, seed=5))
        assert torch.allclose(changed, canonical_correlations(X, Y), atol=1e-9)

    def test_refused_where_counting_alone_forces_a_one(self):
        with pytest.raises(DataError, match="forced by counting"):
            canonical_correlations(normal(20, 10), normal(20, 10, seed=1))

    def test_copies_of_a_column_add_nothing(self):
        assert torch.allclose(canonical_correlations(torch.cat([X, X], 1), Y), canonical_correlations(X, Y), atol=1e-9)


class TestRetrieval:
    def test_cosine_equals_that_of_sklearn(self):
        x, y = normal(30, 4), normal(30, 4, seed=1)
        assert cosine(x, y) == pytest.approx(float(cosine_similarity(x, y).diagonal().mean()))

    def test_a_row_of_zeros_counts_nought(self):
        assert cosine(torch.zeros(1, 3), torch.ones(1, 3)) == 0

    def test_ranks_equal_the_order_of_sklearn(self):
        x, y = normal(50, 4), normal(50, 4, seed=1)
        order = (-cosine_similarity(x, y)).argsort(1)
        assert ranks(x, y).tolist() == [order[i].tolist().index(i) for i in range(50)]
        assert torch.equal(ranks(x, y, batch=7), ranks(x, y))

    def test_ties_count_against_the_query(self):
        assert ranks(torch.ones(6, 2), torch.ones(6, 2)).tolist() == [5] * 6

    def test_chance_is_k_over_n(self):
        found = recall(normal(1500, 20), normal(1500, 20, seed=1), at=(1, 150))
        assert found == (pytest.approx(1 / 1500, abs=0.003), pytest.approx(0.1, abs=0.03))

    def test_positive_scales_change_nothing(self):
        x, y = normal(50, 4), normal(50, 4) + normal(50, 4, seed=1)
        assert torch.equal(ranks(3 * x, y * normal(50, 1, seed=3).abs()), ranks(x, y))


class TestMutualNeighbours:
    def test_nearest_equals_that_of_sklearn(self):
        found = NearestNeighbors(n_neighbors=6, metric="cosine").fit(X).kneighbors(X, return_distance=False)[:, 1:]
        assert torch.equal(nearest(X, 5).sort(1).values, torch.tensor(found).sort(1).values)

    def test_the_same_space_turned_and_scaled_has_the_same_neighbours(self):
        found = mutual_neighbours(X, -3 * X @ turn(5) + 8, permutations=99)
        assert found.share == 1 and found.p == pytest.approx(0.01)

    def test_chance_is_k_over_the_others(self):
        assert mutual_neighbours(X, normal(60, 9, seed=5)).chance == pytest.approx(10 / 59, abs=0.005)

    def test_the_null_is_calibrated(self):
        p = [mutual_neighbours(normal(25, 4, seed=s), normal(25, 6, seed=s + 999), 3, permutations=59).p for s in range(150)]
        for level in (0.05, 0.2, 0.5):
            assert sum(each <= level for each in p) / 150 <= level + 3 * math.sqrt(level * (1 - level) / 150)
        assert 0.35 < sum(p) / 150 < 0.65

    def test_clusters_of_equal_size_keep_it_calibrated(self):
        blob = torch.arange(30) // 10
        p = [
            mutual_neighbours(
                4 * normal(3, 4, seed=s)[blob] + normal(30, 4, seed=s + 500),
                (4 * normal(3, 4, seed=s + 1000)[blob] + normal(30, 4, seed=s + 1500))[
                    torch.randperm(30, generator=Generator().manual_seed(s))
                ],
                3,
                permutations=59,
            ).p
            for s in range(100)
        ]
        assert sum(each <= 0.05 for each in p) / 100 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)

    def test_songs_alone_are_no_sign(self):
        """Rows cluster by song in both spaces and the songs have nothing to do with each other: only shuffled songs say so."""
        song = torch.arange(6).repeat_interleave(torch.tensor([9, 4, 7, 10, 5, 8]))
        p = {True: [], False: []}
        for s in range(60):
            x, y = (3 * normal(6, 4, seed=9 * s + i)[song] + normal(43, 4, seed=9 * s + i + 4) for i in (0, 1))
            for whole in p:
                p[whole].append(mutual_neighbours(x, y, 5, permutations=59, group=song if whole else None).p)
        rejected = {whole: sum(each <= 0.05 for each in found) / 60 for whole, found in p.items()}
        assert rejected[True] <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 60) < rejected[False]

    def test_whole_songs_keep_their_order_within(self):
        song = torch.tensor([7, 7, 2, 2, 2, 7, 0])
        for seed in range(9):
            order = _shuffled(torch.arange(7), song, Generator().manual_seed(seed))
            assert all(len(song[order][song == g].unique()) == 1 for g in (0, 2, 7)) and len(song[order].unique()) == 3
            assert order[song == 2].tolist() == sorted(order[song == 2].tolist())
        equal = _shuffled(torch.arange(6), torch.tensor([1, 1, 5, 5, 3, 3]), Generator().manual_seed(2))
        assert equal.sort().values.tolist() == list(range(6))
        near = nearest(X[:7], 3, song)
        assert (song[near] != song[:, None]).all()
        with pytest.raises(DataError, match="3 of 7 rows"):
            nearest(X[:7], 5, song)

    def test_the_seed_alone_decides(self):
        assert mutual_neighbours(X, Y, seed=3) == mutual_neighbours(X, Y, seed=3)


class TestLeverage:
    def test_equals_the_hat_matrix_and_sums_to_the_rank(self):
        centred = torch.cat([X, X[:, :1]], 1) - torch.cat([X, X[:, :1]], 1).mean(0)
        hat = centred @ torch.linalg.pinv(centred)
        assert torch.allclose(leverage(torch.cat([X, X[:, :1]], 1)), hat.diagonal(), atol=1e-10)
        assert float(leverage(X).sum()) == pytest.approx(5)

    def test_a_ridge_lowers_it(self):
        assert (leverage(X, ridge=0.1) < leverage(X)).all()


@pytest.mark.parametrize(
    "figure", [cka, canonical_correlations, cosine, ranks, recall, mutual_neighbours], ids=lambda f: f.__name__
)
class TestBadInput:
    def test_rows_without_a_partner(self, figure):
        with pytest.raises(ShapeError, match="60 rows beside 59"):
            figure(X, X[1:])

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_numbers_that_are_not_finite(self, figure, bad):
        broken = X.clone()
        broken[7, 2] = bad
        with pytest.raises(DataError, match="row 7"):
            figure(X, broken)

    def test_no_rows_and_flat_tensors(self, figure):
        with pytest.raises(DataError):
            figure(X[:0], X[:0])
        with pytest.raises(ShapeError):
            figure(X[:, 0], X[:, 0])


@pytest.mark.parametrize("figure", [cka, mutual_neighbours])
def test_a_cloud_that_is_a_point_is_refused(figure):
    with pytest.raises(DataError, match="the same vector"):
        figure(torch.full((60, 3), 7.3), X)


@pytest.mark.parametrize("figure", [cosine, ranks])
def test_vectors_of_other_spaces_are_not_compared(figure):
    with pytest.raises(ShapeError, match="translate one side first"):
        figure(X, Y)
