"""Exact front ends: silence is the origin, independent sounds add, tones land in their band."""

import librosa
import numpy as np
import pytest
import torch

from oplas import encoders as enc
from oplas._errors import DataError, ShapeError

MAKERS = [enc.power_mel, enc.log_mel, enc.chroma, enc.cqt]
POWERS = [enc.power_mel, enc.chroma, enc.cqt]


def noise(batch: int, seed: int, samples: int = 48000) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("make", MAKERS)
def test_codes_have_the_declared_shape_and_do_not_depend_on_the_batch(make):
    encoder, x = make(), noise(9, 0)
    y = encoder.encode(x)
    assert y.shape == (9, encoder.dim)
    torch.testing.assert_close(encoder.encode(x[4:5])[0], y[4], rtol=1e-5, atol=1e-5)
    assert encoder.encode(x[:0]).shape == (0, encoder.dim)


def test_power_mel_is_librosas_mean_over_equal_stretches():
    x = noise(1, 1)
    frames = librosa.feature.melspectrogram(
        y=x[0].numpy(), sr=16000, n_fft=1024, hop_length=512, n_mels=96, htk=True, norm=None, pad_mode="reflect"
    )
    theirs = np.stack([part.mean(-1) for part in np.array_split(frames, 3, -1)])
    np.testing.assert_allclose(enc.power_mel().encode(x).reshape(3, 96), theirs, rtol=1e-5)
    np.testing.assert_allclose(enc.log_mel().encode(x).reshape(3, 96), 10 * np.log10(theirs), rtol=1e-5)


@pytest.mark.parametrize("make", POWERS)
def test_silence_is_the_origin(make):
    encoder = make()
    assert not encoder.encode(encoder.silence()).any()


def test_silence_is_the_floor_in_decibels():
    encoder = enc.log_mel()
    assert (encoder.encode(encoder.silence()) == -100).all()


@pytest.mark.parametrize("make", POWERS)
def test_powers_of_independent_noises_add_up_to_cross_terms(make):
    """The mean cross term of many windows shrinks as one over the root of their number; a shared sign would double power."""
    encoder, a, b = make(), noise(32, 2), noise(32, 3)
    parts = encoder.encode(a) + encoder.encode(b)
    defect = (encoder.encode(a + b) - parts).mean(0).norm() / parts.mean(0).norm()
    assert defect < 0.05
    assert (encoder.encode(a + a) - 2 * encoder.encode(a)).mean(0).norm() / parts.mean(0).norm() > 0.9


@pytest.mark.parametrize("make", POWERS)
def test_a_gain_of_six_decibels_multiplies_powers_by_its_square(make):
    encoder, x = make(), noise(2, 4)
    torch.testing.assert_close(encoder.encode(2 * x), 4 * encoder.encode(x), rtol=1e-4, atol=1e-6)


def test_a_tone_lands_in_its_mel_band_of_its_segment():
    encoder, time = enc.power_mel(), torch.arange(48000) / 16000
    x = torch.where((time >= 1) & (time < 2), torch.sin(2 * torch.pi * 1000 * time), 0.0)[None]
    segments = encoder.encode(x).reshape(3, 96)
    assert int(segments.sum(1).argmax()) == 1
    centre = 700 * (10 ** ((int(segments[1].argmax()) + 1) * 2840.02 / 97 / 2595) - 1)
    assert centre == pytest.approx(1000, rel=0.05)


def test_identities_tell_settings_apart():
    makers = [*MAKERS, lambda: enc.chroma(in_decibels=True), lambda: enc.power_mel(segments=2), lambda: enc.cqt(low=55.0)]
    assert len({make().identity for make in makers}) == len(makers)
    assert enc.log_mel().identity == enc.log_mel().identity


def test_impossible_windows_are_refused_when_the_encoder_is_made():
    with pytest.raises(ShapeError, match="too few for 3 segments"):
        enc.power_mel(seconds=0.02)
    with pytest.raises(ShapeError, match="at least one band"):
        enc.log_mel(bands=0)


def test_bad_windows_are_refused():
    encoder = enc.log_mel()
    with pytest.raises(ShapeError, match=r"reads windows \[n, 48000\] at 16000 Hz; this batch is \[1, 44100\]"):
        encoder.encode(torch.zeros(1, 44100))
    with pytest.raises(DataError, match="NaN"):
        encoder.encode(torch.full((1, 48000), torch.nan))
