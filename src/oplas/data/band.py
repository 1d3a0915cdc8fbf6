"""A band that never was: seeded songs of drums, bass, chords and lead, for demos and tests on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from .._errors import DataError
from .notes import Notes
from .stems import Stems
from .synth import Voice, bell, breath, kit, room, string

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10))
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 6, 5, 6), (1, 4, 0, 5), (0, 2, 3, 4), (0, 0, 3, 4))

#: One note: when (beats), what (MIDI pitch or a drum's name), how long (beats), how hard (0-1].
_Note = tuple[float, float | str, float, float]


def band(seed: int = 0, songs: int = 24, seconds: float = 30.0, rate: int = 16000) -> Stems:
    """Songs of four parts, drums, bass, chords and lead, each with its own tempo, key, patterns, swing and instruments.

    The same arguments give the same bits (on one machine and one numpy), and song `i` of a seed is the same however many
    songs are asked for.
    Parts rest in some sections; a song's mix peaks at -1 dB full scale.

    Args:
        seconds: length of each song.
        rate: samples per second.

    Raises:
        DataError: no songs, or songs shorter than 1 s, or a rate below 8000 Hz are asked for.

    >>> band(songs=2, seconds=2.0).labels
    ('bass', 'chords', 'drums', 'lead')
    """
    if songs < 1 or seconds < 1 or rate < 8000:
        raise DataError(f"{songs} songs of {seconds} s at {rate} Hz: ask for at least 1 song of 1 s at 8000 Hz")
    made = {f"band-{seed}-{index:03d}": play(seed, index, seconds, rate).waves for index in range(songs)}
    return Stems.from_arrays(made, rate)


@dataclass(frozen=True)
class Played:
    """One song of the band: its sound, its notes without the drums' (pauses left out), and its key.

    Attributes:
        tempo: beats per minute.
        signature: pitch class of the major tonic of its key signature.
        minor: whether its third is minor.
    """

    waves: dict[str, torch.Tensor]
    notes: Notes
    tempo: float
    signature: int
    minor: bool


def play(seed: int, index: int, seconds: float = 30.0, rate: int = 16000) -> Played:
    """Song ``index`` of ``band(seed)``, with what was played in it."""
    score: list[tuple[str, _Note]] = []
    waves, style = _song(np.random.default_rng([seed, index]), seconds, rate, score)
    beats = seconds / style.beat
    kept = [(name, note) for name, note in score if name != "drums" and 0 <= note[0] < beats]
    names = tuple(dict.fromkeys(name for name, _ in kept))
    at, pitch, length, velocity = (torch.tensor([note[column] for _, note in kept], dtype=torch.float64) for column in range(4))
    part = torch.tensor([names.index(name) for name, _ in kept])
    notes = Notes(at, length, pitch.long(), velocity, part, names, f"band-{seed}-{index:03d}").checked()
    major = next(tonic for tonic in range(12) if {(tonic + step) % 12 for step in _SCALES[0]} == style.classes)
    return Played(waves, notes, 60 / style.beat, major, style.scale[2] == 3)


@dataclass(frozen=True)
class _Style:
    """What all parts of a song agree on."""

    beat: float
    swing: float
    root: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    bars: int

    @property
    def classes(self) -> set[int]:
        """Pitch classes of the key."""
        return {(self.root + step) % 12 for step in self.scale}

    def pitch(self, degree: int) -> int:
        """MIDI pitch of a scale degree above the root; degrees go on through the octaves."""
        octave, step = divmod(degree, 7)
        return self.root + 12 * octave + self.scale[step]

    def seconds(self, beats: float) -> float:
        """When a beat falls: every second sixteenth is late by the swing."""
        sixteenth = beats * 4
        late = self.swing * (1 - abs(sixteenth % 2 - 1))
        return (beats + late / 4) * self.beat


def _song(
    random: np.random.Generator, seconds: float, rate: int, score: list[tuple[str, _Note]]
) -> tuple[dict[str, torch.Tensor], _Style]:
    """The waves of a song, whose notes are added to ``score`` as they are played."""
    beat = 60 / random.uniform(72, 160)
    style = _Style(
        beat=beat,
        swing=random.choice([0.0, 0.0, 0.1, 0.25, 0.33]),
        root=int(random.integers(36, 48)),
        scale=_SCALES[random.integers(len(_SCALES))],
        chords=_PROGRESSIONS[random.integers(len(_PROGRESSIONS))],
        bars=int(np.ceil(seconds / beat / 4)) + 1,
    )
    parts = (("drums", _drums), ("bass", _bass), ("chords", _chords), ("lead", _lead))
    scores = {name: write(random, style) for name, write in parts}
    rests = _rests(random, style, list(scores))
    voices: dict[str, Voice | dict[str, np.ndarray]] = {
        "drums": kit(random, rate),
        "bass": _voice(random, rate, (0.45, 0.35, 0.2, 0.0)),
        "chords": _voice(random, rate, (0.35, 0.3, 0.3, 0.05)),
        "lead": _voice(random, rate, (0.35, 0.15, 0.25, 0.25)),
    }
    hall, waves = room(random, rate), {}
    for name, part in scores.items():
        wave = np.zeros(int(seconds * rate) + 4 * rate)
        for at, what, beats, velocity in part:
            if (name, int(at // 16)) in rests:
                continue
            score.append((name, (at, what, beats, velocity)))
            start = int((style.seconds(at) + random.normal(0, 0.004) + 0.01) * rate)
            note = _sound(voices[name], what, beats * style.beat, velocity)
            if 0 <= start < int(seconds * rate):
                wave[start : start + len(note)] += note[: len(wave) - start]
        wave = hall(wave)[: int(seconds * rate)]
        waves[name] = wave * 10 ** (random.uniform(-4, 4) / 20) / (np.sqrt(np.square(wave).mean()) + 1e-9)
    gain = 10 ** (-1 / 20) / np.abs(sum(waves.values())).max()
    gain = min(gain, 10 ** (-1 / 20) / max(np.abs(wave).max() for wave in waves.values()))
    sound = {name: torch.from_numpy((np.round(wave * gain * 32768) / 32768).astype(np.float32)) for name, wave in waves.items()}
    return sound, style


def _sound(voice: Voice | dict[str, np.ndarray], what: float | str, seconds: float, velocity: float) -> np.ndarray:
    if isinstance(voice, dict):
        return voice[str(what)] * velocity
    return voice(440 * 2 ** ((float(what) - 69) / 12), max(0.05, round(seconds, 2)), np.ceil(velocity * 4) / 4) * velocity


def _voice(random: np.random.Generator, rate: int, odds: tuple[float, float, float, float]) -> Voice:
    kind = random.choice(4, p=odds)
    if kind < 2:
        return string(random, rate, plucked=bool(kind == 1))
    return bell(random, rate) if kind == 2 else breath(random, rate)


def _rests(random: np.random.Generator, style: _Style, names: list[str]) -> set[tuple[str, int]]:
    """Which parts pause in which section of four bars; at least two always play, and none pauses throughout."""
    paused = set()
    for section in range(style.bars // 4 + 1):
        for name in random.permutation(names)[: random.choice(3, p=(0.6, 0.3, 0.1))]:
            paused.add((str(name), section))
    whole = max(1, (style.bars - 1) // 4)
    silent = {name for name in names if all((name, section) in paused for section in range(whole))}
    return paused - {(name, 0) for name in silent}


def _drums(random: np.random.Generator, style: _Style) -> Iterator[_Note]:
    kick = np.where(np.arange(16) % 4 == 0, random.choice([0.35, 0.95]), random.uniform(0.0, 0.25))
    kick[[0, 8]] = 1.0, random.choice([0.5, 1.0])
    pulse, cymbal = random.choice([1, 2, 2, 4]), random.choice(["hat", "hat", "ride"])
    backbeat = [4, 12] if random.random() < 0.8 else [8]
    pattern = random.random(16) < kick
    ghosts, opens = random.random(16) < 0.1, random.random(16) < 0.08
    for bar in range(style.bars):
        filling = bar % 4 == 3 and random.random() < 0.6
        for step in range(16):
            at, accent = bar * 4 + step / 4, 1.0 if step % 4 == 0 else 0.75
            if filling and step >= 12:
                yield at, str(random.choice(["tom", "snare"])), 0.25, random.uniform(0.5, 0.9)
                continue
            if pattern[step] != (random.random() < 0.04):
                yield at, "kick", 0.25, random.uniform(0.8, 1.0)
            if step in backbeat:
                yield at, "snare", 0.25, random.uniform(0.75, 0.95)
            elif ghosts[step]:
                yield at, "snare", 0.25, random.uniform(0.1, 0.25)
            if step % pulse == 0:
                yield at, "open" if opens[step] else str(cymbal), 0.25, accent * random.uniform(0.3, 0.5)


def _bass(random: np.random.Generator, style: _Style) -> Iterator[_Note]:
    hits = np.flatnonzero(random.random(16) < np.where(np.arange(16) % 2 == 0, random.uniform(0.3, 0.9), 0.12))
    hits = np.union1d(hits, [0])
    steps = np.where(random.random(len(hits)) < 0.6, 0, random.choice([0, 2, 4, 7, 6], len(hits)))
    steps[0], length, octave = 0, random.uniform(0.5, 0.98), random.choice([-7, 0, 0])
    for bar in range(style.bars):
        chord = style.chords[bar % 4]
        for hit, until, step in zip(hits, [*hits[1:], 16], steps, strict=True):
            beats = (until - hit) / 4 * length
            yield bar * 4 + hit / 4, style.pitch(chord + int(step) + octave), beats, random.uniform(0.7, 1.0)


def _chords(random: np.random.Generator, style: _Style) -> Iterator[_Note]:
    rhythm = ((0,), (0, 8), (4, 12), (0, 6, 12), (0, 3, 6, 10, 12), (2, 6, 10, 14), tuple(range(0, 16, 2)))[random.integers(7)]
    broken, seventh, octave = random.random() < 0.35, random.random() < 0.4, random.choice([7, 14, 14])
    length = random.uniform(0.4, 1.0)
    for bar in range(style.bars):
        degrees = [style.chords[bar % 4] + third for third in (0, 2, 4, *((6,) if seventh else ()))]
        tones = sorted(style.pitch(octave + degree % 7) for degree in degrees)
        for index, step in enumerate(tuple(range(0, 16, 2)) if broken else rhythm):
            until = 2 if broken else ((*rhythm[1:], 16)[index] - step)
            for pitch in [tones[index % len(tones)]] if broken else tones:
                yield bar * 4 + step / 4, pitch, until / 4 * (1.2 if broken else length), random.uniform(0.5, 0.9)


def _lead(random: np.random.Generator, style: _Style) -> Iterator[_Note]:
    motifs = [_motif(random) for _ in range(2)]
    octave, length, form = random.choice([14, 21, 21]), random.uniform(0.6, 1.05), (0, 0, 1, 0)
    for bar in range(style.bars):
        for step, until, degree in motifs[form[bar % 4]]:
            if bar and random.random() < 0.1:
                continue
            on_chord = style.chords[bar % 4] if step % 8 == 0 else 0
            wander = int(random.choice([0, 0, 0, -1, 1]))
            pitch = style.pitch(octave + (on_chord + 2 * (degree // 2) if on_chord else degree + wander))
            yield bar * 4 + step / 4, pitch, (until - step) / 4 * length, random.uniform(0.6, 1.0)


def _motif(random: np.random.Generator) -> list[tuple[int, int, int]]:
    """A bar of melody: (start, end) in sixteenths and a scale degree from a bounded random walk."""
    starts = np.union1d(np.flatnonzero(random.random(16) < np.where(np.arange(16) % 2 == 0, 0.5, 0.15)), random.choice([0, 2]))
    degrees = np.clip(np.cumsum(random.choice([-2, -1, -1, 0, 1, 1, 2, 3], len(starts))), -4, 9)
    return [(int(a), int(b), int(d)) for a, b, d in zip(starts, [*starts[1:], 16], degrees, strict=True)]
