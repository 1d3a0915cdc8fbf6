"""The ring: songs on the circle of fifths, and one of them turned."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from .._errors import DataError
from ..actions.pianoroll import KeyChange
from ..data.pop909 import NAMES
from ..keys import CLASSES, durations
from .library import Library, Score, Songs
from .schema import OnRing, Ring, Turned

#: The twelve places, a fifth apart, as key signatures: the major key and its relative minor.
PLACES = tuple(f"{NAMES[7 * k % 12]} / {NAMES[(7 * k + 9) % 12].lower()}" for k in range(CLASSES))


class Circle:
    """Songs by :class:`oplas.keys.KeySpace`: transposition turns their latents, a fifth by a twelfth of the ring."""

    def __init__(self, library: Library) -> None:
        self.library = library

    @property
    def songs(self) -> Songs:
        if self.library.songs is None:
            raise DataError("this space has no songs with notes, so there is no ring to turn")
        return self.library.songs

    @cached_property
    def y(self) -> Tensor:
        """Pitch-class durations ``[songs, 12]``."""
        return durations([score.notes for score in self.songs.scores])

    @cached_property
    def z(self) -> Tensor:
        return self.songs.keys.latents(self.y)

    def ring(self) -> Ring:
        """Every song's place."""
        if self.library.songs is None:
            return Ring(available=False, why="no notes: a ring needs songs as MIDI, or the built-in band's")
        return Ring(available=True, why=self.songs.why, labels=list(PLACES), songs=self.placed(self.y, range(len(self.y))))

    def placed(self, y: Tensor, which: range | list[int]) -> list[OnRing]:
        """Where these durations lie, as the songs ``which``. Key signatures: major or minor is a guess that mode alone decides."""
        keys = self.songs.keys
        places = (7 * keys.place(y) % CLASSES).tolist()  # a fifth, seven semitones, is one place, and 7 · 7 = 1 modulo 12
        sure = confidence(keys.latents(y))
        return [
            OnRing(
                song=song, i=self.songs.first[song], name=self.songs.names[song], label=PLACES[place],
                angle=2 * math.pi * place / CLASSES, confidence=c,
            )
            for song, place, c in zip(which, places, sure, strict=True)
        ]  # fmt: skip

    def turn(self, song: int, fifths: int, k: int) -> Turned:
        """The song's latent turned by so many fifths, what lies nearest to it, and the song truly transposed."""
        if song >= len(self.y):
            raise DataError(f"there is no song {song}; the ring has {len(self.y)}, counted from 0")
        semitones = KeyChange().semitones(fifths)
        turned = self.z[song].roll(semitones)
        truly = self.songs.keys.latents(durations([self.moved(song, fifths).notes]))[0]
        far = torch.cdist(turned[None], self.z)[0]
        far[song] = math.inf
        order = far.argsort()[:k].tolist()
        there = self.placed(self.y[song : song + 1].roll(semitones, 1), [song])[0]
        base = f"/api/ring/{song}/roll"
        return Turned(
            label=there.label, angle=there.angle, confidence=there.confidence, nearest=self.placed(self.y[order], order),
            semitones=semitones, distance=float((turned - truly).norm()), roll=f"{base}?fifths={fifths}", roll_before=base,
        )  # fmt: skip

    def moved(self, song: int, fifths: int) -> Score:
        """The song's notes, truly moved, the octave chosen so that they stay near."""
        score = self.songs.scores[song]
        return Score(score.notes.transpose(KeyChange().semitones(fifths)), score.tempo)


def confidence(z: Tensor) -> list[float]:
    """How far the best place is ahead of the next, as a share of the spread of all twelve."""
    top = z.topk(2, dim=1).values
    return [float(each) for each in ((top[:, 0] - top[:, 1]) / (z.amax(1) - z.amin(1)).clamp_min(1e-9)).clamp(0, 1)]
