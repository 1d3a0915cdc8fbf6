"""What can be measured of a window of sound, and windows of real music of which it was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from _mixing import CACHE, RATE
from torch import Generator, Tensor

from oplas.data.audio import read
from oplas.data.stems import Stems
from oplas.encoders import Cached, Encoder

SAMPLES = 3 * RATE
UNITS = {"level": "dB", "brightness": "octaves", "noise": "dB", "onsets": "1/s", "bass": "dB", "drums": "", "guitar": ""}


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


def samples(*, seed: int = 0, each: int = 4) -> Measured:
    """The recorded CC0 samples, each a song of its own: ``each`` times at a place and a gain of its own, looped to 3 s."""
    generator, waves, song, kind = Generator().manual_seed(seed), [], [], []
    for index, file in enumerate(sorted((CACHE / "samples").rglob("*.flac"))):
        wave = torch.from_numpy(read(file, RATE).copy())
        if len(wave) < RATE // 20 or float(wave.square().mean()) < 1e-7:
            continue
        tiled = wave.repeat(-(-SAMPLES // len(wave)) + 1)
        for _ in range(each):
            at = int(torch.randint(len(tiled) - SAMPLES + 1, (), generator=generator))
            gain = 10 ** ((24 * float(torch.rand((), generator=generator)) - 18) / 20)
            waves.append(gain * tiled[at : at + SAMPLES])
            song.append(index)
            kind.append(float(file.stem.startswith(("bd", "sn", "drum", "hat", "ride", "perc", "tabla"))))
    x = torch.stack(waves)
    loud = x.square().mean(1) > 1e-7
    return Measured(x, torch.tensor(song), {**heard(x), "drums": torch.tensor(kind)}).pick(loud)


def codes(encoder: Encoder, found: Measured) -> Measured:
    """The same with codes in place of sound, kept between runs."""
    return replace(found, x=Cached(encoder, CACHE / "faders").encode(found.x))


def kept(name: str, make: Callable[[], Measured]) -> Measured:
    """What ``make`` makes, from the cache where it was made before by this very file."""
    from safetensors.torch import load_file, save_file

    stamp = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    file = CACHE / "faders" / f"{name}-{stamp}.safetensors"
    if not file.is_file():
        made = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part")
        save_file({"x": made.x, "song": made.song, **{f"value {key}": value for key, value in made.values.items()}}, beside)
        beside.replace(file)
    tensors = load_file(file)
    values = {key.removeprefix("value "): tensors[key] for key in tensors if key.startswith("value ")}
    return Measured(tensors["x"], tensors["song"], dict(sorted(values.items(), key=lambda each: list(UNITS).index(each[0]))))
