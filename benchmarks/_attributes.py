"""What can be measured of a window of sound, and windows of real music of which it was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from _mixing import CACHE, RATE
from torch import Generator, Tensor

from oplas.data.audio import read
from oplas.data.stems import Stems
from oplas.encoders import Cached, Encoder

SAMPLES = 3 * RATE
#: Raised when what is measured changes: older caches are then made anew.
VERSION = 1
UNITS = {"level": "dB", "brightness": "octaves", "noise": "dB", "onsets": "1/s", "bass": "dB", "drums": "", "guitar": ""}

NOTES = {"register": "semitones", "density": "1/beat", "compass": "semitones", "length": "octaves", "mode": ""}
DRUMS = ("bd", "sn", "drum", "hat", "ride", "perc", "tabla")


@dataclass(frozen=True)
class Measured:
    """Windows (or their codes) ``[n, ...]``, which song each is of, and what was measured of it, ``[n]`` a name."""

    x: Tensor
    song: Tensor
    values: dict[str, Tensor]

    def pick(self, rows: Tensor) -> Measured:
        return Measured(self.x[rows], self.song[rows], {name: value[rows] for name, value in self.values.items()})


def heard(x: Tensor) -> dict[str, Tensor]:
    """Level (dB), brightness (octaves: log2 of the spectrum's centre of gravity), noise (dB: flatness), onsets (1/s), bass (dB:
    share of the power below 200 Hz)."""
    if len(x) > 64:
        found = [heard(part) for part in x.split(64)]
        return {name: torch.cat([each[name] for each in found]) for name in found[0]}
    spectrum = torch.stft(x, 1024, 256, window=torch.hann_window(1024), return_complex=True).abs().square()
    power, hertz = spectrum.sum(2) + 1e-9, torch.arange(513) * RATE / 1024
    flat = 10 * (power[:, 4:].log10().mean(1) - power[:, 4:].mean(1).log10())
    flux = (10 * (spectrum + 1e-6).log10()).diff(dim=2).clamp_min(0).mean(1)
    peak = (flux[:, 1:-1] > flux[:, :-2]) & (flux[:, 1:-1] >= flux[:, 2:]) & (flux[:, 1:-1] > flux.mean(1, keepdim=True) + 1)
    return {
        "level": 10 * (x.square().mean(1) + 1e-10).log10(),
        "brightness": ((power @ hertz) / power.sum(1)).log2(),
        "noise": flat,
        "onsets": peak.sum(1) * RATE / x.shape[1],
        "bass": 10 * (power[:, hertz < 200].sum(1) / power.sum(1)).log10(),
    }


def mixes(data: Stems, *, hop: float = 6.0, draws: int = 2, seed: int = 0) -> Measured:
    """A window every ``hop`` seconds of every song, ``draws`` times: some of its parts, each at a gain of its own (-12 to 6 dB)."""
    generator, waves, song = Generator().manual_seed(seed), [], []
    present: dict[str, list[float]] = {"drums": [], "guitar": []}
    for slot in data.grid(RATE, SAMPLES, int(hop * RATE)) * draws:
        keep = torch.rand(len(slot.labels), generator=generator) < 0.6
        keep[int(torch.randint(len(keep), (), generator=generator))] = True
        labels = tuple(label for label, on in zip(slot.labels, keep.tolist(), strict=True) if on)
        parts = data.scene(replace(slot, labels=labels), RATE, SAMPLES).parts
        gain = 10 ** ((18 * torch.rand(len(parts), 1, generator=generator) - 12) / 20)
        waves.append((gain * parts).sum(0))
        song.append(slot.song)
        for name, column in present.items():
            column.append(float(name in labels))
    x = torch.stack(waves)
    loud = x.square().mean(1) > 1e-6
    values = {**heard(x), **{name: torch.tensor(column) for name, column in present.items()}}
    return Measured(x, torch.tensor(song), values).pick(loud)


def samples(*, seed: int = 0, each: int = 32) -> Measured:
    """Recorded CC0 samples and loops, in groups of four that are songs: some of the four together, each at a gain of its own."""
    generator, found = Generator().manual_seed(seed), []
    for file in sorted((CACHE / "samples").rglob("*.flac")):
        wave = torch.from_numpy(read(file, RATE).copy())
        if len(wave) >= RATE // 20 and float(wave.square().mean()) > 1e-7:
            found.append((file.stem.startswith(DRUMS), wave.repeat(-(-SAMPLES // len(wave)) + 1)))
    order = torch.randperm(len(found), generator=generator).tolist()
    waves, song, drums = [], [], []
    for index, at in enumerate(range(0, len(order) - 3, 4)):
        for _ in range(each):
            on = torch.rand(4, generator=generator) < 0.6
            on[int(torch.randint(4, (), generator=generator))] = True
            mix, chosen = torch.zeros(SAMPLES), [found[order[at + k]] for k in on.nonzero().flatten().tolist()]
            for _, wave in chosen:
                start = int(torch.randint(len(wave) - SAMPLES + 1, (), generator=generator))
                mix += 10 ** ((18 * float(torch.rand((), generator=generator)) - 15) / 20) * wave[start : start + SAMPLES]
            waves.append(mix)
            song.append(index)
            drums.append(float(any(kind for kind, _ in chosen)))
    x = torch.stack(waves)
    loud = x.square().mean(1) > 1e-7
    return Measured(x, torch.tensor(song), {**heard(x), "drums": torch.tensor(drums)}).pick(loud)


def rolls(seed: int = 0, each: int = 6, beats: int = 32) -> Measured:
    """Windows of POP909, its songs moved to the signature of C, as lists of notes.

    Codes ``[n, 256]``: square roots of how long and of how often each pitch sounds. Measured: register (semitones, mean pitch),
    density (notes a beat), compass (semitones, standard deviation of pitch), length (octaves: log2 of the mean note's beats) and
    mode (1 minor).
    """
    from _pop import load

    from oplas.data.rolls import same_song

    found = [song for song in load() if song.key is not None]
    groups = {row: number for number, same in enumerate(same_song([song.notes for song in found])) for row in same}
    generator, x, song, values = Generator().manual_seed(seed), [], [], []
    for index, each_song in enumerate(found):
        home = (each_song.key.signature + 6) % 12 - 6
        for _ in range(each):
            start = float(torch.rand((), generator=generator)) * max(each_song.notes.beats - beats, 0)
            inside = (each_song.notes.onset >= start) & (each_song.notes.onset < start + beats)
            pitch, length = (each_song.notes.pitch[inside] - home).clamp(0, 127), each_song.notes.length[inside]
            if len(pitch) < 16:
                continue
            long = torch.zeros(128, dtype=torch.float64).index_add_(0, pitch, length)
            x.append(torch.cat([long.sqrt(), torch.bincount(pitch, minlength=128).double().sqrt()]).float())
            song.append(groups[index])
            high = pitch.double()
            facts = (high.mean(), torch.tensor(len(pitch) / beats), high.std(), length.mean().log2())
            values.append([*map(float, facts), float(each_song.key.minor)])
    columns = torch.tensor(values).T.contiguous().clone()
    return Measured(torch.stack(x), torch.tensor(song), dict(zip(NOTES, columns, strict=True)))


def sounded(found: Measured, seed: int = 0) -> Iterator[tuple[str, str, Tensor, Tensor]]:
    """Effects on the sound: name, the attribute meant, the sound after it, and by how much each window was changed ``[n]``."""
    draw = 2 * torch.rand(len(found.x), generator=Generator().manual_seed(seed)) - 1
    yield "gain", "level", found.x * 10 ** (9 * draw[:, None] / 20), (9 * draw).double()
    tilt = 3 * draw  # dB an octave, about 1 kHz
    hertz = torch.fft.rfftfreq(SAMPLES, 1 / RATE).clamp_min(30)
    turned = torch.fft.rfft(found.x) * 10 ** (tilt[:, None] * (hertz / 1000).log2() / 20)
    yield "tilt filter", "brightness", torch.fft.irfft(turned, SAMPLES), tilt.double()


def codes(encoder: Encoder, found: Measured) -> Measured:
    """The same with codes in place of sound, kept between runs."""
    return replace(found, x=Cached(encoder, CACHE / "faders").encode(found.x))


def kept(name: str, make: Callable[..., Measured], *given: object) -> Measured:
    """What ``make(*given)`` makes, from the cache where it was made before."""
    from safetensors.torch import load_file, save_file

    file = CACHE / "faders" / f"{name}-{VERSION}.safetensors"
    if not file.is_file():
        made = make(*given)
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part")
        save_file({"x": made.x, "song": made.song, **{f"value {key}": value.clone() for key, value in made.values.items()}}, beside)
        beside.replace(file)
    tensors = load_file(file)
    values = {key.removeprefix("value "): tensors[key] for key in tensors if key.startswith("value ")}
    return Measured(tensors["x"], tensors["song"], dict(sorted(values.items(), key=lambda each: [*UNITS, *NOTES].index(each[0]))))
