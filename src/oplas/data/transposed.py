"""Songs played from their notes in several transpositions: no sound is stretched, the notes are moved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from .._errors import DataError
from .notes import Notes
from .render import render

REST = 1.5  # seconds between takes, in which the last notes fade


def render_transposed(
    songs: Sequence[Notes],
    out: str | os.PathLike[str],
    semitones: Sequence[int] = tuple(range(-5, 7)),
    soundfont: str | os.PathLike[str] | None = None,
    *,
    rate: int = 22050,
    seconds: float = 30.0,
) -> Iterator[Path]:
    """Render the first ``seconds`` of each song in each transposition to ``out/song/+3.flac``; songs already there are kept.

    Times of the notes are taken as seconds: ``song.stretch(60 / tempo)`` makes them so. The folder reads as one of stems
    (:func:`oplas.data.stems`) whose parts are the transpositions, for :class:`oplas.actions.harmony.Rendered`.

    Raises:
        DataError: no song or no transposition is given, or a note would leave MIDI's range.
        MissingDependency: fluidsynth or a General MIDI soundfont is not installed.
    """
    import soundfile

    if not songs or not semitones:
        raise DataError(f"{len(songs)} songs in {len(semitones)} transpositions make nothing to render; give one of each at least")
    slot = seconds + REST
    for song in songs:
        folder = Path(out) / (song.name or f"song {songs.index(song) + 1}")
        if not folder.is_dir():
            cut = song.between(float(song.onset.min()), float(song.onset.min()) + seconds)
            takes = [cut.transpose(step) for step in semitones]
            wave = _played([replace(take, onset=take.onset + index * slot) for index, take in enumerate(takes)], soundfont, rate)
            with tempfile.TemporaryDirectory(prefix=".transposed-", dir=_made(Path(out))) as scratch:
                (Path(scratch) / "song").mkdir()
                for index, step in enumerate(semitones):
                    start = round(index * slot * rate)
                    piece = wave[start : start + round(seconds * rate)]
                    soundfile.write(Path(scratch) / "song" / f"{step:+d}.flac", piece, rate, subtype="PCM_24")
                os.replace(Path(scratch) / "song", folder)
        yield folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _played(takes: list[Notes], soundfont: str | os.PathLike[str] | None, rate: int):  # type: ignore[no-untyped-def]
    """All takes as one file, so that the synthesiser starts once and gives them one gain."""
    import numpy as np
    import soundfile

    rows = {name: torch.cat([getattr(take, name) for take in takes]) for name in ("onset", "length", "pitch", "velocity", "part")}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "midi").mkdir()
        Notes(**rows, parts=takes[0].parts, name=takes[0].name).write(Path(scratch) / "midi" / "song.mid", tempo=60.0)
        folder = next(iter(render(Path(scratch) / "midi", Path(scratch) / "out", soundfont, rate=rate, workers=1)))
        return np.sum([soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob("*.flac"))], axis=0)
