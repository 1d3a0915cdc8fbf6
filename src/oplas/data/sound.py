"""What one recording holds, gathered in one pass: its length, its content hash, and how loud it is where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from .._errors import DataError


@dataclass(frozen=True)
class Sound:
    """Facts about one mono signal.

    Attributes:
        rate: samples per second of the original.
        frames: its length in samples.
        channels: how many channels were averaged.
        digest: SHA-256 of the averaged float32 samples: the content, whatever the container.
        energy: sum of squares in each cell of :attr:`cell` samples (10 ms).
    """

    rate: int
    frames: int
    channels: int
    digest: str
    energy: np.ndarray

    @property
    def cell(self) -> int:
        """Samples in one cell of ``energy``."""
        return max(1, self.rate // 100)

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    def power(self, starts: np.ndarray, seconds: float) -> np.ndarray:
        """A lower bound of the mean square in windows of ``seconds`` at ``starts`` (s): cells wholly inside are counted.

        A lower bound, so that a window called heard is never one in which the sound only begins at the last sample.
        """
        total = np.concatenate([[0.0], np.cumsum(self.energy, dtype=np.float64)])
        width = self.cell / self.rate
        first = np.ceil(starts / width - 1e-6).astype(np.int64)
        last = np.maximum(np.floor((starts + seconds) / width + 1e-6).astype(np.int64), first + 1)
        top = len(self.energy)
        return (total[last.clip(0, top)] - total[first.clip(0, top)]) / (seconds * self.rate)


class Survey:
    """Gathers a :class:`Sound` from blocks; every block but the last holds a whole number of cells.

    Raises:
        DataError: the sound is empty, shorter than 10 ms, silent, or holds NaN or infinite samples.
    """

    def __init__(self, name: str, rate: int, channels: int = 1) -> None:
        self.name, self.rate, self.channels = name, rate, channels
        self.cell = max(1, rate // 100)
        self.frames, self.hash = 0, hashlib.sha256()
        self.energy: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """One more block ``[n]``, float32."""
        finite = np.isfinite(block)
        if not finite.all():
            place = (self.frames + int(np.argmin(finite))) / self.rate
            raise DataError(f"{self.name} holds NaN or infinite samples, the first at {place:.2f} s; export it again or remove it")
        self.hash.update(np.ascontiguousarray(block, np.float32).tobytes())
        self.frames += len(block)
        padded = np.pad(block.astype(np.float64), (0, -len(block) % self.cell))
        self.energy.append(np.square(padded).reshape(-1, self.cell).sum(1))

    def finish(self) -> Sound:
        """The facts, once every block was added."""
        energy = np.concatenate(self.energy) if self.energy else np.zeros(0)
        if self.frames < self.cell:
            raise DataError(f"{self.name} holds {self.frames} samples, less than 10 ms; remove it or export it again")
        if not energy.any():
            averaged = f" after its {self.channels} channels were averaged" if self.channels > 1 else ""
            raise DataError(f"{self.name} is silent: all {self.frames} samples are zero{averaged}; remove it or export it again")
        return Sound(self.rate, self.frames, self.channels, self.hash.hexdigest(), energy.astype(np.float32))
