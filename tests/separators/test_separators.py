import math

import pytest
import torch
from torch import Tensor

from oplas import DataError, ShapeError
from oplas.functional.separation import best_order, reorder, si_sdr
from oplas.separators import FT2D, HPSS, NMF, REPET, REPETSIM, RPCA, Crossover, Ideal, Mixture, Separator
from oplas.separators.nmf import factors
from oplas.separators.repet import period
from oplas.separators.rpca import split

RATE = 16_000
EVERY = [
    Mixture(),
    Mixture(3),
    Crossover(),
    Crossover(200.0, 2000.0),
    HPSS(),
    NMF(),
    NMF(3, rank=2),
    RPCA(),
    REPET(),
    REPETSIM(),
    FT2D(),
]


def _seconds(n: float) -> Tensor:
    return torch.arange(round(n * RATE)) / RATE


def _tone(hertz: float, seconds: float = 4) -> Tensor:
    return torch.sin(2 * math.pi * hertz * _seconds(seconds))


def _clicks(every: float, seconds: float = 4) -> Tensor:
    t = _seconds(seconds) % every
    noise = torch.randn(len(t), generator=torch.Generator().manual_seed(0))
    return torch.exp(-t * 200) * noise


def _gain(method: Separator, *sources: Tensor) -> float:
    """How far the worst source is told better than by the mixture, dB."""
    truth = torch.stack(sources)
    mix = truth.sum(0)
    found = method(mix, RATE)
    found = reorder(found, best_order(truth, found))
    return float((si_sdr(truth, found) - si_sdr(truth, mix.expand_as(truth))).min())


@pytest.mark.parametrize("method", EVERY, ids=repr)
def test_parts_add_up_to_the_mixture(method: Separator) -> None:
    mix = _tone(220, 1.5) + _clicks(0.5, 1.5)
    found = method(mix, RATE)
    assert found.shape == (method.parts, len(mix))
    assert torch.allclose(found.sum(0), mix, atol=1e-5)
    assert torch.equal(found, method.again()(mix, RATE)), "a separator gives the same parts again"


@pytest.mark.parametrize("method", EVERY, ids=repr)
def test_what_cannot_be_split_is_refused_and_silence_stays_silent(method: Separator) -> None:
    assert not method(torch.zeros(RATE), RATE).any()
    with pytest.raises(DataError, match="finite"):
        method(torch.full((RATE,), torch.nan), RATE)
    with pytest.raises(ShapeError, match="one row"):
        method(torch.zeros(2, RATE), RATE)
    with pytest.raises(ShapeError, match="at least"):
        method(torch.zeros(0), RATE)


def test_each_method_tells_apart_what_it_was_made_for() -> None:
    assert _gain(Crossover(), _tone(100), _tone(2000)) > 40
    assert _gain(HPSS(), _tone(440), 3 * _clicks(0.5)) > 6
    gate = (_seconds(4) % 1 < 0.5).float()
    assert _gain(NMF(rank=1), gate * _tone(220), (1 - gate) * _tone(1300)) > 10
    loop = torch.cat([_tone(110 * k, 0.256) * torch.exp(-6 * _seconds(0.256)) for k in (1, 4, 2, 6)])  # 64 frames
    repeating, glide = loop.repeat(7), torch.sin(2 * math.pi * (700 * _seconds(7.168) + 90 * _seconds(7.168) ** 2))
    gains = {repr(method): _gain(method, 2 * repeating, glide) for method in (REPET(), REPETSIM(), FT2D(), RPCA())}
    assert min(gains.values()) > 2, gains


def test_the_ideal_mask_is_above_every_method() -> None:
    sources = (_tone(220) * (_seconds(4) % 1 < 0.6), _clicks(0.5) + 0.3 * _tone(233) * (_seconds(4) % 0.7 < 0.3))
    ceiling = _gain(Ideal(torch.stack(sources)), *sources)
    assert all(_gain(method, *sources) < ceiling for method in EVERY if method.parts == 2)


def test_nmf_lowers_the_divergence_and_keeps_the_total() -> None:
    v = torch.rand(60, 4, generator=torch.Generator().manual_seed(0)) @ torch.rand(
        4, 80, generator=torch.Generator().manual_seed(1)
    )

    def divergence(steps: int) -> float:
        w, h = factors(v, 4, steps, 0)
        return float((v * torch.log(v / (w @ h)) - v + w @ h).sum())

    falling = [divergence(steps) for steps in (1, 5, 25, 125)]
    assert falling == sorted(falling, reverse=True) and falling[-1] < 0.02 * falling[0]
    w, h = factors(v, 4, 50, 0)
    assert torch.allclose(w.sum(0), torch.ones(4)) and torch.isclose((w @ h).sum(), v.sum(), rtol=1e-3)


def test_rpca_finds_planted_low_rank_and_sparse_parts() -> None:
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(80, 2, generator=generator) @ torch.rand(2, 90, generator=generator)
    sparse = 5 * (torch.rand(80, 90, generator=generator) < 0.05).float()
    found, rest = split(low + sparse, 100)
    assert float((found - low).norm() / low.norm()) < 1e-3 and float((rest - sparse).norm() / sparse.norm()) < 1e-3


@pytest.mark.parametrize("lag", [9, 17, 24])
def test_the_period_is_read_from_what_repeats(lag: int) -> None:
    pattern = torch.rand(40, lag, generator=torch.Generator().manual_seed(lag))
    assert period(pattern.repeat(1, 8)[:, : 5 * lag + 3]) % lag == 0
    with pytest.raises(ShapeError, match="too few"):
        period(pattern[:, :5])
