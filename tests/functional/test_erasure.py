"""Theorems of erasure: what no linear probe may find, what may not move, and what must."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.functional.directions import difference_of_means, from_pairs, pls, probes
from oplas.functional.erasure import causal_inner, complement, leace, matrix_subspace, moments, rlace
from oplas.functional.isolated import isolated


def drawn(n: int = 600, d: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Latents of a tilted cloud, and two attributes that are correlated and partly readable."""
    g = Generator().manual_seed(seed)
    y = torch.randn(n, 2, generator=g, dtype=torch.float64)
    y[:, 1] += 0.8 * y[:, 0]
    tilt = torch.randn(d, d, generator=Generator().manual_seed(100), dtype=torch.float64)
    mix = torch.randn(2, d, generator=Generator().manual_seed(101), dtype=torch.float64)
    return torch.randn(n, d, generator=g, dtype=torch.float64) @ tilt + 2 * y @ mix + 3, y


def accuracy(z: Tensor, label: Tensor, test: Tensor, true: Tensor) -> float:
    """Of the best least-squares probe."""
    x = torch.cat([z, torch.ones(len(z), 1, dtype=z.dtype)], 1)
    w = torch.linalg.lstsq(x, label.double() - label.double().mean()).solution
    guess = torch.cat([test, torch.ones(len(test), 1, dtype=z.dtype)], 1) @ w > 0
    return float((guess == true).double().mean())


def test_after_leace_a_linear_probe_is_at_chance_on_held_out_rows():
    (z, y), (test, true) = drawn(4000), drawn(4000, seed=1)
    label, wanted = y[:, 0] > 0, true[:, 0] > 0
    erase = leace(z, label.double())
    assert accuracy(z, label, test, wanted) > 0.75
    assert accuracy(erase(z), label, erase(test), wanted) < 0.54
    assert moments(erase(z), label.double())[2].abs().max() < 1e-10


@pytest.mark.parametrize("rank", [1, 2])
def test_leace_is_idempotent_and_removes_as_many_directions_as_there_are_attributes(rank):
    z, y = drawn()
    erase = leace(z, y[:, :rank])
    assert torch.allclose(erase(erase(z)), erase(z), atol=1e-9)
    assert int(torch.linalg.matrix_rank(erase(z) - z - (erase(z) - z).mean(0), tol=1e-6)) == rank
    assert torch.allclose(erase(z).mean(0), z.mean(0), atol=1e-9)


def test_leace_changes_least_of_all_maps_that_erase():
    """First-order optimality: no slope in any feasible direction, and no feasible map is nearer."""
    z, y = drawn()
    erase, (mean, _, cross) = leace(z, y), moments(z, y)
    change = lambda matrix: float(((z - mean) @ (matrix - torch.eye(8)).double().T).square().mean())  # noqa: E731
    best = torch.eye(8, dtype=torch.float64) - erase.left @ erase.right
    null = torch.eye(8, dtype=torch.float64) - cross @ torch.linalg.pinv(cross)
    for seed in range(5):
        other = torch.randn(8, 8, generator=Generator().manual_seed(seed), dtype=torch.float64) @ null
        assert (other @ cross).abs().max() < 1e-9
        slope = (change(best + 1e-4 * other) - change(best - 1e-4 * other)) / 2e-4
        assert abs(slope) < 1e-6 * float(other.norm()) and change(best + 0.1 * other) > change(best)


def test_leace_of_latents_that_do_not_vary_in_every_direction():
    z, y = drawn()
    flat = torch.cat([z, z[:, :2], torch.ones(len(z), 1)], 1)
    assert moments(leace(flat, y)(flat), y)[2].abs().max() < 1e-8


def test_independent_attributes_are_orthogonal_in_the_causal_inner_product_and_not_in_the_plain_one():
    z, y = drawn(20000)
    y = torch.stack([y[:, 0], y[:, 1] - 0.8 * y[:, 0]], 1)
    _, spread, cross = moments(z, y)
    a, b = cross.T[:1], cross.T[1:]
    size = lambda inner: float(inner(a, b) / (inner(a, a) * inner(b, b)).sqrt())  # noqa: E731
    plain = size(lambda p, q: p @ q.T)
    causal = size(lambda p, q: causal_inner(p, q, spread))
    assert abs(causal) < 0.05 and abs(plain) > 0.15


