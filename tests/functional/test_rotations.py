"""Closed-form rotations against the matrix exponential, and where others break: parallel vectors, no turn at all."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from oplas.functional.rotations import angle_in, frame, kabsch, nearest_turn, one_plane, rate, reflect, sinc, turn, turn_planes


def rows(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.floats(-50, 50), st.floats(0.01, 3), st.integers(0, 10**6))
def test_turning_is_the_matrix_exponential(dim, t, length, seed):
    a, b = length * rows(2, dim, seed=seed)
    z = rows(4, dim, seed=seed + 1)
    exact = z @ torch.linalg.matrix_exp(t * (torch.outer(a, b) - torch.outer(b, a))).T
    assert torch.allclose(turn(z, torch.full((4,), t, dtype=torch.float64), a, b), exact, rtol=0, atol=1e-9)


def test_nearly_parallel_vectors_still_turn_without_stretching():
    a, z = rows(8), rows(3, 8, seed=1)
    for tilt in (1e-3, 1e-7, 1e-12, 0.0):
        b = 2 * a + tilt * rows(8, seed=2)
        t = torch.full((3,), 1e5, dtype=torch.float64)
        assert torch.allclose(turn(z, t, a, b).norm(dim=1), z.norm(dim=1), rtol=1e-12, atol=0)
    assert torch.equal(turn(z, t, a, 2 * a), z) or torch.allclose(turn(z, t, a, 2 * a), z, atol=1e-9)
    assert torch.equal(turn(z, t, 0 * a, a), z)


@pytest.mark.parametrize("t", [0.0, 0.7, -3.0])
def test_gradients_exist_where_the_plane_does_not(t):
    a, z = rows(4), rows(2, 4, seed=1)
    for b in (a.clone(), -0.5 * a, torch.zeros(4, dtype=torch.float64)):
        inputs = (z.clone(), torch.full((2,), t, dtype=torch.float64), a.clone(), b)
        assert torch.autograd.gradcheck(turn, tuple(each.requires_grad_() for each in inputs))
    grown = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    turn(z, torch.ones(2), grown, a).sum().backward()
    assert torch.isfinite(grown.grad).all() and grown.grad.abs().sum() > 0


def test_sinc_is_smooth_across_its_seam():
    v = torch.tensor([0.0, 1e-30, 0.00999999999, 0.0100000001, 7.0], dtype=torch.float64, requires_grad=True)
    exact = [1.0, 1.0, *(math.sin(math.sqrt(x)) / math.sqrt(x) for x in v.tolist()[2:])]
    assert sinc(v).tolist() == pytest.approx(exact, abs=1e-15)
    assert torch.autograd.gradcheck(sinc, v) and torch.autograd.gradgradcheck(sinc, v)


def test_rope_is_the_case_of_canonical_planes():
    z, angle = rows(5, 6), torch.tensor([1.0, 0.1, 0.01], dtype=torch.float64)
    canonical = torch.eye(6, dtype=torch.float64)
    turned = turn_planes(z, 7 * angle.expand(5, 3), canonical)
    pairs = torch.view_as_complex(z.unflatten(1, (3, 2)).flip(-1).contiguous()) * torch.exp(7j * angle)
    assert torch.allclose(turned, torch.view_as_real(pairs).flip(-1).flatten(1), rtol=0, atol=1e-12)
    one_by_one = z
    for k in range(3):
        one_by_one = turn(one_by_one, 7 * angle[k].expand(5), canonical[2 * k], canonical[2 * k + 1])
    assert torch.allclose(turned, one_by_one, rtol=0, atol=1e-12)


def test_frames_are_orthonormal_and_span_their_vectors():
    vectors = rows(3, 4, 9)
    made = frame(vectors)
    assert torch.allclose(made @ made.mT, torch.eye(4, dtype=torch.float64).expand(3, 4, 4), atol=1e-14)
    assert torch.allclose(vectors @ made.mT @ made, vectors, atol=1e-12)
    close = torch.stack([rows(9), rows(9) + 1e-9 * rows(9, seed=3)])
    assert torch.allclose(frame(close) @ frame(close).mT, torch.eye(2, dtype=torch.float64), atol=1e-14)


def test_as_many_reflections_as_dimensions_reach_any_rotation():
    planted = kabsch(rows(30, 4), rows(30, 4, seed=1))
    left, vectors = planted.clone(), []
    for k in range(4):  # Householder's own elimination: each reflection sends a column to its axis
        v = left[:, k] - torch.eye(4, dtype=torch.float64)[k]
        if v.norm() > 1e-12:
            vectors.append(v)
            left = reflect(left.mT, v[None]).mT
    z = rows(5, 4, seed=2)
    assert torch.allclose(reflect(z, torch.stack(vectors)), z @ planted.mT, atol=1e-12)


def test_rates_and_angles_are_radians():
    a, b = 0.5 * rows(2, 5)
    plane, z = frame(torch.stack([a, b])), rows(40, 5, seed=1)
    assert angle_in(plane, z, turn(z, torch.ones(40), a, b)).item() == pytest.approx(rate(a, b).item())
    assert angle_in(plane, z, z).item() == 0


def test_kabsch_never_answers_with_a_reflection():
    z = rows(30, 3)
    mirrored = z * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    assert torch.linalg.det(kabsch(z, mirrored)).item() == pytest.approx(1)
    assert torch.allclose(kabsch(z, z), torch.eye(3, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize(("n", "dim"), [(12, 2), (12, 8), (5, 64)])
def test_the_turning_plane_of_a_ring_is_found(n, dim):
    plane, phase = frame(rows(2, dim, seed=4)), 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    ring = torch.stack([phase.cos(), -phase.sin()], 1) @ plane
    found, angle = one_plane(ring, ring.roll(-1, 0))
    assert angle.item() == pytest.approx(2 * math.pi / n)
    assert torch.allclose(found.mT @ found, plane.mT @ plane, atol=1e-10)
    both = torch.stack([ring, ring.flip(0)])  # many rings at once
    _, angles = one_plane(both, both.roll(-1, 1))
    assert angles.tolist() == pytest.approx([2 * math.pi / n] * 2)


def test_the_nearest_turn_is_exact_for_clouds_of_any_shape_and_best_under_noise():
    stretched = rows(80, 6) * torch.tensor([9.0, 5, 3, 1, 0.5, 0.1], dtype=torch.float64)
    a, b = rows(2, 6, seed=1)
    after = turn(stretched, torch.full((80,), 0.6), a, b)
    plane, angle = nearest_turn(stretched, after)
    assert torch.allclose(turn_planes(stretched, angle.expand(80, 1), plane), after, atol=1e-9)
    noisy = after + 0.3 * rows(80, 6, seed=5)
    plane, angle = nearest_turn(stretched, noisy)
    error = (turn_planes(stretched, angle.expand(80, 1), plane) - noisy).square().sum()
    for seed in range(20):
        near = frame(plane + 0.02 * rows(2, 6, seed=seed))
        other = (turn_planes(stretched, angle_in(near, stretched, noisy).expand(80, 1), near) - noisy).square().sum()
        assert other > error * (1 - 1e-6)
