"""Known truths are found, and where there is none the answer is none."""

import math

import pytest
import torch
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.cayley import cayley, commuting
from oplas.discover import NONE, discover


def rings(order: float, steps: list[int], dim: int = 6, length: int = 30, count: int = 8, noise: float = 0.0, seed: int = 0):
    generator = Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(dim, dim, generator=generator).double())[0][: 2 * len(steps)]
    phase = 2 * math.pi * torch.rand(count, len(steps), 1, generator=generator).double()
    angle = phase + 2 * math.pi * torch.tensor(steps)[:, None] * torch.arange(length) / order
    z = torch.stack([angle.cos(), angle.sin()], -1).transpose(1, 2).flatten(2) @ basis + 0.7
    return z + noise * torch.randn(z.shape, generator=generator)


@pytest.mark.parametrize(("order", "step"), [(5, 1), (7, 2), (12, 1), (12, 5), (16, 3), (24, 7)])
def test_period_and_step_of_a_ring_are_found(order, step):
    found = discover(rings(order, [step], length=order + 6))
    assert (found.family, found.period) == ("rotation", order)
    assert found.planes[0].step in {step, order - step}
    assert found.planes[0].angle == pytest.approx(2 * math.pi * min(step, order - step) / order, abs=1e-6)
    assert found.closure == pytest.approx(0, abs=1e-5)


def test_period_is_found_in_noise_and_its_luck_told():
    found = discover(rings(12, [5], length=60, noise=0.05))
    assert (found.family, found.period, found.planes[0].step) == ("rotation", 12, 5)
    assert abs(found.planes[0].angle - 5 * math.pi / 6) < 4 * found.planes[0].error < 0.05 and found.luck < 0.3


def test_two_planes_have_the_period_of_both():
    found = discover(torch.cat([rings(5, [1], 2, 40), rings(7, [2], 2, 40, seed=1)], -1))
    assert found.period == 35 and {plane.step for plane in found.planes} == {7, 10}


def test_an_angle_that_never_returns_has_no_period():
    found = discover(rings(12.345, [1], length=60))
    assert found.family == "rotation" and found.period is None and "no period" in str(found)


def test_a_sequence_shorter_than_the_period_says_so():
    found = discover(rings(16, [1], length=6))
    assert found.period == 16 and found.closure is None and "shorter than the period" in str(found)


def test_translation_linear_map_and_identity_are_told_apart():
    generator = Generator().manual_seed(0)
    x, noise = torch.randn(80, 4, generator=generator), 0.05 * torch.randn(80, 4, generator=generator)
    assert discover(x, x + torch.tensor([1.0, 2, 0, 0]) + noise).family == "translation"
    linear = discover(x, x @ torch.randn(4, 4, generator=generator) + noise)
    assert linear.family == "linear" and linear.period is None
    still = discover(x, x + noise)
    assert (still.family, still.period) == ("identity", 1)


def test_unrelated_latents_have_no_structure():
    calls = []
    for seed in range(20):
        generator = Generator().manual_seed(seed)
        calls.append(discover(torch.randn(60, 3, generator=generator), torch.randn(60, 3, generator=generator), draws=99).family)
    assert calls == [NONE] * 20


def test_two_rings_mixed_are_no_one_ring():
    found = discover(torch.cat([rings(5, [1], 2), rings(7, [1], 2)]))
    assert found.family == NONE and found.mixed and "mixed" in str(found)


@pytest.mark.parametrize(
    ("z", "after", "error", "words"),
    [
        (torch.ones(20, 3), torch.ones(20, 3), DataError, "the same"),
        (torch.full((20, 3), math.nan), torch.randn(20, 3), DataError, "NaN"),
        (torch.randn(4, 3), torch.randn(4, 3), DataError, "4 pairs"),
        (torch.randn(3, 1, 2), None, DataError, "1 step"),
        (torch.randn(20, 3), torch.randn(20, 2), ShapeError, "one shape"),
    ],
)
def test_bad_input_is_refused(z, after, error, words):
    with pytest.raises(error, match=words):
        discover(z, after)


def turned(angle: float, axis: int = 2) -> torch.Tensor:
    a, b = [i for i in range(3) if i != axis]
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[b, a], matrix[a, b] = math.sin(angle), -math.sin(angle)
    return matrix


def test_the_table_of_twelve_transpositions_from_pairs_alone():
    generator, pairs = Generator().manual_seed(0), {}
    for g in range(12):
        z = torch.randn(40, 3, generator=generator).double()
        pairs[str(g)] = (z, z @ turned(math.pi * g / 6).T + 0.02 * torch.randn(40, 3, generator=generator))
    table = cayley(pairs)
    assert all(table.product[g][h] == (g + h) % 12 for g in range(12) for h in range(12))  # not one composition was shown
    assert table.group and table.abelian and table.identity == 0 and table.orders[1] == 12 and table.orders[6] == 2


def test_what_does_not_commute_or_close_is_no_such_group():
    z = torch.randn(60, 3, generator=Generator().manual_seed(0)).double()
    maps = [discover(z, z @ turned(math.pi / 2, axis).T) for axis in (0, 2)]
    assert not commuting(*maps, z).commute and commuting(maps[0], maps[0], z).commute
    table = cayley({"x": (z, z @ turned(math.pi / 2, 0).T), "z": (z, z @ turned(math.pi / 2, 2).T)})
    assert not table.group and table.product[0][1] is None
    with pytest.raises(DataError, match="no simple map"):
        cayley({"a": (z, z), "b": (z, torch.randn(60, 3, generator=Generator().manual_seed(1)))})
