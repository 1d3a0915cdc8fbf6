"""Songs as stems: a folder of audio files, or waves in memory, split by song and drawn from endlessly."""

from __future__ import annotations

import hashlib
import itertools
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError
from . import layouts
from .audio import read, survey
from .base import Scene, Slot
from .song import Part, Song, Source
from .sound import Survey


class Stems:
    """Multi-track songs; a mix is the sum of its parts. A :class:`~oplas.data.base.Dataset`.

    A part is *heard* in a window when its RMS there is above -60 dB re full scale and above -50 dB re the loudest
    window of that part, measured on cells of 10 ms. Windows shorter than a song lie inside it; a song shorter than
    the window is followed by silence.

    >>> import torch
    >>> tone = torch.sin(torch.arange(16000) * 0.1)
    >>> data = Stems.from_arrays({"one": {"bass": tone, "lead": tone.flip(0)}, "two": {"bass": tone / 2, "lead": tone / 3}}, 16000)
    >>> data.names, data.draw(16000, 8000, 2, torch.Generator().manual_seed(0)).labels
    (('one', 'two'), ('bass', 'lead'))
    """

    def __init__(self, songs: Sequence[Song]) -> None:
        if not songs:
            raise DataError("no song with at least 2 usable parts is left; see the warnings above for what each file lacks")
        self.songs = tuple(songs)
        self._places: dict[tuple[int, int, int], tuple[np.ndarray, list[np.ndarray]]] = {}

    @classmethod
    def from_arrays(cls, songs: Mapping[str, Mapping[str, Tensor]], rate: int) -> Self:
        """Songs held in memory: ``{song: {part: wave [samples] or [channels, samples]}}`` at ``rate`` Hz.

        Raises:
            DataError: a wave is empty, silent or holds NaN, or a song has fewer than 2 parts.
        """
        made = []
        for name, parts in songs.items():
            if len(parts) < 2:
                raise DataError(f"song {name!r} has {len(parts)} part; a mix needs at least 2")
            made.append(Song(name, tuple(Part(label, (_held(f"{name}/{label}", wave, rate),)) for label, wave in parts.items())))
        return cls(made)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(song.name for song in self.songs)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every part name that occurs, in alphabetical order."""
        return tuple(sorted({part.label for song in self.songs for part in song.parts}))

    @property
    def fingerprint(self) -> str:
        """Hash of what sounds in which song, independent of the songs' and files' names."""
        return hashlib.sha256(" ".join(sorted(song.digest for song in self.songs)).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.songs)

    def __repr__(self) -> str:
        seconds = sum(max(part.seconds for part in song.parts) for song in self.songs)
        return f"Stems({len(self)} songs, {sum(len(song.parts) for song in self.songs)} parts, {seconds / 60:.1f} min)"

    def select(self, names: Iterable[str]) -> Self:
        """The songs of these names, in this order."""
        by_name = {song.name: song for song in self.songs}
        wanted = list(names)
        if unknown := [name for name in wanted if name not in by_name]:
            raise DataError(f"no song is called {unknown[0]!r} ({len(unknown)} of {len(wanted)} unknown); see .names")
        return type(self)([by_name[name] for name in wanted])

    def split(self, *fractions: float, seed: int = 0) -> tuple[Self, ...]:
        """Disjoint datasets by song, one for each fraction; what the fractions leave of 1 is left out.

        Songs that share a part, sample for sample, stay together. The order is drawn from the songs' content, so that
        it outlives renaming, and from ``seed``.

        Raises:
            DataError: a fraction is not positive, they exceed 1, or there are fewer distinct songs than fractions.
        """
        if not fractions or min(fractions) <= 0 or sum(fractions) > 1 + 1e-9:
            raise DataError(f"fractions {fractions} must be positive and add up to at most 1; for example split(0.8, 0.2)")
        groups = sorted(_together(self.songs), key=lambda group: _rank(self.songs[group[0]], seed))
        if len(groups) < len(fractions):
            alike = f"{len(groups)} when those that share a part, sample for sample, count as one"
            raise DataError(f"{len(self)} song(s), {alike}, cannot make {len(fractions)} disjoint splits; add other songs")
        edges = np.round(np.cumsum([0.0, *fractions]) * len(groups)).astype(int)
        for index in range(1, len(edges)):  # at least one group each, and enough left for those that follow
            edges[index] = min(max(edges[index], edges[index - 1] + 1), len(groups) - (len(edges) - 1 - index))
        chosen = [sorted(song for group in groups[a:b] for song in group) for a, b in itertools.pairwise(edges)]
        return tuple(type(self)([self.songs[index] for index in part]) for part in chosen)

    def grid(self, rate: int, samples: int, hop: int | None = None) -> list[Slot]:
        """Every window, ``hop`` samples apart (default ``samples``), in which at least one part is heard."""
        slots = []
        for index, song in enumerate(self.songs):
            starts = np.arange(0, max(0, song.length(rate) - samples) + 1, hop or samples)
            for start, heard in zip(starts, song.heard_at(starts, rate, samples), strict=True):
                if heard.any():
                    slots.append(Slot(index, int(start), song.labels(heard)))
        return slots

    def scene(self, slot: Slot, rate: int, samples: int) -> Scene:
        """The parts heard in a slot: ``[k, samples]`` at ``rate`` Hz."""
        song = self.songs[slot.song]
        return Scene(torch.from_numpy(song.window(slot.labels, slot.start, rate, samples)), slot.labels, slot.song)

    def draw(self, rate: int, samples: int, least: int, generator: torch.Generator) -> Scene:
        """A window of a random song at a random place (to 10 ms) in which at least ``least`` parts are heard.

        Raises:
            DataError: there is no such window in any song.
        """
        return self.scene(self._place(rate, samples, least, generator), rate, samples)

    def draw_batch(
        self, count: int, least: int, most: int | None, rate: int, samples: int, generator: torch.Generator
    ) -> list[Scene]:
        """``count`` draws; of more than ``most`` parts heard, a random ``most`` are kept, and only those are read."""
        scenes = []
        for _ in range(count):
            slot = self._place(rate, samples, least, generator)
            if most is not None and len(slot.labels) > most:
                kept = torch.randperm(len(slot.labels), generator=generator)[:most].sort().values
                slot = Slot(slot.song, slot.start, tuple(slot.labels[int(index)] for index in kept))
            scenes.append(self.scene(slot, rate, samples))
        return scenes

    def _place(self, rate: int, samples: int, least: int, generator: torch.Generator) -> Slot:
        key = (rate, samples, least)
        if key not in self._places:
            rows = [np.flatnonzero(song.heard(rate, samples).sum(1) >= least) for song in self.songs]
            usable = np.array([index for index, row in enumerate(rows) if len(row)])
            if not len(usable):
                raise DataError(
                    f"none of {len(self)} songs has a window of {samples / rate:.2f} s in which {least} parts are heard; "
                    "ask for fewer parts, a shorter window, or add songs"
                )
            self._places[key] = usable, rows
        usable, rows = self._places[key]
        song = int(usable[_below(len(usable), generator)])
        place = int(rows[song][_below(len(rows[song]), generator)])
        labels = self.songs[song].labels(self.songs[song].heard(rate, samples)[place])
        return Slot(song, place * max(1, rate // 100), labels)


def stems(
    folder: str | os.PathLike[str], rate: int | None = None, cache: str | os.PathLike[str] | None = None, workers: int | None = None
) -> Stems:
    """The multi-track songs under a folder, in the layouts of :func:`oplas.data.layouts.songs`, any rate, any channels.

    Every file is read once, block by block, and checked; what was learned is cached. A bad file is reported in one
    warning and left out; a song left with fewer than 2 parts is left out too.

    Args:
        rate: also decode to this rate (Hz) in the same pass; other rates are decoded when first asked for.
        cache: where decoded audio is kept; default ``$OPLAS_CACHE``, else the platform's cache folder.
        workers: files read at once; default one a core.

    Raises:
        DataError: the folder holds no song, or none with at least 2 usable parts.
    """
    found = layouts.songs(Path(folder))
    place = None if cache is None else Path(cache)

    def load(path: Path) -> Source | DataError:
        try:
            if rate is not None:
                read(path, rate, cache)
            return Source(survey(path, cache), path, place)
        except DataError as error:
            return error

    files = [path for parts in found.values() for paths in parts.values() for path in paths]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        loaded = dict(zip(files, pool.map(load, files), strict=True))
    for result in loaded.values():
        if isinstance(result, DataError):
            warnings.warn(f"left out: {result}", stacklevel=2)
    kept = []
    for name, parts in found.items():
        sources = {label: tuple(s for path in paths if isinstance(s := loaded[path], Source)) for label, paths in parts.items()}
        usable = tuple(Part(label, group) for label, group in sources.items() if group)
        if len(usable) >= 2:
            kept.append(Song(name, usable))
        else:
            warnings.warn(f"song {name} left out: {len(usable)} usable part(s), a mix needs at least 2", stacklevel=2)
    _mention(kept)
    return Stems(kept)


def _mention(songs: Sequence[Song]) -> None:
    """What was evened out without asking, said once."""
    uneven = [song.name for song in songs if max(p.seconds for p in song.parts) - min(p.seconds for p in song.parts) > 0.1]
    if uneven:
        fact = f"{len(uneven)} song(s) have parts of unequal length, the first {uneven[0]}"
        warnings.warn(f"{fact}; shorter parts end in silence", stacklevel=3)
    wide = [str(source.path) for song in songs for part in song.parts for source in part.sources if source.sound.channels > 2]
    if wide:
        warnings.warn(f"{len(wide)} file(s) have more than 2 channels, the first {wide[0]}; all were averaged", stacklevel=3)


def _held(name: str, wave: Tensor, rate: int) -> Source:
    mono = wave.detach().cpu().float()
    mono = (mono.mean(0) if mono.ndim == 2 else mono).contiguous()
    facts = Survey(name, rate, wave.shape[0] if wave.ndim == 2 else 1)
    facts.add(mono.numpy())
    return Source(facts.finish(), held=mono.numpy())


def _together(songs: Sequence[Song]) -> list[list[int]]:
    """Groups of songs that share the content of a part."""
    groups: list[tuple[set[str], list[int]]] = []
    for index, song in enumerate(songs):
        digests, members, apart = {part.digest for part in song.parts}, [index], []
        for others, group in groups:
            if digests & others:
                digests, members = digests | others, group + members
            else:
                apart.append((others, group))
        groups = [*apart, (digests, sorted(members))]
    return [members for _, members in groups]


def _rank(song: Song, seed: int) -> str:
    return hashlib.sha256(f"{seed} {song.digest}".encode()).hexdigest()


def _below(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))
