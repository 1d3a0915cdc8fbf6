"""Rings learned from their steps alone."""

import math

import pytest
import torch
from torch import Tensor

from oplas._errors import DataError, ShapeError
from oplas.rings import certify_ring, learn_rings


def line(n: int, dim: int) -> Tensor:
    along = torch.linspace(1, -1, n)
    return torch.stack([along, torch.zeros(n)], 1) if dim == 2 else along[:, None].expand(n, dim).contiguous()


@pytest.mark.parametrize(("n", "dim"), [(16, 2), (12, 64)])
def test_a_line_becomes_a_ring_from_every_start(n, dim):
    y = line(n, dim)
    found = learn_rings(y, y.roll(-1, 0), width=dim, starts=6, steps=96, hidden=32)
    assert (found.angle - 2 * math.pi / n).abs().max() < 1e-4
    for start in range(6):
        assert certify_ring(found.project(y, start), period=n).verdict == "ring"


def test_the_period_is_found_from_part_of_a_third_round():
    track = line(12, 2).repeat(3, 1)[:30]
    found = learn_rings(track[:-1], track[1:], starts=2, steps=96, hidden=32)
    judged = certify_ring(found.project(track))
    assert (judged.verdict, judged.period) == ("ring", 12)


def test_its_rotation_is_an_operator_of_the_library():
    y = line(12, 2)
    found = learn_rings(y, y.roll(-1, 0), starts=3, steps=64, hidden=32)
    z = found.project(y).float()
    there = found.operator()(z[:, None], torch.full((12, 1), 3.0))
    assert torch.allclose(there, z.roll(-3, 0), atol=1e-3)
    assert torch.allclose(found.turn(found.project_all(y), 3)[found.best], found.project(y).roll(-3, 0), atol=1e-3)


def test_the_same_seed_makes_the_same_ring():
    y = line(7, 2)
    first, again, other = (learn_rings(y, y.roll(-1, 0), starts=2, steps=16, seed=seed, hidden=16) for seed in (1, 1, 2))
    assert torch.equal(first.project(y), again.project(y))
    assert not torch.equal(first.project(y), other.project(y))


def test_the_law_is_not_met_by_shrinking_nor_by_a_line():
    from oplas.functional.rotations import one_plane
    from oplas.rings.learn import ring_loss

    y = line(12, 2)
    for z in (y, 1e-3 * y):
        assert ring_loss(z, z.roll(-1, 0), *one_plane(z, z.roll(-1, 0))) > 0.3


@pytest.mark.parametrize(
    ("kind", "says", "call"),
    [
        (ShapeError, "one shape", lambda: learn_rings(torch.ones(5, 2), torch.ones(4, 2))),
        (ShapeError, "width of 2", lambda: learn_rings(line(5, 2), line(5, 2).roll(1, 0), width=1)),
        (DataError, "3 at least", lambda: learn_rings(line(2, 2), line(2, 2).roll(1, 0))),
        (DataError, "NaN", lambda: learn_rings(line(5, 2) * torch.nan, line(5, 2))),
        (DataError, "do not vary", lambda: learn_rings(torch.ones(5, 2), torch.ones(5, 2))),
        (DataError, "no step moves", lambda: learn_rings(line(5, 2), line(5, 2))),
    ],
)
def test_what_cannot_be_learned_is_refused(kind, says, call):
    with pytest.raises(kind, match=says):
        call()
