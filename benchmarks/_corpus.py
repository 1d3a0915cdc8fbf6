"""What oplas-mini listens to while it learns: rendered stems, samples, recordings; held-out names never leave their side."""

from __future__ import annotations

import hashlib
import random
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import SHARED
from _songs import is_test

from oplas._download import cache_folder
from oplas._errors import DataError
from oplas.data.render import family, render

RATE = 16000
CACHE = cache_folder() / "corpus"
#: How often a window comes from each source.
SHARE = {"freedoom": 0.5, "pop909": 0.28, "samples": 0.14, "recordings": 0.08}
#: General MIDI programs a re-orchestrated track may be given, drawn by family so that a song's parts differ in kind.
FAMILIES: dict[str, list[int]] = {}
for _program in range(112):
    FAMILIES.setdefault(family(_program, False), []).append(_program)


@dataclass(frozen=True)
class Piece:
    """Parts recorded on one clock; a sample or a recording is a piece of one part.

    Shape:
        - parts: ``[k, length]`` int16 at 16 kHz
    """

    name: str
    labels: tuple[str, ...]
    parts: np.ndarray


def prepare(cache: Path = CACHE, songs: int = 87, seconds: float = 60.0, workers: int = 2) -> None:
    """Unpack and render what is not yet in ``cache``: freedoom16k/, pop909_16k/ (re-orchestrated) and samples/.

    Takes about ten minutes of two cores the first time, and needs fluidsynth and a General MIDI soundfont.

    Raises:
        DataError: the archives of ../shared/data are not there.
    """
    wanted = [SHARED / "freedoom_midi.tar.gz", SHARED / "pop909.tar.gz", SHARED / "audio" / "sonic_pi_samples_cc0.tar"]
    missing = [path.name for path in wanted if not path.is_file()]
    if missing:
        raise DataError(f"training oplas-mini needs {', '.join(missing)} in {SHARED.name} beside this checkout; put them there")
    cache.mkdir(parents=True, exist_ok=True)
    done = {name: cache / f"{name}.complete" for name in ("freedoom16k", "pop909_16k", "samples")}
    with tempfile.TemporaryDirectory(dir=cache, prefix=".midi-") as scratch:
        midi = Path(scratch)
        if not done["freedoom16k"].exists():
            _unpack(wanted[0], midi / "freedoom")
            list(render(midi / "freedoom", cache / "freedoom16k", rate=RATE, seconds=120.0, workers=workers))
            done["freedoom16k"].touch()
        if not done["pop909_16k"].exists():
            _unpack(wanted[1], midi / "pop909")
            _reorchestrate(midi / "pop909", midi / "new", songs)
            list(render(midi / "new", cache / "pop909_16k", rate=RATE, seconds=seconds, workers=workers))
            done["pop909_16k"].touch()
        if not done["samples"].exists():
            _unpack(wanted[2], cache / "samples")
            done["samples"].touch()


def load(test: bool, most: int | None = None, cache: Path = CACHE) -> dict[str, list[Piece]]:
    """The pieces on one side of the split, by source: freedoom, pop909, samples, recordings (training side only)."""
    folders = {source: sorted(path for path in (cache / f"{source}16k".replace("909", "909_")).iterdir() if path.is_dir())
               for source in ("freedoom", "pop909")}  # fmt: skip
    corpus = {
        source: [_song(path) for path in paths if is_test(path.name) == test and any(path.glob("*.flac"))][:most]
        for source, paths in folders.items()
    }
    samples = sorted((cache / "samples").rglob("*.flac"))
    corpus["samples"] = [_single(path) for path in samples if is_test(path.stem) == test][:most]
    if not test:
        corpus["recordings"] = [_single(path) for path in sorted((SHARED / "audio").glob("*.ogg"))]
    print({source: len(pieces) for source, pieces in corpus.items()}, file=sys.stderr, flush=True)
    return corpus


def _reorchestrate(midi: Path, out: Path, count: int) -> None:
    """Give each track of a piano-only song a random program of a family of its own; the piano's low notes become a bass."""
    import symusic

    out.mkdir(parents=True)
    files = sorted(midi.rglob("[0-9][0-9][0-9].mid"))
    for path in files[::7][:count]:
        score = symusic.Score(path)
        draw = random.Random(hashlib.sha256(path.stem.encode()).hexdigest())
        kinds = draw.sample([kind for kind in FAMILIES if kind != "bass"], len(score.tracks))
        low = score.tracks[-1].copy()
        low.notes = type(low.notes)([note for note in low.notes if note.pitch < 50])
        score.tracks[-1].notes = type(low.notes)([note for note in score.tracks[-1].notes if note.pitch >= 50])
        for track, kind in zip(score.tracks, kinds, strict=True):
            track.program = draw.choice(FAMILIES[kind])
        low.program = draw.choice(FAMILIES["bass"])
        score.tracks.append(low)
        score.dump_midi(str(out / path.name))


def _song(folder: Path) -> Piece:
    files = sorted(folder.glob("*.flac"))
    waves = [_read(path) for path in files]
    length = min(map(len, waves))
    return Piece(folder.name, tuple(path.stem for path in files), np.stack([wave[:length] for wave in waves]))


def _single(path: Path) -> Piece:
    wave = _read(path)
    short = max(0, 3 * RATE - len(wave))
    return Piece(path.stem, ("sample",), np.pad(wave, (short // 4, short - short // 4))[None])


def _read(path: Path) -> np.ndarray:
    import soundfile
    import soxr

    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = wave.mean(1)
    mono = mono if rate == RATE else soxr.resample(mono, rate, RATE)
    return (mono.clip(-1, 1) * 32767).astype(np.int16)


def _unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")


def window(corpus: dict[str, list[Piece]], length: int, rng: np.random.Generator, alone: float = 0.35) -> np.ndarray:
    """``length`` samples of one part (with odds ``alone``) or of a random subset of a piece's parts, each at -24..+6 dB.

    Sometimes a part of another piece joins in; rarely nothing sounds.
    """
    names = [name for name, pieces in corpus.items() if pieces]
    odds = np.array([SHARE[name] for name in names]) / sum(SHARE[name] for name in names)
    wave = np.zeros(length, np.float32)
    for stranger in range(1 + int(rng.random() < 0.2)):
        source = names[rng.choice(len(names), p=odds)]
        piece = corpus[source][rng.integers(len(corpus[source]))]
        start = int(rng.integers(0, max(1, piece.parts.shape[1] - length)))
        cut = piece.parts[:, start : start + length]
        heard = np.flatnonzero(np.abs(cut).max(1) > 30)
        if len(heard):
            count = 1 if stranger or rng.random() < alone else int(rng.integers(1, len(heard) + 1))
            for index in rng.permutation(heard)[:count]:
                wave[: cut.shape[1]] += cut[index] * np.float32(10 ** (rng.uniform(-24, 6) / 20) / 32768)
    return wave
