"""Spectra are those of librosa, add for independent sounds, and put tones where they belong."""

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from oplas._errors import OplasError
from oplas.functional.constant_q import constant_q_filters, constant_q_power, filter_lengths
from oplas.functional.spectra import (
    chroma_filters,
    decibels,
    griffin_lim,
    hertz_to_mel,
    interpolation,
    istft,
    mel_filters,
    mel_to_hertz,
    pool,
    power_spectrogram,
    stft,
)

RATE = 16000


def noise(samples: int, seed: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def tone(frequency: float, samples: int = 48000, amplitude: float = 0.5) -> torch.Tensor:
    return amplitude * torch.sin(2 * torch.pi * frequency * torch.arange(samples, dtype=torch.float64) / RATE)[None].float()


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "bands", "low", "high"), [(16000, 1024, 96, 0.0, None), (22050, 2048, 64, 125.0, 7500.0)]
)
def test_mel_filters_are_librosas(scale, norm, rate, n_fft, bands, low, high):
    ours = mel_filters(rate, n_fft, bands, low, high, scale, norm).numpy()
    theirs = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high, htk=scale == "htk", norm="slaney" if norm else None
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6 * theirs.max())


@pytest.mark.parametrize("n_fft", [2048, 4096])
def test_chroma_filters_are_librosas(n_fft):
    np.testing.assert_allclose(chroma_filters(RATE, n_fft), librosa.filters.chroma(sr=RATE, n_fft=n_fft), atol=1e-6)


def test_mel_power_is_librosas():
    x = noise(48000, 0)
    power = power_spectrogram(x, torch.hann_window(1024), 512)
    ours = (mel_filters(RATE, 1024, 96, scale="slaney", norm=True) @ power)[0].numpy()
    theirs = librosa.feature.melspectrogram(y=x[0].numpy(), sr=RATE, n_fft=1024, hop_length=512, n_mels=96, pad_mode="reflect")
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@given(st.floats(0, 20000), st.sampled_from(["htk", "slaney"]))
def test_mel_scale_is_one_to_one(frequency, scale):
    there = hertz_to_mel(torch.tensor([frequency], dtype=torch.float64), scale)
    assert float(mel_to_hertz(there, scale)) == pytest.approx(frequency, abs=1e-6)


def test_constant_q_is_filtering_with_librosas_wavelets():
    """Up to the rounding of filter lengths to whole samples, which librosa does and we need not."""
    x, bins = noise(48000, 1), 60
    ours = constant_q_power(x, constant_q_filters(RATE, 48000, bins=bins), 3)[0].numpy()
    filters, _ = librosa.filters.wavelet(freqs=librosa.cqt_frequencies(bins, fmin=32.703), sr=RATE)
    power = np.stack([np.abs(scipy.signal.fftconvolve(x[0].numpy(), row, mode="same")) ** 2 for row in filters])
    np.testing.assert_allclose(ours, power.reshape(bins, 3, 16000).mean(-1), rtol=0.02)


@pytest.mark.parametrize("index", [12, 45, 83])
def test_constant_q_of_a_tone_is_a_quarter_of_its_squared_amplitude(index):
    frequency, _ = filter_lengths(RATE, 32.703, 84, 12)
    power = constant_q_power(tone(float(frequency[index]), 96000), constant_q_filters(RATE, 96000), 3)[0, :, 1]
    assert int(power.argmax()) == index
    assert float(power[index]) == pytest.approx(0.5**2 / 4, rel=2e-3)


@pytest.mark.parametrize("pitch", ["C4", "A4", "B5"])
def test_a_tone_has_its_pitch_class(pitch):
    power = power_spectrogram(tone(librosa.note_to_hz(pitch)), torch.hann_window(4096), 1024)
    folded = chroma_filters(RATE, 4096) @ pool(power, 1)[0]
    assert int(folded.argmax()) == {"C": 0, "A": 9, "B": 11}[pitch[0]]


def test_pooling_in_equal_stretches_keeps_the_mean():
    power = torch.rand(2, 5, 90, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(pool(power, 3).mean(-1), power.mean(-1))


def test_decibels_of_nothing_are_the_floor():
    assert decibels(torch.zeros(3)).tolist() == [-100.0] * 3


def test_a_window_shorter_than_half_a_frame_is_refused():
    with pytest.raises(OplasError, match="512 samples is shorter than half a frame of 1024"):
        power_spectrogram(torch.zeros(1, 512), torch.hann_window(1024), 512)


def test_filters_beyond_half_the_rate_are_refused():
    with pytest.raises(OplasError, match="beyond 8000 Hz"):
        constant_q_filters(RATE, 48000, bins=100)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 600), st.floats(0, 1))
def test_interpolation_shares_every_bin_out_and_its_lowest_bands_are_one_bin_apart(bins: int, share: float) -> None:
    bands = 2 + round(share * (bins - 2))
    weights = interpolation(bins, bands)
    assert weights.shape == (bands, bins) and (weights >= 0).all()
    assert torch.allclose(weights.sum(0), torch.ones(bins), atol=1e-5)
    assert (weights.amax(1) > 0).all(), "no band is empty"
    assert weights[0, 0] == 1 and weights[-1, -1] == 1
    if bands > 2:
        assert weights[1, 1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("samples", [1, 255, 256, 1000, 4099])
def test_the_short_time_spectrum_is_inverted_at_any_length(samples: int) -> None:
    x = torch.randn(2, 3, samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spectrum = stft(x, 1024, 256)
    assert spectrum.shape == (2, 3, 513, 1 + samples // 256)
    assert torch.allclose(istft(spectrum, 1024, 256, samples), x, atol=1e-10)


def test_griffin_lim_finds_phases_that_fit_as_well_as_an_independent_implementation_does() -> None:
    t = torch.arange(16_000) / 16_000
    x = torch.sin(2 * torch.pi * 440 * t) + 0.5 * torch.sin(2 * torch.pi * 1250 * t) * (t % 0.25 < 0.1)
    magnitude = stft(x, 1024, 256).abs()

    def misfit(y: Tensor) -> float:
        return float((stft(y, 1024, 256).abs() - magnitude).norm() / magnitude.norm())

    settings = {"n_iter": 32, "hop_length": 256, "length": 16_000}
    theirs = [misfit(torch.from_numpy(librosa.griffinlim(magnitude.numpy(), random_state=i, **settings))) for i in range(4)]
    ours = [misfit(griffin_lim(magnitude, 1024, 256, 16_000, seed=i)) for i in range(4)]
    assert sum(ours) < 1.1 * sum(theirs) < 0.5
    both = griffin_lim(torch.stack([magnitude, 0 * magnitude]), 1024, 256, 16_000)
    assert torch.allclose(both[0], griffin_lim(magnitude, 1024, 256, 16_000), atol=1e-4) and not both[1].any()
