"""The space that comes with the package, made by ``benchmarks/make_demo.py``: songs of the built-in band, on mel powers."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from .. import _artefact
from ..algebra import Calibration
from ..data.band import Played, play
from ..data.notes import Notes
from ..encoders import power_mel
from ..faders import FaderSet
from ..keys import KeySpace
from ..mixing import mixing_law
from ..projectors import Identity as Units
from ..space import Space
from ..store import Identity
from .library import Category, Library, Number, Score, Songs

FADERS = Path(__file__).with_name("demo.faders")
POINTS = Path(__file__).with_name("demo.safetensors")
KIND = "demo of the studio"
#: Of the band, and how many of its songs are on the map; the space's units are those of another seed's songs.
SEED, SONGS = 1, 24
RATE, SECONDS = 16000, 3.0


def demo() -> Library:
    """The library that ``oplas studio --demo`` opens: nothing is downloaded, and songs are played when they are asked for.

    Raises:
        ArtefactError: the package's files are damaged.
    """
    tensors, card = _artefact.load_file(POINTS, kind=KIND)
    space = demo_space(tensors["unit"])
    space.card["certificate"] = card["certificate"]
    names = [f"band{song + 1:02d}" for song in range(SONGS)]
    song, start = tensors["song"].numpy().astype(int), tensors["start"].numpy().astype(float)
    part = Category(tensors["part"].numpy().astype(np.int32), tuple(card["parts"]))
    files = [f"{names[s]}/{part.values[p]}" for s, p in zip(song, part.codes, strict=True)]
    told = [f"{file}@{t:g}" for file, t in zip(files, start.tolist(), strict=True)]
    first = tuple(int(np.flatnonzero(song == each)[0]) if (song == each).any() else None for each in range(SONGS))
    notes, tempo = tensors["notes"].double(), tensors["tempo"].tolist()
    scores = tuple(
        Score(_notes(notes[notes[:, 0] == index], card["instruments"][index], names[index]), tempo[index]) for index in range(SONGS)
    )
    source = Band(song, start, [part.values[code] for code in part.codes], scores)
    why = "the built-in band's songs, by a ring learned on other songs of the band without labels"
    columns: dict[str, Category | Number] = {
        "part": part, "song": Category(song.astype(np.int32), tuple(names)), "start": Number(start),
        "level": Number(tensors["level"].numpy().astype(float)), "tempo": Number(np.array(tempo)[song]),
    }  # fmt: skip
    return Library(
        "the built-in band", space, tensors["z"].float().numpy(), told, columns, start, source,
        Songs(tuple(names), scores, first, keys(), why), files, FaderSet.load(FADERS),
        Calibration(Identity.of(space).digest, **card["calibration"]), demo=True,
    )  # fmt: skip


def demo_space(unit: torch.Tensor) -> Space:
    """Mel powers in these units ``[288]``, which claim that a mix is the sum of its stems.

    Made anew rather than loaded: filters computed on another machine may differ in their last bits, and a saved space would refuse.
    """
    encoder = power_mel()
    space = Space(encoder, Units(encoder.dim), laws=[mixing_law()])
    space.projector.unit.copy_(unit)  # type: ignore[operator]
    return space.eval()


def keys() -> KeySpace:
    """A ring of keys, learned on songs of the band."""
    tensors = _artefact.load_file(POINTS, kind=KIND)[0]
    return KeySpace(tensors["key.shape"].double(), int(tensors["key.offset"]), tensors["key.mode"].double())


@lru_cache(8)
def song_of(index: int) -> Played:
    """A song of the map, played."""
    return play(SEED, index)


class Band:
    """The points' sound and notes."""

    audio = rolls = True

    def __init__(self, song: np.ndarray, start: np.ndarray, part: list[str], scores: tuple[Score, ...]) -> None:
        self.song, self.start, self.part, self.scores = song, start, part, scores
        self._lock = threading.Lock()

    def sound(self, i: int) -> np.ndarray:
        """The mix, one part, or all but one, in the point's window."""
        with self._lock:
            waves = song_of(int(self.song[i])).waves
        first, last = (round((float(self.start[i]) + late) * RATE) for late in (0.0, SECONDS))
        kept = [wave[first:last].numpy() for label, wave in waves.items() if heard(self.part[i], label)]
        window: np.ndarray = np.stack(kept).sum(0)
        return window

    def score(self, i: int) -> Score | None:
        """What of the notes is played in the window, by the part or by all; the drums have none."""
        score = self.scores[int(self.song[i])]
        notes, beat = score.notes, score.tempo / 60
        first, last = (float(self.start[i]) + late for late in (0.0, SECONDS))
        mine = torch.tensor([heard(self.part[i], label) for label in notes.parts])[notes.part]
        inside = mine & (notes.onset + notes.length > first * beat) & (notes.onset < last * beat)
        if not bool(inside.any()):
            return None
        rows = {name: getattr(notes, name)[inside] for name in ("onset", "length", "pitch", "velocity", "part")}
        return Score(replace(notes, **rows).between(first * beat, last * beat), score.tempo)

    def window(self, score: Score) -> None:
        return None


def heard(what: str, label: str) -> bool:
    """Whether an instrument is heard in ``mix``, in ``mix-drums``, or in ``drums``.

    >>> [heard("mix-drums", label) for label in ("drums", "bass")]
    [False, True]
    """
    return what in {"mix", label} or (what.startswith("mix-") and what[4:] != label)


def _notes(rows: torch.Tensor, parts: list[str], name: str) -> Notes:
    _, onset, length, pitch, velocity, part = rows.unbind(1)
    return Notes(onset, length, pitch.long(), velocity, part.long(), tuple(parts), name)