def test_what_lies_in_the_complement_is_not_seen_and_the_rest_of_leace_is_the_same():
    z, y = drawn()
    _, spread, cross = moments(z, y)
    w = torch.linalg.solve(spread, cross).T
    v = torch.randn(3, 8, generator=Generator().manual_seed(2), dtype=torch.float64)
    moved = complement(v, w[1:], spread)
    assert (moved @ w[1:].T).abs().max() < 1e-10
    assert torch.allclose(moved, leace(z, y[:, 1]).within(v), atol=1e-9)


def test_rlace_leaves_a_classifier_at_chance_with_one_direction_less():
    z, y = drawn(1500)
    label = (y[:, 0] > 0).long()
    erase = rlace(z, label, steps=150)
    assert accuracy(erase(z), label, erase(z), label.bool()) < 0.56
    assert torch.allclose(erase(erase(z)), erase(z), atol=1e-9)
    assert int(torch.linalg.matrix_rank((erase(z) - z) - (erase(z) - z).mean(0), tol=1e-6)) == 1
    number = rlace(z, y[:, 0])
    assert moments(number(z), y[:, :1])[2].abs().max() < 1e-9


def test_matrix_subspace_projection_solves_its_equation_and_edits_what_it_reads():
    z, y = drawn()
    m, (_, spread, cross) = matrix_subspace(z, y), moments(z, y)
    own = moments(y, y)[1]
    assert torch.allclose(own @ m + m @ spread, 2 * cross.T, atol=1e-9)
    wanted = torch.randn(len(z), 2, generator=Generator().manual_seed(3), dtype=torch.float64)
    edited = z + (wanted - z @ m.T) @ torch.linalg.pinv(m).T
    assert torch.allclose(edited @ m.T, wanted, atol=1e-9)


def test_pls_ends_at_least_squares_and_each_component_explains_more():
    z, y = drawn()
    _, spread, cross = moments(z, y[:, 0])
    steps = pls(z, y[:, 0], 8)
    error = [float((y[:, 0] - y[:, 0].mean() - (z - z.mean(0)) @ w).square().mean()) for w in steps]
    assert error == sorted(error, reverse=True)
    assert torch.allclose(steps[-1], torch.linalg.solve(spread, cross)[:, 0], atol=1e-6)


def test_pairs_and_means_find_a_planted_direction():
    g, planted = Generator().manual_seed(0), torch.arange(1.0, 6.0, dtype=torch.float64)
    z, amount = torch.randn(200, 5, generator=g, dtype=torch.float64), torch.rand(200, generator=g, dtype=torch.float64) * 6 - 3
    assert torch.allclose(from_pairs(z, z + amount[:, None] * planted, amount), planted)
    label = (amount > 0).double()
    assert torch.allclose(difference_of_means(label[:, None] * planted, label), planted)


def test_isolated_directions_move_their_own_probe_by_one_and_no_other():
    g = Generator().manual_seed(0)
    song = torch.arange(80).repeat_interleave(10)
    y = torch.randn(800, 3, generator=g, dtype=torch.float64)
    y[:, 1] += 0.9 * y[:, 0]
    mix = torch.randn(3, 12, generator=g, dtype=torch.float64)
    z = y @ mix + 0.2 * torch.randn(800, 12, generator=g, dtype=torch.float64)
    v = isolated(z[song < 40], y[song < 40], song[song < 40])
    judge = probes(z[song >= 40], y[song >= 40], song[song >= 40])
    assert torch.allclose(v @ judge.weight.T, torch.eye(3, dtype=torch.float64), atol=0.06)
    assert float(judge.r2.min()) > 0.9
    constant = isolated(z, torch.cat([y, torch.ones(800, 1)], 1), song)
    assert not constant[3].any() and constant[:3].any(1).all()


def test_what_cannot_be_is_refused():
    z, y = drawn(20)
    with pytest.raises(ShapeError, match="do not go together"):
        leace(z, y[:5])
    with pytest.raises(DataError, match="NaN"):
        leace(z.masked_fill(z > 5, math.nan), y)
    with pytest.raises(DataError, match="two that differ"):
        difference_of_means(z, torch.ones(20))
    with pytest.raises(DataError, match="changed by 0"):
        from_pairs(z, z, torch.zeros(20))
    with pytest.raises(DataError, match="cannot be removed"):
        rlace(z, torch.zeros(20, dtype=torch.long))
