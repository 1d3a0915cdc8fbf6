import pytest
import torch

from oplas import DataError, ShapeError
from oplas.functional.separation import best_order, ratios, reorder, si_sdr

fast_bss_eval = pytest.importorskip("fast_bss_eval", reason="the oracle is installed with the extra dev")


def _draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_ratios_agree_with_an_independent_implementation(n: int) -> None:
    sources = _draw(5, n, 4000)
    estimates = sources + 0.4 * sources.roll(1, 1) + 0.3 * _draw(5, n, 4000, seed=1)
    ours = ratios(sources, estimates)
    theirs = fast_bss_eval.si_bss_eval_sources(sources, estimates, compute_permutation=False)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def test_the_ratio_and_the_best_order_agree_with_another() -> None:
    audio = pytest.importorskip("torchmetrics.functional.audio", reason="the oracle is installed with the extra dev")
    sources = _draw(6, 3, 4000)
    estimates = (sources + 0.4 * sources.roll(1, 1) + 0.5 * _draw(6, 3, 4000, seed=1))[:, [2, 0, 1]]
    theirs = audio.scale_invariant_signal_distortion_ratio(estimates, sources)
    assert torch.allclose(si_sdr(sources, estimates), theirs, atol=1e-6)
    best, order = audio.permutation_invariant_training(
        estimates, sources, audio.scale_invariant_signal_distortion_ratio, mode="speaker-wise"
    )
    assert torch.equal(best_order(sources, estimates), order)
    assert torch.allclose(si_sdr(sources, reorder(estimates, order)).mean(-1), best, atol=1e-6)


def test_level_does_not_count() -> None:
    sources, noise = _draw(2, 1000), _draw(2, 1000, seed=1)
    for gain in (1e-3, 1.0, 1e3):
        assert torch.allclose(si_sdr(sources, gain * (sources + noise)), si_sdr(sources, sources + noise))


def test_the_best_order_is_found_among_more_estimates_than_sources() -> None:
    sources = _draw(4, 3, 1000)
    shuffled = torch.cat([_draw(4, 1, 1000, seed=2), sources[:, [2, 0, 1]] + 0.1 * _draw(4, 3, 1000, seed=3)], 1)
    order = best_order(sources, shuffled)
    assert order.tolist() == [[2, 3, 1]] * 4
    assert (si_sdr(sources, reorder(shuffled, order)) > 15).all()


def test_what_cannot_be_judged_is_refused() -> None:
    sources = _draw(2, 100)
    with pytest.raises(DataError, match="silent"):
        si_sdr(torch.zeros(2, 100), _draw(2, 100))
    with pytest.raises(DataError, match="failed"):
        si_sdr(sources, torch.zeros(2, 100))
    with pytest.raises(DataError, match="finite"):
        si_sdr(sources, sources * torch.nan)
    with pytest.raises(ShapeError, match="one shape"):
        si_sdr(sources, sources[:, :50])
    with pytest.raises(DataError, match="independent"):
        ratios(torch.stack([sources[0], 2 * sources[0]]), sources)
    with pytest.raises(ShapeError, match="at least as many"):
        best_order(sources, sources[:1])
