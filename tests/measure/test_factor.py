"""Every probe is what it should be where pitch and time are orthogonal steps, and says so where they are not."""

import json
import math

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.measure.factor import IDEAL, factor_report, factors, look
from oplas.measure.grids import additive_share, leading_share, linear_share

MOVES = range(-3, 4)


def world(kind: str, count: int = 80, width: int = 8) -> tuple:
    """A network on things that are vectors already: two numbers of place, and what the thing is."""
    what = torch.randn(count, width - 2, generator=Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(width, width, generator=Generator().manual_seed(1), dtype=torch.float64)).Q

    def see(rows: Tensor, moves: Tensor) -> Tensor:
        place = moves.double().expand(len(rows), -1, -1)
        return torch.cat([place, what[rows][:, None].expand(-1, moves.shape[0], -1)], -1)

    def encode(x: Tensor) -> Tensor:
        place, thing = x[:, :2], x[:, 2:]
        if kind == "deaf":
            place = 0 * place + 1e-6 * thing[:, :2]
        elif kind == "even":  # the same forth and back
            place = place.abs()
        elif kind == "one line":  # time counts as pitch
            place = torch.stack([place.sum(1), 0 * place[:, 0]], 1)
        elif kind == "mixed":  # a thing's own step
            place = place * (1 + thing[:, :1].abs()) + torch.stack([place.prod(1), 0 * place[:, 0]], 1)
        return torch.cat([place, thing], 1) @ turn

    return encode, see


def judge(kind: str):
    moved = look(*world(kind), 80, MOVES, MOVES, grid=20, progress=False)
    return factors(moved.pick(slice(40, None)), moved.pick(slice(40)))


def test_where_moves_are_orthogonal_steps_every_probe_is_ideal():
    row = judge("ideal")
    for name, ideal in IDEAL.items():
        slack = 1e-2 if name.startswith("angle") else 1e-4
        assert getattr(row, name) == pytest.approx(float(ideal), abs=slack), name
    assert 5 < row.effective_rank <= 6.001 < row.rank_moved <= 8.001


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("even", ("opposite", "angle_pitch", "angle_time", "translation_error", "own_move", "linear")),
        ("one line", ("cross", "plane_angle", "own_move")),
        ("mixed", ("translation_error", "translation_median", "order_error", "composed_error", "additive", "linear")),
    ],
)
def test_every_probe_can_fail(kind, names):
    good, bad = judge("ideal"), judge(kind)
    for name in names:
        assert abs(getattr(bad, name) - float(IDEAL[name])) > 0.05 + abs(getattr(good, name) - float(IDEAL[name])), name


def test_the_null_finds_nothing_and_the_report_tells_all():
    moved = look(*world("ideal"), 80, MOVES, MOVES, grid=20, progress=False)
    report = factor_report(moved, {"even": look(*world("even"), 80, MOVES, MOVES, grid=20, progress=False)})
    assert list(report.rows) == ["space", "moves shuffled", "even"]
    null = report.rows["moves shuffled"]
    assert null.translation_error > 0.9 and null.linear < 0.05 and null.additive < 0.5 and null.same < 0.2 and null.kernel12 < 0.1
    text = str(report)
    assert "translation_error" in text and "40 things held out" in text
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["rows"]["space"]["top1"] == 1
    assert report.chance["top1"] == 1 / 40 and report.chance["own_move"] == 1 / 13
    assert report.chance["cross"] == pytest.approx(math.sqrt(2 / (math.pi * 8)), rel=0.05)


def test_the_seeds_statistic_is_greatest_where_moves_change_nothing():
    assert judge("deaf").svd_pitch > 0.999 > judge("ideal").svd_pitch


def test_shares_of_a_grid_in_closed_form():
    grid = torch.zeros(1, 3, 3, 2, dtype=torch.float64)
    grid[0, ..., 0] += torch.tensor([-1.0, 0, 1])[:, None]
    grid[0, ..., 1] += torch.tensor([-1.0, 0, 1])
    steps = torch.tensor([-1.0, 0, 1])
    assert additive_share(grid) == pytest.approx(1) and linear_share(grid, steps, steps) == pytest.approx(1)
    product = grid.clone()
    product[..., 0], product[..., 1] = grid[..., 0] * grid[..., 1], 0
    assert additive_share(product) == pytest.approx(0) and leading_share(product) == pytest.approx((1, 1))
    assert linear_share(product, steps, steps) == pytest.approx(0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"count": 5}, DataError, "too little to compare"),
        ({"times": [0, 1, 2]}, DataError, "steps both ways"),
        ({"encode": lambda x: x[:, None]}, ShapeError, "must become one vector"),
        ({"encode": lambda x: x / 0}, DataError, "not finite"),
    ],
)
def test_what_cannot_be_judged_is_said(change, error, message):
    encode, see = world("ideal")
    asked = {"encode": encode, "see": see, "count": 40, "pitches": MOVES, "times": MOVES, "progress": False} | change
    with pytest.raises(error, match=message):
        look(**asked)


def test_a_collapsed_network_and_too_few_things_are_refused():
    _, see = world("ideal")
    flat = look(lambda x: torch.ones(len(x), 3), see, 20, MOVES, MOVES, grid=4, progress=False)
    with pytest.raises(DataError, match="collapsed to a point"):
        factor_report(flat)
    moved = look(*world("ideal"), 20, MOVES, MOVES, grid=4, progress=False)
    with pytest.raises(DataError, match="6 or more on each"):
        factor_report(moved, learn=18)
