"""Small songs to write to disk, and a cache that dies with the test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Save = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a cache of its own."""
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Noise of so many seconds, another one for each seed: ``[samples]`` or ``[samples, channels]``."""

    def make(seed: int = 0, seconds: float = 2.0, rate: int = 16000, channels: int = 1) -> np.ndarray:
        wave = np.random.default_rng(seed).uniform(-0.3, 0.3, (int(seconds * rate), channels)).astype(np.float32)
        return wave[:, 0] if channels == 1 else wave

    return make


@pytest.fixture
def save(noise: Callable[..., np.ndarray]) -> Save:
    """Write a wave, by default noise, to a file whose folders are made."""

    def write(path: Path, wave: np.ndarray | int = 0, rate: int = 16000, **how: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(wave, rate=rate) if isinstance(wave, int) else wave, rate, **how)
        return path

    return write


@pytest.fixture
def songs(tmp_path: Path, save: Save) -> Path:
    """Four songs of drums, bass and lead, 2 s at 16 kHz."""
    for song in range(4):
        for index, stem in enumerate(("drums", "bass", "lead")):
            save(tmp_path / "songs" / f"song {song}" / f"{stem}.wav", 10 * song + index)
    return tmp_path / "songs"
