"""POP909 played: excerpts of held-out songs in every transposition and at every tempo, one rendering a song."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _songs import is_test
from torch import Tensor

from oplas.data.notes import Notes
from oplas.data.pop909 import Song
from oplas.data.render import render

RATE, SECONDS, REST = 22050, 29.0, 1.5
#: Doublings of the tempo, a quarter apart; a move of four doubles it.
TEMPI = torch.arange(-6, 7) / 4


def held_out(songs: list[Song], count: int) -> list[Song]:
    """Songs that no benchmark learns from, long enough for the fastest playing, of as many keys as there are."""
    long = [
        song for song in songs if is_test(song.name) and song.key and song.notes.beats * 60 / song.tempo > 1.2 * SECONDS * 2**1.5
    ]
    rounds: dict[int, int] = {}
    order = []
    for song in long:
        assert song.key is not None
        rounds[song.key.signature] = rounds.get(song.key.signature, 0) + 1
        order.append((rounds[song.key.signature], song.name, song))
    return [song for _, _, song in sorted(order, key=lambda each: each[:2])[:count]]


def played(song: Song, shifts: Tensor, tempi: Tensor = TEMPI, seconds: float = SECONDS) -> tuple[Tensor, Tensor]:
    """The song's excerpt in each transposition, and at each tempo: ``[shifts, samples]`` and ``[tempi, samples]`` at 22.05 kHz.

    All are one MIDI file with rests between them, a second a beat, so that the synthesiser starts once.
    """
    notes = song.notes.stretch(60 / song.tempo)  # beats are seconds now
    first = float(notes.onset.min())
    takes = [notes.between(first, first + seconds).transpose(int(shift)) for shift in shifts]
    for tempo in tempi.tolist():
        takes.append(notes.between(first, first + seconds * 2**tempo).stretch(2**-tempo))
    slot = seconds + REST
    late = [replace(take, onset=take.onset + index * slot) for index, take in enumerate(takes)]
    rows = {name: torch.cat([getattr(take, name) for take in late]) for name in ("onset", "length", "pitch", "velocity", "part")}
    whole = Notes(**rows, parts=notes.parts, name=song.name)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "midi").mkdir()
        whole.write(Path(scratch) / "midi" / f"{song.name}.mid", tempo=60.0)
        folder = next(iter(render(Path(scratch) / "midi", Path(scratch) / "out", rate=RATE, workers=1)))
        wave = _read(folder)
    wave = np.pad(wave, (0, max(0, int(len(takes) * slot * RATE) - len(wave))))
    cuts = torch.stack(
        [torch.from_numpy(wave[(at := int(index * slot * RATE)) : at + int(seconds * RATE)]) for index in range(len(takes))]
    )
    return cuts[: len(shifts)], cuts[len(shifts) :]


def _read(folder: Path) -> np.ndarray:
    import soundfile

    return sum(soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob("*.flac")))
