"""The same bars played by two General MIDI soundfonts: clips of one rendering, and of the other at the same seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from _clips import Clips, clips
from _mixing import CACHE, RATE
from _songs import is_test

from oplas.data.render import render
from oplas.data.stems import Stems, stems

#: Debian's package timgm6mb-soundfont.
OTHER = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")


def other_rendering(data: Stems, held_out: int = 15, learned: int = 30, seconds: float = 60.0) -> Stems:
    """The first minute of evenly spread songs of ``data``, played with :data:`OTHER`; kept between runs.

    Raises:
        MissingDependency: fluidsynth or the soundfont is not installed.
    """
    tested = [name for name in data.names if is_test(name)]
    others = [name for name in data.names if not is_test(name)]
    chosen = {*_spread(tested, held_out), *_spread(others, learned)}
    midi, rendered = CACHE / "freedoom_midi_some", CACHE / "freedoom16k_timgm6mb"
    midi.mkdir(parents=True, exist_ok=True)
    for file in (CACHE / "freedoom_midi").rglob("*.mid"):
        if file.stem in chosen:
            shutil.copy(file, midi / file.name)
    for _ in render(midi, rendered, OTHER, rate=RATE, seconds=seconds):
        pass
    played = stems(rendered)
    return played.select(name for name in played.names if name in chosen)


def both(data: Stems, seconds: float, each: int) -> tuple[Clips, Clips]:
    """Clips of ``data``, and the same bars in the other rendering; bars that either plays in silence are left out."""
    second = clips(other_rendering(data), seconds, each)
    songs, length = {song.name: song for song in data.songs}, second.wave.shape[1]
    first = []
    for name, start in zip(second.song, second.start, strict=True):
        labels = tuple(part.label for part in songs[name].parts)
        first.append(songs[name].window(labels, round(start * RATE), RATE, length).sum(0))
    wave = torch.from_numpy(np.stack(first).astype(np.float32))
    kept = [index for index, row in enumerate(wave) if row.square().mean().sqrt() > 1e-3]
    song, start = tuple(second.song[i] for i in kept), tuple(second.start[i] for i in kept)
    return Clips(wave[kept], song, start, second.test[kept]), Clips(second.wave[kept], song, start, second.test[kept])


def _spread(names: list[str], count: int) -> list[str]:
    return [names[i] for i in np.linspace(0, len(names) - 1, count).astype(int)]
