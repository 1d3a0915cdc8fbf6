"""The ring's certificate: what is a ring, every sham that is none, and data that cannot say."""

import math

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.rings import certify_ring


def ring(period: float, length: int, winding: int = 1, dim: int = 2) -> Tensor:
    phase = 2 * math.pi * winding * torch.arange(length, dtype=torch.float64) / period
    return torch.cat([torch.stack([phase.cos(), phase.sin()], 1), torch.zeros(length, dim - 2, dtype=torch.float64)], 1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("period", [3, 5, 7, 12, 24])
def test_a_ring_is_known_with_or_without_its_period(period):
    base = torch.linalg.qr(noise(6, 6)).Q
    z = ring(period, 3 * period + 1, dim=6) @ base + 7
    for given in (period, None):
        found = certify_ring(z, period=given)
        assert (found.verdict, found.period, found.winding) == ("ring", period, 1)
        assert found.angle == pytest.approx(2 * math.pi / period)
        assert max(found.angle_error, found.closure, found.step, found.returned, 1 - found.planarity, 1 - found.evenness) < 1e-6


def test_one_round_is_enough_where_the_period_is_given():
    found = certify_ring(ring(12, 12), period=12)
    assert found.verdict == "ring" and math.isnan(found.returned)


def test_a_little_noise_is_forgiven_and_much_is_not():
    z = ring(12, 120, dim=4)
    found = certify_ring(z + 0.02 * noise(120, 4))
    assert found.verdict == "ring" and 0.02 < found.step < 0.1 and found.angle_error < 0.01
    assert certify_ring(z + 0.1 * noise(120, 4), period=12).verdict == "partly"
    assert certify_ring(z + 2.0 * noise(120, 4), period=12).verdict == "no ring"


@pytest.mark.parametrize("winding", [5, 7, 11])
def test_other_windings_are_named(winding):
    found = certify_ring(ring(12, 12, winding), period=12)
    turns = min(winding, 12 - winding)
    assert (found.verdict, found.winding) == (("ring" if turns == 1 else "wound"), turns)


SHAMS = {
    "hopping between four places": ring(12, 12, 3),
    "hopping between two": torch.tensor([[0.3, 1.0], [-0.3, 1.0]]).repeat(6, 1),
    "a line": torch.stack([torch.linspace(-1, 1, 12), torch.zeros(12)], 1),
    "twelve independent points": torch.eye(12),
    "noise": noise(12, 64),
    "a ring out of order": ring(12, 12)[torch.randperm(12, generator=Generator().manual_seed(1))],
}


@pytest.mark.parametrize("name", SHAMS)
def test_shams_are_no_ring(name):
    assert certify_ring(SHAMS[name], period=12).verdict == "no ring"


def test_a_ring_that_leaves_its_plane_is_none_or_partly_one():
    bumps = torch.where(torch.arange(12) % 2 == 0, 1.0, -1.0)[:, None]
    assert certify_ring(torch.cat([ring(12, 12), 0.2 * bumps], 1), period=12).verdict == "partly"
    assert certify_ring(torch.cat([ring(12, 12), 2.0 * bumps], 1), period=12).verdict == "no ring"


def test_uneven_places_fail_though_their_order_is_right():
    phase = torch.tensor([0.0, 0.2, 2.1, 4.2])
    found = certify_ring(torch.stack([phase.cos(), phase.sin()], 1), period=4)
    assert found.verdict != "ring" and "evenness" in found.why


MIXTURES = {
    "two planes": torch.stack([ring(12, 24, dim=4), ring(12, 24, dim=4).flip(1)] * 3),
    "two periods": torch.stack([ring(12, 24), ring(7, 24)] * 3),
    "two ways round": torch.stack([ring(12, 24), ring(12, 24, -1)] * 3),
    "one after the other": torch.cat([ring(12, 24), ring(7, 21)]),
    "two centres": torch.stack([ring(12, 24), ring(12, 24) + 3] * 3),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_two_rings_mixed_are_not_one(name):
    found = certify_ring(MIXTURES[name])
    assert found.verdict == "no ring"
    if name in ("two periods", "two ways round", "one after the other"):
        assert "several rings mixed" in found.why


def test_no_period_is_an_answer():
    found = certify_ring(torch.stack([torch.cos(torch.arange(40.0)), torch.sin(torch.arange(40.0))], 1))
    assert (found.verdict, found.period) == ("no ring", None) and "no period up to 39" in found.why
    assert certify_ring(ring(24, 12)).verdict == "no ring"  # half a round shows no period
    assert certify_ring(noise(60, 8).cumsum(0)).verdict == "no ring"


def test_rows_of_known_places_in_any_order():
    position = torch.arange(96) % 12
    mixed = torch.randperm(96, generator=Generator().manual_seed(0))
    z = (ring(12, 96, dim=5) + 0.1 * noise(96, 5))[mixed]
    found = certify_ring(z, position=position[mixed])
    assert (found.verdict, found.period, found.rows) == ("ring", 12, 96)
    assert found.scatter == pytest.approx(0.1 * math.sqrt(5), rel=0.2)


@pytest.mark.parametrize(
    ("kind", "says", "call"),
    [
        (DataError, "shorter than the period of 12", lambda: certify_ring(ring(12, 11), period=12)),
        (DataError, "shorter than three", lambda: certify_ring(ring(12, 2))),
        (DataError, "period of 1 stands still", lambda: certify_ring(ring(12, 24), period=1)),
        (DataError, "period of 2 is a half turn", lambda: certify_ring(ring(12, 24), period=2)),
        (DataError, "do not vary", lambda: certify_ring(torch.ones(24, 3))),
        (DataError, "1 of 24 latents hold NaN", lambda: certify_ring(ring(12, 24).index_fill(0, torch.tensor(5), torch.nan))),
        (DataError, r"places \[3, 9\] have no row", lambda: certify_ring(ring(12, 12)[KEPT], position=KEPT, period=12)),
        (DataError, "positions run from 0 to 11", lambda: certify_ring(ring(12, 12), position=torch.arange(12), period=6)),
        (ShapeError, "two dimensions or more", lambda: certify_ring(torch.ones(24, 1))),
        (ShapeError, "12 rows need 12", lambda: certify_ring(ring(12, 12), position=torch.arange(5))),
    ],
)
def test_what_cannot_be_judged_is_refused(kind, says, call):
    with pytest.raises(kind, match=says):
        call()


KEPT = torch.tensor([0, 1, 2, 4, 5, 6, 7, 8, 10, 11])


def test_a_certificate_is_json_and_repeats():
    first, again = (certify_ring(ring(12, 30) + 0.01 * noise(30, 2), seed=3) for _ in range(2))
    assert first.to_dict() == again.to_dict()
    assert first.to_dict()["scatter"] == 0
    assert certify_ring(ring(24, 12)).to_dict()["closure"] is None
    assert "winding 1" in str(first)
