"""Closed-form maps: against the definition, against the rows, and against the best that a search finds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from oplas.functional.maps import RidgePath, least_squares, r2
from oplas.functional.pairs import PairStatistics
from oplas.functional.procrustes import fill_in, polar, procrustes
from oplas.functional.subspaces import canonical, leading


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def noisy(n: int, d: int, e: int, noise: float = 0.5, decay: float = 0.0) -> tuple[Tensor, Tensor]:
    """Centred rows, their variances falling as a power of the dimension, and an orthogonal map of them with noise."""
    x = normal(n, d) * torch.arange(1, d + 1).double() ** -decay
    turn = torch.linalg.qr(normal(max(d, e), max(d, e), seed=1)).Q[:d, :e]
    y = 1.7 * x @ turn + noise * normal(n, e, seed=2) * x.std()
    return x - x.mean(0), y - y.mean(0)


def error(x: Tensor, y: Tensor, turn: Tensor, scale: float) -> float:
    return float((y - scale * x @ turn).square().sum() / y.square().sum())


def test_r2_of_statistics_is_that_of_the_rows():
    x, y = normal(50, 4) + 3, normal(50, 3, seed=1)
    w, mean_x, mean_y = normal(4, 3, seed=2), normal(4, seed=3), normal(3, seed=4)
    told = mean_y + (x - mean_x) @ w
    direct = 1 - (y - told).square().sum() / (y - y.mean(0)).square().sum()
    assert r2(PairStatistics.of(x, y), w, mean_x, mean_y) == pytest.approx(float(direct), abs=1e-12)


@pytest.mark.parametrize("n", [5, 12, 200])
def test_least_squares_is_the_smallest_of_the_best_maps(n):
    x, y = noisy(n, 12, 7)
    expected = torch.linalg.lstsq(x, y, driver="gelsd").solution
    assert torch.allclose(least_squares(PairStatistics.of(x, y)), expected, atol=1e-7)


def test_least_squares_leaves_out_what_does_not_vary():
    x, y = noisy(200, 12, 7)
    doubled = torch.cat([x, x[:, :1], x[:, :1] * 0], 1)
    found = least_squares(PairStatistics.of(doubled, y))
    assert torch.allclose(doubled @ found, x @ least_squares(PairStatistics.of(x, y)), atol=1e-7)
    assert torch.allclose(found[0], found[12], atol=1e-7) and found[13].abs().max() < 1e-7


@pytest.mark.parametrize("n", [8, 13, 60])
def test_ridge_path_is_ridge_and_its_criteria_are_their_definitions(n):
    """Leave-one-out by leverages is what leaving each pair out gives; GCV is that with the mean leverage."""
    x, y = noisy(n, 12, 5)
    path = RidgePath.of(PairStatistics.of(x, y))
    for penalty in (0.3, 30.0):
        direct = torch.linalg.solve(x.T @ x + penalty * torch.eye(12).double(), x.T @ y)
        assert torch.allclose(path.weight(penalty), direct, atol=1e-9)
        left_out = []
        for i in range(n):
            rest = torch.arange(n) != i
            s = PairStatistics.of(x[rest], y[rest])
            told = s.mean_y + (x[i] - s.mean_x) @ RidgePath.of(s).weight(penalty)
            left_out.append((y[i] - told).square().sum())
        assert float(path.loo(torch.tensor([penalty]), x, y)) == pytest.approx(float(torch.stack(left_out).mean()), rel=1e-7)
        hat = x @ torch.linalg.solve(x.T @ x + penalty * torch.eye(12).double(), x.T)
        free = n - 1 - float(hat.trace())
        gcv = n * float((y - hat @ y).square().sum()) / free**2
        assert float(path.gcv(torch.tensor([penalty]).double())) == pytest.approx(gcv, rel=1e-7)


def test_polar_is_the_nearest_orthonormal_matrix():
    for shape, spread in (((7, 7), 1.0), ((9, 4), 1.0), ((4, 9), 1.0), ((6, 6), 1e-7), ((5, 5), 0.0)):
        m = normal(*shape) * torch.logspace(0, -1, shape[1]).double()
        m[:, -1] *= spread
        found = polar(m)
        short = found @ found.T if shape[0] <= shape[1] else found.T @ found
        assert torch.allclose(short, torch.eye(min(shape)).double(), atol=1e-9)
        assert float((found * m).sum()) == pytest.approx(float(torch.linalg.svdvals(m).sum()), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 10), st.integers(2, 10), st.integers(0, 1000))
def test_no_orthonormal_map_near_or_far_is_better_than_procrustes(d, e, seed):
    x, y = noisy(60, d, e)
    turn, scale = procrustes(PairStatistics.of(x, y))
    found = error(x, y, turn, scale)
    for size in (1e-3, 0.1, 1.0, 10.0):
        other = polar(turn + size * normal(d, e, seed=seed))
        factor = float((y * (x @ other)).sum() / (x @ other).square().sum())
        assert error(x, y, other, factor) >= found - 1e-9


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_a_wide_source_loses_less_than_by_padding_and_least_squares(decay):
    x, y = noisy(300, 32, 20, decay=decay)
    s = PairStatistics.of(x, y)
    errors = []
    for turn in (fill_in(s), polar(s.xy), polar(least_squares(s))):
        errors.append(error(x, y, turn, float((y * (x @ turn)).sum() / (x @ turn).square().sum())))
    assert errors[0] < min(errors[1:])


def test_the_iteration_ends_where_no_first_order_change_helps():
    """At the optimum Rᵀ(gradient) is symmetric, and the gradient has no part outside the span of R."""
    x, y = noisy(300, 20, 12, decay=1.0)
    s = PairStatistics.of(x, y)
    turn, scale = procrustes(PairStatistics.of(x, y))
    slope = scale * s.xx @ turn - s.xy
    inside = turn.T @ slope
    outside = slope - turn @ (inside + inside.T) / 2
    assert outside.norm() < 2e-3 * s.xy.norm()


def test_canonical_variates_are_white_and_as_correlated_as_said():
    x, y = noisy(400, 10, 6)
    found = canonical(PairStatistics.of(x, y), 0.0, 0.0)
    u, v = x @ found.x, y @ found.y
    assert torch.allclose(u.T @ u, torch.eye(6).double(), atol=1e-9) and torch.allclose(v.T @ v, torch.eye(6).double(), atol=1e-9)
    assert torch.allclose(u.T @ v, found.correlations.diag(), atol=1e-9)
    assert torch.equal(found.correlations, found.correlations.sort(descending=True).values)
    assert torch.allclose(v @ found.colour_y.T, y, atol=1e-9)


def test_a_planted_rank_is_found_and_judged_by_the_rows():
    x = normal(400, 12)
    y = x @ normal(12, 3, seed=1) @ normal(3, 9, seed=2) + 0.5 * normal(400, 9, seed=3)
    x, y = x - x.mean(0), y - y.mean(0)
    s = PairStatistics.of(x, y)
    path = RidgePath.of(s)
    found = leading(path, s, 2.0)
    assert found.best() == 3
    for rank in (1, 3, 5):
        kept = found.axes[:, :rank]
        direct = (y - x @ path.weight(2.0) @ kept @ kept.T).square().sum()
        assert float(found.errors[rank - 1]) == pytest.approx(float(direct), rel=1e-9)
