"""A small synthesiser: voices made of random timbres, and a drum kit; numpy only, the same bits for the same generator."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

#: A note of so many Hz held for so many seconds, struck with a velocity in (0, 1]: ``[samples]``.
Voice = Callable[[float, float, float], np.ndarray]

_TABLE = 1024


def string(random: np.random.Generator, rate: int, *, plucked: bool) -> Voice:
    """Harmonics that fade each at its own pace, read from a wavetable that changes over the note.

    Plucked: the higher the harmonic the faster it fades, as a damped string (Karplus and Strong 1983 model the same
    loss by a filter in a loop). Otherwise sustained: a saw, square or organ-like spectrum behind a low-pass that closes.
    """
    order = np.arange(1, _TABLE // 2)
    slope, odd = random.uniform(0.7, 1.8), 0.0 if random.random() < 0.3 else 1.0
    amplitude = order**-slope * np.where(order % 2 == 0, odd, 1.0)
    if plucked:
        amplitude *= np.abs(np.sin(np.pi * order * random.uniform(0.08, 0.45)))  # where the string is plucked
    elif random.random() < 0.3:
        amplitude *= np.isin(order, random.choice(12, 5, replace=False) + 1) + (order == 1)  # drawbars
    phase = random.uniform(0, 2 * np.pi, len(order))
    cutoff, fading = random.uniform(500, 4000), random.uniform(0.3, 1.5)
    detune = 0.0 if plucked else random.choice([0.0, 0.003, 0.006])
    vibrato, speed = random.choice([0.0, 0.001, 0.003]), random.uniform(4, 7)
    attack, release = (0.003, 0.08) if plucked else (random.uniform(0.005, 0.06), random.uniform(0.05, 0.25))
    sustain = 0.0 if plucked else random.uniform(0.4, 0.95)
    decay = random.uniform(0.4, 1.6) if plucked else random.uniform(0.1, 0.6)

    @lru_cache(512)
    def note(hertz: float, seconds: float, velocity: float) -> np.ndarray:
        time = np.arange(int((seconds + release) * rate)) / rate
        moments = np.geomspace(0.01, max(time[-1], 0.02), 8)
        moments[0] = 0
        edge = cutoff * (0.5 + velocity)
        if plucked:
            shade = np.exp(-moments[:, None] / decay * (order * hertz / 400) ** 0.7) / (1 + (order * hertz / (2 * edge)) ** 2)
        else:
            shade = 1 / (1 + (order * hertz / (edge * (0.4 + np.exp(-moments[:, None] / fading)))) ** 4)
        shade = shade * amplitude * (order * hertz < 0.45 * rate)
        spectrum = np.zeros((len(moments), _TABLE // 2 + 1), complex)
        spectrum[:, 1:-1] = shade * np.exp(1j * phase)
        tables = np.fft.irfft(spectrum, _TABLE)
        place = np.interp(time, moments, np.arange(len(moments)))
        row = np.minimum(place.astype(np.int64), len(moments) - 2)
        blend = place - row
        turns = hertz * (time + vibrato / speed * (1 - np.cos(2 * np.pi * speed * time)))
        wave = np.zeros(len(time))
        for ratio in (1 - detune, 1 + detune) if detune else (1.0,):
            column = (turns * ratio % 1 * _TABLE).astype(np.int64) % _TABLE
            wave += (1 - blend) * tables[row, column] + blend * tables[row + 1, column]
        return _level(wave * envelope(time, seconds, attack, decay, sustain if not plucked else 1.0, release), velocity)

    return note


def bell(random: np.random.Generator, rate: int) -> Voice:
    """Frequency modulation with an index that falls over the note (Chowning 1973): electric pianos, brass, bells."""
    ratio, index = random.choice([0.5, 1.0, 1.0, 2.0, 3.0, 1.41, 3.5]), random.uniform(0.6, 4.0)
    fading, attack = random.uniform(0.08, 0.8), random.uniform(0.002, 0.04)
    decay, sustain, release = random.uniform(0.2, 1.2), random.uniform(0.0, 0.8), random.uniform(0.05, 0.3)

    @lru_cache(512)
    def note(hertz: float, seconds: float, velocity: float) -> np.ndarray:
        time = np.arange(int((seconds + release) * rate)) / rate
        deepest = max(0.0, (0.45 * rate / hertz - 1) / ratio - 1)  # sidebands stay below the Nyquist frequency
        depth = min(index * (0.4 + velocity), deepest) * (0.15 + 0.85 * np.exp(-time / fading))
        wave = np.sin(2 * np.pi * hertz * time + depth * np.sin(2 * np.pi * hertz * ratio * time))
        return _level(wave * envelope(time, seconds, attack, decay, sustain, release), velocity)

    return note


def breath(random: np.random.Generator, rate: int) -> Voice:
    """A few soft harmonics in noise that is filtered around them: a flute, a pipe."""
    air, width, speed = random.uniform(0.1, 0.6), random.uniform(0.03, 0.12), random.uniform(4, 6)
    harmonics = random.uniform(0, 1, 4) * np.array([1.0, 0.5, 0.3, 0.15]) + np.array([1.0, 0, 0, 0])
    attack, release, trembling = random.uniform(0.03, 0.12), random.uniform(0.06, 0.2), random.uniform(0.0, 0.25)
    hiss = random.standard_normal(8 * rate)

    @lru_cache(512)
    def note(hertz: float, seconds: float, velocity: float) -> np.ndarray:
        time = np.arange(int((seconds + release) * rate)) / rate
        size = 1 << len(time).bit_length()
        pitch = np.fft.rfftfreq(size, 1 / rate) / hertz
        band = np.exp(-(((pitch[None] - np.arange(1, 5)[:, None]) / width) ** 2))
        noise = np.fft.irfft(np.fft.rfft(np.resize(hiss, size)) * (harmonics @ band), size)[: len(time)]
        noise /= np.abs(noise).max() + 1e-9
        heard = [(k, a) for k, a in enumerate(harmonics, 1) if hertz * k < 0.45 * rate]
        tones = sum(a * np.sin(2 * np.pi * hertz * k * time) for k, a in heard)
        wave = (tones + 2 * air * noise) * (1 + trembling * np.sin(2 * np.pi * speed * time))
        return _level(wave * envelope(time, seconds, attack, 1.0, 0.8, release), velocity)

    return note


def envelope(time: np.ndarray, held: float, attack: float, decay: float, sustain: float, release: float) -> np.ndarray:
    """Rise, fall to ``sustain`` of the top, hold, release; times in seconds."""
    body = sustain + (1 - sustain) * np.exp(-time / decay)
    return np.minimum(1, time / attack) * body * np.square(np.clip(1 - (time - held) / release, 0, 1))


def kit(random: np.random.Generator, rate: int) -> dict[str, np.ndarray]:
    """One-shots of a drum kit: kick, snare, hat, open, tom, ride."""

    def noise(seconds: float, low: float, high: float) -> np.ndarray:
        count = int(seconds * rate)
        hertz = np.fft.rfftfreq(count, 1 / rate)
        gain = 1 / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 6)
        wave = np.fft.irfft(np.fft.rfft(random.standard_normal(count)) * gain, count)
        return wave / np.abs(wave).max()

    def fall(seconds: float, pace: float) -> np.ndarray:
        time = np.arange(int(seconds * rate)) / rate
        return np.exp(-time / pace) * np.minimum(1, (seconds - time) / 0.01)

    def drum(seconds: float, high: float, low: float, bending: float, pace: float) -> np.ndarray:
        time = np.arange(int(seconds * rate)) / rate
        turns = low * time + (high - low) * bending * (1 - np.exp(-time / bending))
        return np.sin(2 * np.pi * turns) * fall(seconds, pace)

    metal = [random.uniform(300, 900) for _ in range(6)]
    ring = sum(np.sign(np.sin(2 * np.pi * hertz * np.arange(int(0.6 * rate)) / rate)) for hertz in metal) / 6
    snap, tone = random.uniform(0.06, 0.2), random.uniform(0.2, 0.7)
    hat, top = random.uniform(0.02, 0.06), random.uniform(4000, 6500)
    return {
        "kick": drum(0.45, random.uniform(120, 300), random.uniform(40, 65), 0.03, random.uniform(0.08, 0.2))
        + 0.2 * np.pad(noise(0.02, 800, 5000), (0, int(0.45 * rate) - int(0.02 * rate))),
        "snare": noise(0.35, random.uniform(800, 2000), 7500) * fall(0.35, snap)
        + tone * drum(0.35, random.uniform(260, 330), random.uniform(160, 220), 0.02, 0.06),
        "hat": noise(0.15, top, 9000) * fall(0.15, hat),
        "open": noise(0.5, top, 9000) * fall(0.5, random.uniform(0.12, 0.25)),
        "tom": drum(0.4, random.uniform(180, 260), random.uniform(90, 130), 0.06, 0.15),
        "ride": (0.3 * noise(0.6, 3000, 9000) + 0.25 * ring) * fall(0.6, random.uniform(0.1, 0.3)),
    }


def room(random: np.random.Generator, rate: int) -> Callable[[np.ndarray], np.ndarray]:
    """A small room: an exponentially dying noise, wet by at most a fifth. Linear, so that a mix's room is its stems' rooms."""
    seconds = random.uniform(0.1, 0.6)
    count = int(seconds * rate)
    tail = random.standard_normal(count) * np.exp(-5 * np.arange(count) / count)
    tail *= random.uniform(0.0, 0.2) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    size = 1 << count.bit_length()
    spectrum = np.fft.rfft(tail, 2 * size)

    def within(wave: np.ndarray) -> np.ndarray:
        blocks = np.pad(wave, (0, -len(wave) % size)).reshape(-1, size)
        wet = np.fft.irfft(np.fft.rfft(blocks, 2 * size) * spectrum, 2 * size)
        wet[1:, :size] += wet[:-1, size:]
        return wet[:, :size].ravel()[: len(wave)]

    return within


def _level(wave: np.ndarray, velocity: float) -> np.ndarray:
    return wave * (velocity / (np.abs(wave).max() + 1e-9))
