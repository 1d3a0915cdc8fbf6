"""A part, a song, and when each of its parts is heard."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from .audio import length, read, resample
from .sound import Sound

#: A part is heard in a window when its RMS there is above both: dB re full scale, and dB re its own loudest window.
FLOOR, RANGE = -60.0, -50.0


@dataclass(frozen=True, eq=False)
class Source:
    """One recording: a file, decoded when first asked for, or a wave in memory."""

    sound: Sound
    path: Path | None = None
    cache: Path | None = None
    held: np.ndarray | None = None
    _waves: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def wave(self, rate: int) -> np.ndarray:
        """``[samples]`` at ``rate`` Hz."""
        if rate not in self._waves:
            if self.path is not None:
                self._waves[rate] = read(self.path, rate, self.cache)
            elif self.held is not None:
                self._waves[rate] = resample(self.held, self.sound.rate, rate)
        return self._waves[rate]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_waves": {}}  # a worker process maps its own


@dataclass(frozen=True, eq=False)
class Part:
    """What one instrument plays: the sum of its sources."""

    label: str
    sources: tuple[Source, ...]

    @property
    def digest(self) -> str:
        digests = sorted(source.sound.digest for source in self.sources)
        return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()

    @property
    def seconds(self) -> float:
        return max(source.sound.seconds for source in self.sources)

    def window(self, start: int, rate: int, out: np.ndarray) -> None:
        """Fill ``out`` with what is played from ``start``: silence where the part has ended."""
        first, *others = (source.wave(rate)[start : start + len(out)] for source in self.sources)
        out[: len(first)], out[len(first) :] = first, 0
        for piece in others:
            out[: len(piece)] += piece

    def power(self, starts: np.ndarray, seconds: float) -> np.ndarray:
        """Mean square of windows of ``seconds`` at ``starts`` (s); the powers of independent sources add."""
        return sum((source.sound.power(starts, seconds) for source in self.sources), np.zeros(len(starts)))


@dataclass(frozen=True, eq=False)
class Song:
    """Parts that belong together, shorter ones followed by silence."""

    name: str
    parts: tuple[Part, ...]
    _heard: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def digest(self) -> str:
        """Hash of what sounds, whatever the song and its parts are called."""
        return hashlib.sha256(" ".join(sorted(part.digest for part in self.parts)).encode()).hexdigest()

    def length(self, rate: int) -> int:
        """Samples at ``rate`` Hz."""
        return max(length(source.sound, rate) for part in self.parts for source in part.sources)

    def labels(self, heard: np.ndarray) -> tuple[str, ...]:
        """Names of the parts that a row of booleans marks."""
        return tuple(part.label for part, on in zip(self.parts, heard, strict=True) if on)

    def heard(self, rate: int, samples: int) -> np.ndarray:
        """Which parts are heard in each window, one window every 10 ms from 0: ``[windows, parts]``, bool."""
        if (rate, samples) not in self._heard:
            count = max(0, self.length(rate) - samples) // max(1, rate // 100) + 1
            self._heard[rate, samples] = self.heard_at(np.arange(count) * max(1, rate // 100), rate, samples)
        return self._heard[rate, samples]

    def heard_at(self, starts: np.ndarray, rate: int, samples: int) -> np.ndarray:
        """Which parts are heard in the windows at ``starts`` (samples): ``[len(starts), parts]``, bool."""
        seconds = samples / rate
        every = np.arange(0, max(1e-9, self.length(rate) / rate - seconds) + 0.01, 0.01)
        columns = []
        for part in self.parts:
            loudest = part.power(every, seconds).max()
            columns.append(part.power(starts / rate, seconds) > max(10 ** (FLOOR / 10), loudest * 10 ** (RANGE / 10)))
        return np.stack(columns, 1)

    def window(self, labels: tuple[str, ...], start: int, rate: int, samples: int) -> np.ndarray:
        """The named parts in one window: ``[len(labels), samples]``."""
        named = {part.label: part for part in self.parts}
        out = np.empty((len(labels), samples), np.float32)
        for row, label in zip(out, labels, strict=True):
            named[label].window(start, rate, row)
        return out
