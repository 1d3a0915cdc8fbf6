"""Songs of two sources that everything here learns from, and a model that has learned a little."""

from __future__ import annotations

import numpy as np
import pytest

RATE = 24_000


def song(seed: int, seconds: float = 6.0) -> np.ndarray:
    """A tone that comes and goes, and bursts of noise at another pace."""
    chance = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * chance.uniform(80, 300) * t) * (np.sin(2 * np.pi * chance.uniform(0.5, 1) * t) > 0)
    burst = 0.2 * chance.normal(size=len(t)) * (np.sin(2 * np.pi * chance.uniform(1, 3) * t) > 0.8)
    return (tone + burst).astype(np.float32)


@pytest.fixture(scope="session")
def songs() -> dict[str, np.ndarray]:
    return {f"song {i}": song(i) for i in range(4)}


@pytest.fixture(scope="session")
def learned(songs):
    from oplas.decompose import learn

    return learn(songs, 2, size="S", steps=20, progress=False)
