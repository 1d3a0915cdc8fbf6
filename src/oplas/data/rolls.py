"""Songs as piano rolls: a dataset whose samples are cells of a roll; actions, encoders and laws serve it as they serve sound."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from .._errors import DataError, ShapeError
from .base import Scene, Slot
from .notes import PITCHES, Notes

#: Two songs that share this share of the shorter one's melodic turns are one song, in whatever key they are.
ALIKE = 0.5


class Rolls:
    """Piano rolls of songs, one part a track.

    A window is ``samples`` cells, 128 pitches for each frame, flattened; ``rate`` is cells per beat: 128 x frames per beat.

    >>> scale = Notes.of([(beat, 1.0, 60 + beat) for beat in range(8)], name="scale")
    >>> rolls = Rolls([scale])
    >>> rolls.scene(rolls.grid(512, 4 * 512)[1], 512, 4 * 512).parts.view(16, 128).nonzero()[0].tolist()
    [0, 64]

    Raises:
        DataError: there is no song.
    """

    def __init__(self, songs: Sequence[Notes]) -> None:
        if not songs:
            raise DataError("no songs were given; read some with oplas.data.read_midi, or POP909 with oplas.data.pop909")
        self.songs = list(songs)
        self._rolls: dict[tuple[int, int], Tensor] = {}

    @property
    def names(self) -> Sequence[str]:
        return [song.name for song in self.songs]

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for song in self.songs:
            for rows in (song.onset, song.length, song.pitch, song.part):
                digest.update(rows.numpy().tobytes())
        return digest.hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.songs)

    def split(self, *fractions: float, seed: int = 0) -> tuple[Self, ...]:
        """Disjoint datasets by song, one for each fraction. Songs with the same melody, in any key, stay together.

        Raises:
            DataError: a fraction is not positive, they exceed 1, or there are fewer distinct songs than fractions.
        """
        if not fractions or min(fractions) <= 0 or sum(fractions) > 1 + 1e-9:
            raise DataError(f"fractions {fractions} must be positive and add up to at most 1; for example split(0.8, 0.2)")
        groups = same_song(self.songs)
        if len(groups) < len(fractions):
            raise DataError(f"{len(self)} songs, {len(groups)} distinct, cannot make {len(fractions)} disjoint splits; add songs")
        order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
        edges = [round(sum(fractions[:index]) * len(groups)) for index in range(len(fractions) + 1)]
        for index in range(1, len(edges)):  # at least one group each, and enough left for those that follow
            edges[index] = min(max(edges[index], edges[index - 1] + 1), len(groups) - (len(edges) - 1 - index))
        chosen = [sorted(song for group in order[a:b] for song in groups[group]) for a, b in itertools.pairwise(edges)]
        return tuple(type(self)([self.songs[index] for index in part]) for part in chosen)

    def grid(self, rate: int, samples: int, hop: int | None = None) -> list[Slot]:
        """Every window, ``hop`` cells apart (default ``samples``), in which a part sounds; a last short one is left out."""
        step = max((hop or samples) // PITCHES, 1) * PITCHES
        slots = []
        for index in range(len(self)):
            roll = self._roll(index, rate, samples)
            for start in range(0, max(roll.shape[1] - samples, 0) + 1, step):
                heard = roll[:, start : start + samples].any(1)
                if heard.any():
                    slots.append(Slot(index, start, self._labels(index, heard)))
        return slots

    def scene(self, slot: Slot, rate: int, samples: int) -> Scene:
        """The parts heard in a slot, ``[k, samples]``, one where a note sounds."""
        roll = self._roll(slot.song, rate, samples)[:, slot.start : slot.start + samples]
        rows = [self.songs[slot.song].parts.index(label) for label in slot.labels]
        return Scene(torch.nn.functional.pad(roll[rows].float(), (0, samples - roll.shape[1])), slot.labels, slot.song)

    def draw(self, rate: int, samples: int, least: int, generator: torch.Generator) -> Scene:
        """A window of a random song at a random frame in which at least ``least`` parts are heard.

        Raises:
            DataError: sixty-four tries in a row find no such window.
        """
        for _ in range(64):
            song = int(torch.randint(len(self), (), generator=generator))
            roll = self._roll(song, rate, samples)
            frames = max((roll.shape[1] - samples) // PITCHES, 0)
            start = int(torch.randint(frames + 1, (), generator=generator)) * PITCHES
            heard = roll[:, start : start + samples].any(1)
            if int(heard.sum()) >= max(least, 1):
                return self.scene(Slot(song, start, self._labels(song, heard)), rate, samples)
        raise DataError(f"64 windows of {samples // PITCHES} frames held fewer than {least} sounding parts; are the rolls empty?")

    def _labels(self, song: int, heard: Tensor) -> tuple[str, ...]:
        return tuple(label for label, there in zip(self.songs[song].parts, heard.tolist(), strict=True) if there)

    def _roll(self, song: int, rate: int, samples: int) -> Tensor:
        if rate <= 0 or rate % PITCHES or samples % PITCHES:
            raise ShapeError(
                f"rolls are read in whole frames of {PITCHES} pitches; {samples} cells at {rate} a beat were asked for: "
                "use an encoder of oplas.encoders.rolls"
            )
        key = (song, rate // PITCHES)
        if key not in self._rolls:
            self._rolls[key] = self.songs[song].roll(rate // PITCHES).flatten(1)
        return self._rolls[key]


def same_song(songs: Sequence[Notes], width: int = 12) -> list[list[int]]:
    """Groups of songs that are one song: half of the shorter one's melodic turns (``width`` intervals in a row) are shared.

    The melody is the first part; intervals do not tell the key, so a song and its transposition are one.
    """
    turns = [_turns(song, width) for song in songs]
    holders: dict[tuple[int, ...], list[int]] = {}
    for index, mine in enumerate(turns):
        for turn in mine:
            holders.setdefault(turn, []).append(index)
    shared: dict[tuple[int, int], int] = {}
    for among in holders.values():
        for pair in itertools.combinations(among, 2) if len(among) < 20 else ():  # what twenty songs share is a commonplace
            shared[pair] = shared.get(pair, 0) + 1
    home = list(range(len(songs)))

    def find(index: int) -> int:
        while home[index] != index:
            index = home[index]
        return index

    for (a, b), count in shared.items():
        if count >= ALIKE * max(min(len(turns[a]), len(turns[b])), 1):
            home[find(b)] = find(a)
    groups: dict[int, list[int]] = {}
    for index in range(len(songs)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _turns(song: Notes, width: int) -> set[tuple[int, ...]]:
    mine = song.part == 0
    pitch = song.pitch[mine][song.onset[mine].argsort(stable=True)].tolist()
    steps = [b - a for a, b in itertools.pairwise(pitch)]
    return {tuple(steps[i : i + width]) for i in range(len(steps) - width + 1)} if len(steps) >= width else {tuple(steps)}
