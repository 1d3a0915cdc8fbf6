"""The distance is that of the Gaussians; real sound lies nearest to real sound, noise far."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Generator, Tensor, nn

from oplas import DataError, ShapeError
from oplas.encoders.base import Encoder, freeze
from oplas.measure.frechet import Frechet, distance, frechet, windows

RATE = 8000


class Bands(Encoder):
    """Log energy in 8 bands of a window of half a second."""

    name, rate, samples, dim = "bands", RATE, RATE // 2, 8

    def forward(self, x: Tensor) -> Tensor:
        power = torch.fft.rfft(x).abs().square()[:, 1:]
        return nn.functional.adaptive_avg_pool1d(power[:, None], self.dim)[:, 0].add(1e-3).log()


def song(seed: int, seconds: float = 8.0) -> Tensor:
    """Decaying tones at random times."""
    generator = Generator().manual_seed(seed)
    wave, time = torch.zeros(int(seconds * RATE)), torch.arange(int(seconds * RATE)) / RATE
    for start in range(0, int(seconds * 4)):
        pitch = 100 * 2 ** (torch.randint(24, (1,), generator=generator) / 12)
        since = (time - start / 4).clamp_min(0)
        wave += torch.sin(2 * torch.pi * pitch * since) * (-8 * since).exp() * (since > 0)
    return 0.2 * wave


@pytest.mark.parametrize(("n", "m"), [(40, 60), (4, 3)])
def test_it_is_the_closed_form_with_a_root_of_the_product(n: int, m: int) -> None:
    generator = Generator().manual_seed(0)
    x = torch.randn(n, 5, generator=generator, dtype=torch.float64) @ torch.randn(5, 5, generator=generator, dtype=torch.float64)
    y = torch.randn(m, 5, generator=generator, dtype=torch.float64) + 1
    a, b = np.cov(x.numpy().T), np.cov(y.numpy().T)
    root = np.trace(sqrtm(a @ b + 1e-14 * np.eye(5)).real)
    expected = float((x.mean(0) - y.mean(0)).square().sum()) + np.trace(a) + np.trace(b) - 2 * root
    assert distance(x, y) == pytest.approx(expected, abs=1e-4)
    assert distance(x, x) == pytest.approx(0, abs=1e-9)
    assert distance(x, y) == pytest.approx(distance(y, x))


def test_songs_lie_near_songs_and_noise_far() -> None:
    told = frechet([song(i) for i in range(20, 26)], [song(i) for i in range(10)], RATE, freeze(Bands()))
    assert told.embedding == "bands, 8 axes"
    assert told.windows == 80
    assert told.way < 0.1
    assert told.ceiling > 10 * told.floor
    bad = frechet([torch.randn(RATE * 8)], [song(i) for i in range(10)], RATE, freeze(Bands()))
    assert bad.way > 0.5


def test_fewer_windows_than_dimensions_still_tell_noise_from_songs() -> None:
    few = frechet([song(20)], [song(i) for i in range(4)], RATE, freeze(Bands()), axes=3)
    assert few.embedding == "bands, 3 axes"
    assert few.way < 0.5


def test_another_rate_is_resampled_and_rests_are_left_out() -> None:
    wave = torch.cat([song(0, 1.0), torch.zeros(2 * RATE)])
    assert windows([wave], RATE, Bands()).shape == (2, RATE // 2)
    assert len(windows([song(0, 2.0)], 2 * RATE, Bands())) == 2


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ShapeError, match="two at least"):
        distance(torch.zeros(1, 3), torch.zeros(5, 3))
    with pytest.raises(DataError, match="not finite"):
        distance(torch.full((3, 2), torch.nan), torch.zeros(3, 2))
    with pytest.raises(DataError, match="1 real song"):
        frechet([song(0)], [song(1), torch.zeros(10)], RATE, freeze(Bands()))
    with pytest.raises(DataError, match="0 made windows"):
        frechet([torch.zeros(RATE)], [song(1), song(2)], RATE, freeze(Bands()))


def test_it_tells_its_embedding() -> None:
    assert str(Frechet(2.0, 1.0, 11.0, 30, "mini-1")) == "Fréchet distance in mini-1: 2.000 (real 1.000, noise 11.000; 30 windows)"
    assert Frechet(2.0, 1.0, 11.0, 30, "mini-1").way == pytest.approx(0.1)
