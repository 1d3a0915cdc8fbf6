"""Pairs of instruments that share a register: Freedoom's songs re-scored for drums, bass, piano and guitar, 24 kHz.

Every pitched track is moved by octaves until its median pitch lies in A2 to G#3, so that no fixed crossover tells two of
them apart. The piano plays the keyboards' tracks or, in songs without any, those of strings and synthesisers.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Literal

import numpy as np
from _harness import SHARED
from _mixing import CACHE
from _songs import DUPLICATES, is_test

from oplas.data.render import family, render
from oplas.data.stems import Stems, stems

RATE = 24_000
LOWEST = 45  # the MIDI number of A2

Kind = Literal["songs", "other instruments", "other soundfont"]

#: Debian's package timgm6mb-soundfont.
OTHER = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")

#: General MIDI programs (from 0) that songs may be played with, and those kept for songs never heard, by family.
HEARD = {"bass": (33, 34, 36, 37, 38), "keys": (0, 1, 2, 4), "guitar": (25, 28, 29, 30), "drums": (0, 8, 16, 30)}
KEPT = {"bass": (32, 35, 39), "keys": (3, 5, 6), "guitar": (24, 27, 31), "drums": (24, 25, 40)}

PAIRS = (("drums", "bass"), ("bass", "keys"), ("drums", "keys"), ("drums", "guitar"))


def ensembles(kind: Kind = "songs", *, seconds: float = 90.0, workers: int = 2) -> Stems:
    """The songs, rendered once and kept; of the other kinds only those held out.

    Raises:
        MissingDependency: fluidsynth or the soundfont is not installed.
    """
    source, name = CACHE / "freedoom_midi", kind.replace(" ", "_")
    if not source.is_dir():
        with tarfile.open(SHARED / "freedoom_midi.tar.gz") as tar:
            tar.extractall(source, filter="data")
    scores, rendered = CACHE / f"pairs_{name}_midi", CACHE / f"pairs_{name}"
    if not scores.is_dir():
        scores.mkdir(parents=True)
        for file in sorted(source.rglob("*.mid")):
            if file.stem not in DUPLICATES and (kind == "songs" or is_test(file.stem)):
                rescore(file, scores / file.name, KEPT if kind == "other instruments" else HEARD)
    for _ in render(scores, rendered, OTHER if kind == "other soundfont" else None, rate=RATE, seconds=seconds, workers=workers):
        pass
    return stems(rendered)


def rescore(source: Path, target: Path, programs: dict[str, tuple[int, ...]]) -> None:
    """The song's drums, bass, piano and guitar in one register, on instruments drawn by the song's name."""
    import symusic

    score = symusic.Score(source)
    families: dict[str, list] = {}
    for track in score.tracks:
        if len(track.notes):
            families.setdefault(family(track.program, track.is_drum), []).append(track)
    families.setdefault("keys", [*families.get("strings", []), *families.get("synth", [])])
    rng, kept = np.random.default_rng(list(source.stem.encode())), []
    for name, allowed in programs.items():
        for track in families.get(name, []):
            if track.program not in allowed or name == "keys":
                track.program = int(rng.choice(allowed))
            if name != "drums":
                octaves = (np.median([note.pitch for note in track.notes]) - LOWEST) // 12
                track.shift_pitch(-12 * int(octaves), inplace=True)
            kept.append(track)
    if kept:
        score.tracks = kept
        score.dump_midi(str(target))


if __name__ == "__main__":
    for each in ("songs", "other instruments", "other soundfont"):
        data = ensembles(each)  # type: ignore[arg-type]
        print(each, len(data.names), "songs")
