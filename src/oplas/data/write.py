"""Songs written out as folders of stems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .audio import write
from .stems import Stems


def write_stems(songs: Stems, folder: str | os.PathLike[str], *, rate: int = 16000, mixture: bool = False) -> Iterator[Path]:
    """Write each song as ``folder/song/part.wav``; yields each song's folder when it is there.

    Args:
        rate: samples per second of the files.
        mixture: also write the sum of the parts as ``mixture.wav``, as MUSDB has it.

    Raises:
        DataError: a file cannot be written.
    """
    for song in songs.songs:
        home, labels = Path(folder) / song.name, tuple(part.label for part in song.parts)
        waves = song.window(labels, 0, rate, song.length(rate))
        for label, wave in zip(labels, waves, strict=True):
            write(home / f"{label}.wav", wave, rate)
        if mixture:
            write(home / "mixture.wav", waves.sum(0), rate)
        yield home
