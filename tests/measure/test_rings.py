"""The meter finds planted rings, tells their orders apart, and cries wolf no oftener than it says."""

import math

import pytest
import torch
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.measure.rings import FIFTHS, class_effects, geometry, near, nearness, of_points, ring, spectrum

SHIFTS = torch.arange(-12, 12)
TURN = 2 * math.pi * torch.arange(12) / 12


def circle(winding: int, dim: int = 16, noise: float = 0.05, seed: int = 0) -> torch.Tensor:
    generator = Generator().manual_seed(seed)
    plane = torch.linalg.qr(torch.randn(dim, 2, generator=generator))[0].T
    points = torch.stack([torch.cos(winding * TURN), torch.sin(winding * TURN)], 1) @ plane
    return points + noise * torch.randn(12, dim, generator=generator)


@pytest.mark.parametrize(("winding", "verdict"), [(5, "circle of fifths"), (7, "circle of fifths"), (1, "chromatic ring")])
def test_a_planted_circle_is_found_and_its_order_told(winding, verdict):
    found = of_points(circle(winding))
    right, wrong = (found.chromatic, found.fifths) if winding == 1 else (found.fifths, found.chromatic)
    assert found.verdict == verdict and right.p < 1e-3 and right.score > 0.8 and wrong.p > 0.05


def test_two_rings_are_both_told():
    found = of_points(torch.cat([circle(1), circle(5, seed=1)], 1))
    assert found.verdict == "both rings" and found.fifths.score == pytest.approx(0.5, abs=0.1)


def test_a_line_is_no_ring_and_neither_is_a_simplex():
    assert ring(torch.stack([torch.cos(5 * TURN), torch.zeros(12)], 1), FIFTHS).score == pytest.approx(0, abs=1e-9)
    found = of_points(torch.eye(12))
    assert found.verdict == "no ring" and found.fifths.p == 1.0
    assert spectrum(torch.eye(12)).tolist() == pytest.approx([2 / 11] * 5 + [1 / 11])


def test_p_values_are_calibrated_on_exchangeable_points():
    generator = Generator().manual_seed(1)
    p = torch.tensor([ring(torch.randn(12, 6, generator=generator), FIFTHS, draws=199, seed=i).p for i in range(300)])
    for level in (0.05, 0.2, 0.5):  # within three standard errors of what they claim
        assert abs(float((p <= level).double().mean()) - level) < 3 * math.sqrt(level * (1 - level) / 300) + 0.005


def test_height_alone_makes_no_ring():
    generator = Generator().manual_seed(2)
    said = []
    for seed in range(40):
        key, way = torch.randint(12, (9,), generator=generator), torch.randn(5, generator=generator)
        z = torch.tanh(SHIFTS / 12)[None, :, None] * way + 0.3 * torch.randn(9, 24, 5, generator=generator)
        said.append(geometry(z, SHIFTS, key, draws=499, seed=seed).verdict)
    assert said.count("no ring") >= 38


def test_what_varies_smoothly_with_height_is_rarely_called_a_ring():
    generator = Generator().manual_seed(3)
    cover = torch.exp(-((SHIFTS[:, None] - SHIFTS) ** 2) / 18).double() + 1e-6 * torch.eye(24)
    root, said = torch.linalg.cholesky(cover).float(), []
    for seed in range(40):
        key = torch.randint(12, (9,), generator=generator)
        z = (root @ torch.randn(24, 5, generator=generator))[None] + 0.3 * torch.randn(9, 24, 5, generator=generator)
        said.append(geometry(z, SHIFTS, key, draws=199, seed=seed).verdict)
    assert said.count("no ring") >= 36


def test_a_helix_shows_ring_octave_and_keys_from_any_song():
    generator = Generator().manual_seed(4)
    key = torch.randint(12, (9,), generator=generator)
    turn = 2 * math.pi * 7 * (key[:, None] + SHIFTS) / 12
    z = torch.stack([turn.cos(), turn.sin(), (SHIFTS / 4).expand(9, 24)], 2) + 0.2 * torch.randn(9, 24, 3, generator=generator)
    found = geometry(z, SHIFTS, key)
    assert found.verdict == "circle of fifths" and found.fifths.score > 0.9
    assert found.octave is not None and found.octave.p < 0.01 and found.octave.rank == 0
    assert geometry(z, SHIFTS, key.roll(1), draws=199).fifths.score < found.fifths.score  # wrong keys blur it


def test_twice_the_tempo_is_alike_where_it_is():
    steps = torch.arange(13) / 4
    z = torch.stack([torch.cos(2 * math.pi * steps), torch.sin(2 * math.pi * steps), steps], 1).expand(8, -1, -1)
    z = z + 0.1 * torch.randn(z.shape, generator=Generator().manual_seed(0))
    found = near(z, 4)
    assert found.p < 0.01 and found.rank == 0
    assert near(torch.randn(8, 13, 3, generator=Generator().manual_seed(0)), 4).p > 0.01


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: of_points(torch.randn(11, 3)), ShapeError, "12 pitch classes"),
        (lambda: of_points(torch.ones(12, 3)), DataError, "the same"),
        (lambda: of_points(torch.full((12, 3), math.nan)), DataError, "NaN"),
        (lambda: ring(torch.randn(4, 2), 1), DataError, "4 points"),
        (lambda: ring(torch.randn(12, 2), 12), ShapeError, "windings 1 to 11"),
        (lambda: class_effects(torch.randn(2, 3, 4), torch.arange(3), torch.tensor([0, 1])), DataError, "pitch class 4"),
        (lambda: class_effects(torch.randn(2, 3, 4), torch.arange(4), torch.tensor([0, 1])), ShapeError, r"\[songs, shifts, d\]"),
        (lambda: nearness(torch.randn(3, 8, 2), 12), DataError, "too few"),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
