"""Songs and encoded evidence for the mixing benchmark, kept in oplas's cache folder between runs."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import torch
from _harness import SHARED
from _songs import DUPLICATES, is_test
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Generator

from oplas._download import cache_folder
from oplas._errors import MissingDependency
from oplas._types import Trials
from oplas.actions import Action
from oplas.data import band
from oplas.data.audio import read
from oplas.data.render import render
from oplas.data.stems import Stems, stems
from oplas.encoders import Encoder

CACHE = cache_folder() / "benchmarks"
RATE = 16000


def songs(*, quick: bool = False) -> tuple[Stems, str]:
    """Multi-track songs and where they came from: the Freedoom files rendered, or else (and when quick) the built-in band."""
    archive = SHARED / "freedoom_midi.tar.gz"
    if quick:
        return band(seed=0, songs=20, seconds=15.0), "generated: the built-in band, 20 songs of 15 s"
    if not archive.is_file():
        return band(seed=0, songs=40, seconds=30.0), "generated: the built-in band, 40 songs of 30 s"
    midi, rendered = CACHE / "freedoom_midi", CACHE / "freedoom16k"
    if not midi.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(midi, filter="data")
    try:
        for _ in render(midi, rendered, rate=RATE, seconds=120.0):
            pass
    except MissingDependency:
        return band(seed=0, songs=40, seconds=30.0), "generated: the built-in band, 40 songs of 30 s (fluidsynth is not installed)"
    data = stems(rendered)
    usable = [name for name in data.names if name not in DUPLICATES]
    return data.select(usable), "shared: Freedoom MIDI rendered with FluidR3_GM, up to 120 s a song"


def divide(data: Stems) -> tuple[Stems, Stems, Stems]:
    """Songs to learn from, to stop on, and never to hear before certifying; the last is the same in every run."""
    test = [name for name in data.names if is_test(name)] or list(data.names[::5])
    rest = [name for name in data.names if name not in test]
    return data.select(rest[i] for i in range(len(rest)) if i % 9), data.select(rest[::9]), data.select(test)


def loops(seconds: float = 30.0, count: int = 48) -> Stems | None:
    """Mixes of recorded CC0 loops and samples that nothing here learned from: songs of four, each repeated to the end."""
    archive = SHARED / "audio" / "sonic_pi_samples_cc0.tar"
    if not archive.is_file():
        return None
    folder = CACHE / "samples"
    if not folder.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    waves = {file.stem: torch.from_numpy(read(file, RATE).copy()) for file in sorted(folder.rglob("*.flac")) if is_test(file.stem)}
    length = int(seconds * RATE)
    tiled = {name: wave.repeat(-(-length // len(wave)))[:length] for name, wave in waves.items() if len(wave) > RATE // 4}
    names, generator = sorted(tiled), Generator().manual_seed(0)
    made = {}
    for index in range(count):
        chosen = [names[i] for i in torch.randperm(len(names), generator=generator)[:4]]
        made[f"loops {index}"] = {name: tiled[name].roll(int(torch.randint(length, (1,), generator=generator))) for name in chosen}
    return Stems.from_arrays(made, RATE)


def evidence(encoder: Encoder, action: Action, data: Stems, count: int, seed: int, *, grid: bool = False) -> Trials:
    """Trials of ``action``, encoded once and kept."""
    key = f"{encoder.name}-{encoder.identity}-{data.fingerprint[:12]}-{type(action).__name__}-{count}-{seed}-{int(grid)}"
    file = CACHE / "evidence" / f"{key}.safetensors"
    names = ("before", "present", "after", "theta", "song", "label", "origin")
    if file.is_file():
        with safe_open(file, "pt") as held:
            said = json.loads(held.metadata()["said"])
            return Trials(*(held.get_tensor(name) for name in names), tuple(said["songs"]), tuple(said["labels"]))
    made = action.trials(encoder, data, count, Generator().manual_seed(seed), grid=grid)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(f"{file}.part")
    said = json.dumps({"songs": made.songs, "labels": made.labels})
    save_file({name: getattr(made, name).contiguous() for name in names}, beside, {"said": said})
    beside.replace(file)
    return made
