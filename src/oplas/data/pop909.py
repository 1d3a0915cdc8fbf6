"""POP909: pop songs as MIDI with melody, bridge and piano, and texts of their beats, chords and keys.

Z. Wang, K. Chen, J. Jiang, Y. Zhang, M. Xu, S. Dai, X. Gu, G. Xia, "POP909: A pop-song dataset for music arrangement
generation", 2020, https://arxiv.org/abs/2008.07142; the files: https://github.com/music-x-lab/POP909-Dataset (MIT).
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .._download import cache_folder
from .._errors import DataError
from .download import get
from .notes import Notes, from_tracks, midi_score, phase

#: Pitch class of a note's name, C = 0.
PITCH_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Key:
    """A key: pitch class of its tonic, and whether it is minor.

    >>> Key.read("A:min").signature == Key.read("C:maj").signature
    True
    """

    tonic: int
    minor: bool

    @classmethod
    def read(cls, text: str) -> Key:
        """From ``root:maj`` or ``root:min``.

        Raises:
            DataError: it is not written so.
        """
        root, _, mode = text.strip().partition(":")
        if mode not in {"maj", "min"} or not root or root[0] not in PITCH_CLASS or set(root[1:]) - {"b", "#"}:
            raise DataError(f"{text!r} is not a key; keys are written as C:maj or F#:min")
        return cls((PITCH_CLASS[root[0]] + root.count("#") - root.count("b")) % 12, mode == "min")

    @property
    def signature(self) -> int:
        """Tonic of the major key with the same notes."""
        return (self.tonic + 3 * self.minor) % 12

    def __str__(self) -> str:
        return f"{NAMES[self.tonic]}:{'min' if self.minor else 'maj'}"


@dataclass(frozen=True)
class Song:
    """A song with what POP909 says of it.

    ``keys`` and ``chords`` are (first beat, last beat, what); a chord is written as in the files, ``N`` where none sounds.

    Shape:
        - downbeats: ``[bars]``, the beats on which a bar starts (the text's last column)
    """

    notes: Notes
    keys: tuple[tuple[float, float, Key], ...]
    chords: tuple[tuple[float, float, str], ...]
    downbeats: Tensor
    tempo: float

    @property
    def name(self) -> str:
        return self.notes.name

    @property
    def key(self) -> Key | None:
        """The song's key; None where it has several, or none is told."""
        told = {key for _, _, key in self.keys}
        return next(iter(told)) if len(told) == 1 else None


def pop909(path: str | os.PathLike[str] | None = None, *, tell: Callable[[float], object] = lambda done: None) -> list[Song]:
    """The songs under a folder, or in a ``.tar.gz`` of it, by name; times in beats of the song's own beat text.

    Without a path, the 800 songs that oplas knows the checksums of, downloaded once into the cache folder.

    Beats, not the file's clock, are the unit: the MIDI's own tempo and time signatures are not the music's. Each song lies off the
    grid of sixteenths by a constant, which is removed.

    Args:
        tell: called with 1 for each file that is downloaded and each song that is read, for progress.

    Raises:
        DataError: there is no song there, a song's texts cannot be read, or the download did not come whole.
    """
    if path is None:
        path = cache_folder() / "pop909"
        for _ in get("pop909", path):
            tell(1)
    with _folder(Path(path)) as folder:
        files = sorted(each for each in folder.rglob("[0-9][0-9][0-9].mid") if each.parent.name == each.stem)
        if not files:
            raise DataError(f"no POP909 song under {path}: expected folders such as 001 with 001.mid and its texts in them")
        songs = []
        for each in files:
            songs.append(_song(each))
            tell(1)
        return songs


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="oplas-pop909-") as scratch:
        try:
            with tarfile.open(path) as tar:
                tar.extractall(scratch, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise DataError(f"{path} is neither a folder nor a readable archive ({error}); give POP909's folder") from error
        yield Path(scratch)


def _song(path: Path) -> Song:
    score = midi_score(path).to("second")
    seconds = from_tracks(list(score.tracks), 1.0, path.stem)
    beats = _numbers(path.parent / "beat_midi.txt", 3)
    if len(beats) < 2 or bool((beats[1:, 0] <= beats[:-1, 0]).any()):
        raise DataError(f"{path.parent / 'beat_midi.txt'} holds {len(beats)} beats that do not rise in time; get the file again")
    clock = beats[:, 0].contiguous()
    onset = _beats(seconds.onset, clock)
    shift = phase(onset)
    length = (_beats(seconds.onset + seconds.length, clock) - onset).clamp_min(1 / 64)
    notes = Notes((onset - shift).clamp_min(0), length, seconds.pitch, seconds.velocity, seconds.part, seconds.parts, path.stem)

    def spans(name: str) -> Iterator[tuple[float, float, str]]:
        rows = list(_rows(path.parent / name, 3))
        times = torch.tensor([[float(start), float(stop)] for start, stop, _ in rows], dtype=torch.float64).reshape(-1, 2)
        for (first, last), (_, _, what) in zip((_beats(times, clock) - shift).tolist(), rows, strict=True):
            yield first, last, what

    keys = tuple((first, last, Key.read(what)) for first, last, what in spans("key_audio.txt"))
    downbeats = torch.arange(len(beats), dtype=torch.float64)[beats[:, 2] > 0]
    tempo = 60 / float((clock[1:] - clock[:-1]).median())
    return Song(notes.checked(), keys, tuple(spans("chord_midi.txt")), downbeats, tempo)


def _numbers(path: Path, columns: int) -> Tensor:
    try:
        rows = [[float(word) for word in words] for words in _rows(path, columns)]
    except ValueError as error:
        raise DataError(f"{path} holds words where numbers belong ({error}); get the file again") from error
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, columns)


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); it belongs beside the MIDI file: get the song again") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words and len(words) < columns:
            raise DataError(f"{path}, line {number}: {line!r} has {len(words)} columns, expected {columns}; get the file again")
        if words:
            yield words[:columns]


def _beats(seconds: Tensor, clock: Tensor) -> Tensor:
    """Where moments (s) lie between the beats at ``clock`` (s), as beats counted from the first; straight on beyond both ends."""
    at = torch.searchsorted(clock, seconds, right=True).clamp(1, len(clock) - 1)
    low, high = clock[at - 1], clock[at]
    return at - 1 + (seconds - low) / (high - low)
