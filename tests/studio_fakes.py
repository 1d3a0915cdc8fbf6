"""A small library in memory: noise in three bands, window by window, on mel powers."""

from __future__ import annotations

import io

import numpy as np

from oplas import Space, laws, operators
from oplas.actions import Mix
from oplas.encoders import power_mel
from oplas.studio.library import Category, Library, Number, Score

RATE = 16000


class Tones:
    """Sound of the points: windows made anew from their number."""

    audio, rolls = True, False

    def sound(self, i: int) -> np.ndarray:
        return tone(i)

    def score(self, i: int) -> Score | None:
        return None

    def window(self, score: Score) -> np.ndarray | None:
        return None


def tone(i: int, seconds: float = 3.0) -> np.ndarray:
    """Noise of one of three bands, each point's own."""
    random = np.random.default_rng(i)
    spectrum = np.fft.rfft(random.standard_normal(int(seconds * RATE)))
    hertz = np.fft.rfftfreq(int(seconds * RATE), 1 / RATE)
    low = (100, 800, 3000)[i % 3]
    wave = np.fft.irfft(spectrum * ((hertz > low) & (hertz < 2 * low)))
    return (wave / np.abs(wave).max() * (0.2 + 0.02 * (i % 7))).astype(np.float32)


def library(count: int = 12) -> Library:
    """Points of three parts and four songs, with a certificate that holds the law of mixing."""
    encoder = power_mel()
    law = laws.Equivariance(Mix(2, 4), operators.Sum())
    space = Space(encoder, laws=[law]).eval()
    space.card["certificate"] = {
        "law": f"{law.action!r} → {law.operator!r}", "verdict": "holds", "why": "R² 0.99",
        "homogeneity": {"exponent": 2.0, "r2": 1.0},
    }  # fmt: skip
    made = Library("tones", space, np.zeros((1, encoder.dim), np.float32), ["nothing"])
    z = made.embed(np.stack([tone(i) for i in range(count)]))
    files = [f"song{i // 3}/{('low', 'middle', 'high')[i % 3]}" for i in range(count)]
    columns: dict[str, Category | Number] = {
        "part": Category.of([file.split("/")[1] for file in files]),
        "song": Category.of([file.split("/")[0] for file in files]),
        "level": Number(np.array([np.nan, *range(1, count)], float)),
    }
    return Library("tones", space, z, [f"{file}@0" for file in files], columns, np.zeros(count), Tones(), files=files)


def wav_of(wave: np.ndarray, rate: int = RATE, kind: str = "WAV") -> bytes:
    """A sound file in memory."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, wave, rate, format=kind)
    return out.getvalue()
