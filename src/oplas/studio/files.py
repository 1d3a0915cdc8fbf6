"""Points that are windows of the user's own sound files, all of them inside one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .._errors import DataError
from ..data.audio import read
from .library import Score


def inside(path: Path, folder: Path) -> bool:
    """Whether a path, all links followed, is a file inside the folder, all links followed."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve(strict=True)) and path.is_file()
    except OSError:
        return False


class Files:
    """The points' sound."""

    audio, rolls = True, False

    def __init__(self, paths: Sequence[Path], starts: np.ndarray, folder: Path, rate: int, samples: int) -> None:
        self.paths, self.starts, self.folder, self.rate, self.samples = paths, starts, folder, rate, samples

    def sound(self, i: int) -> np.ndarray | None:
        """The window of point i, silence after the file's end.

        Raises:
            DataError: the file is no longer there, leads out of the folder, or cannot be read.
        """
        path = self.folder / self.paths[i]  # an absolute path stays what it is
        if not inside(path, self.folder):
            raise DataError(f"{path.name} is not in the folder of songs, so it is not read")
        wave = read(path.resolve(), self.rate)
        first = round(float(np.nan_to_num(self.starts[i])) * self.rate)
        out = np.zeros(self.samples, np.float32)
        piece = wave[first : first + self.samples]
        out[: len(piece)] = piece
        return out

    def score(self, i: int) -> Score | None:
        return None

    def window(self, score: Score) -> np.ndarray | None:
        return None
