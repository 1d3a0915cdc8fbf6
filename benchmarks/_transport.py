"""Operators carried between spaces of sound: transposition learned in one encoder's space, certified in another's."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from _harness import SHARED
from torch import Generator, Tensor

from oplas import Space, certify_bridge, translate
from oplas._download import cache_folder
from oplas._errors import MissingDependency
from oplas._types import Trials
from oplas.actions import Action
from oplas.data.audio import read
from oplas.data.base import Scene
from oplas.data.render import render
from oplas.encoders import Cached, Encoder, cqt, jamendo, log_mel, mini
from oplas.laws import Equivariance
from oplas.operators import Operator, Translation
from oplas.translators import Ridge

CACHE = cache_folder() / "benchmarks" / "transposed"
RATE, SECONDS, WINDOW = 16000, 24, 48000
SONGS = 48
STEPS = (-4, -2, 2, 4)
"""Semitones."""


class Rendered(Action):
    """The song played again, theta semitones higher: the notes are moved, then rendered; no sound is stretched."""

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        raise NotImplementedError("transposition is rendered from notes, not made from sound; pass the trials")


class Intervals(Operator):
    """One affine map for each interval there is, by ridge: all that a linear operator can know of transposition."""

    def __init__(self, steps: tuple[int, ...] = STEPS) -> None:
        super().__init__()
        self.maps = {step: Ridge() for step in steps}

    def fit(self, z: Tensor, theta: Tensor, after: Tensor) -> Intervals:
        for step, moved in self.maps.items():
            at = theta[:, 0] == step
            moved.fit(z[at, 0], after[at])
        return self

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        made = torch.empty_like(z[:, 0])
        for step, moved in self.maps.items():
            at = theta[:, 0] == step
            made[at] = moved.transform(z[at, 0]) if at.any() else made[at]
        return made


def transposed(songs: int) -> list[str]:
    """Names of POP909 songs, 24 s of each rendered as it is and at every interval; none where the files are not there."""
    archive = SHARED / "pop909.tar.gz"
    if not archive.is_file():
        return []
    import symusic

    with tarfile.open(archive) as tar:
        files = sorted(name for name in tar.getnames() if name.endswith(".mid") and "versions" not in name)
        files = files[3 :: len(files) // SONGS][:SONGS][:: SONGS // songs]
        done = CACHE / f"{songs}.complete"
        if not done.exists():
            for name in files:
                held = tar.extractfile(name)
                assert held is not None
                score = symusic.Score.from_midi(held.read()).to("second")
                for step in (0, *STEPS):
                    target = CACHE / "midi" / f"{Path(name).stem}{step:+d}.mid"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _cut(score, step).dump_midi(str(target))
            for _ in render(CACHE / "midi", CACHE / "songs", rate=RATE, seconds=float(SECONDS)):
                pass
            done.touch()
    return [Path(name).stem for name in files]


def _cut(score: Any, step: int, start: float = 20.0) -> Any:
    """24 seconds of the notes from ``start``, moved by ``step`` semitones, at 120 beats a minute."""
    import symusic

    made = symusic.Score(480)
    for track in score.tracks:
        kept = symusic.Track(track.name, track.program, track.is_drum)
        for note in track.notes:
            if start <= note.start < start + SECONDS:
                kept.notes.append(
                    symusic.Note(
                        round((note.start - start) * 960), max(1, round(note.duration * 960)), note.pitch + step, note.velocity
                    )
                )
        made.tracks.append(kept)
    return made


def evidence(encoder: Encoder, names: list[str]) -> Trials:
    """Each window as it is, and the same window of the song played ``theta`` semitones higher."""
    folder = CACHE / "songs"
    before, after, theta, song = [], [], [], []
    for index, name in enumerate(names):
        waves = {step: _mix(folder / f"{name}{step:+d}") for step in (0, *STEPS)}
        for at in range(0, min(map(len, waves.values())) - WINDOW + 1, WINDOW):
            cut = {step: wave[at : at + WINDOW] for step, wave in waves.items()}
            if min(float(wave.abs().max()) for wave in cut.values()) < 1e-3:
                continue
            for step in STEPS:
                before.append(cut[0])
                after.append(cut[step])
                theta.append(float(step))
                song.append(index)
    fits = _fitting(encoder)
    codes = [encoder.encode(fits(torch.stack(waves))) for waves in (before, after)]
    n, origin = len(song), encoder.encode(encoder.silence())
    return Trials(
        codes[0][:, None], torch.ones(n, 1, dtype=torch.bool), codes[1], torch.tensor(theta)[:, None], torch.tensor(song),
        torch.zeros(n, 1, dtype=torch.long), origin, tuple(names), ("song",),
    )  # fmt: skip


def _mix(folder: Path) -> Tensor:
    waves = [torch.from_numpy(read(path, RATE).copy()) for path in sorted(folder.glob("*.flac"))]
    length = max(map(len, waves))
    return torch.stack([torch.nn.functional.pad(wave, (0, length - len(wave))) for wave in waves]).sum(0)


def _fitting(encoder: Encoder) -> Any:
    def fit(x: Tensor) -> Tensor:
        return torch.nn.functional.pad(x, (0, max(0, encoder.samples - x.shape[1])))[:, : encoder.samples]

    return fit


def space(encoder: Encoder, trials: Trials, operator: Operator) -> Space:
    """The encoder's own space, each dimension in units of its deviation, with the operator fitted in it."""
    made = Space(encoder)
    made.projector.prepare(trials.codes)
    seen = made.see(trials)
    made.laws.append(Equivariance(Rendered(), operator.fit(seen.before, trials.theta, seen.after)))  # type: ignore[operator]
    return made


def rows(quick: bool, seeds: range) -> Iterator[dict[str, Any]]:
    """One row for each pair of spaces and operator: the carried operator beside the native one and the controls, mean of seeds.

    Operators and bridge know the training half of the songs; every figure is of the other half.
    """
    try:
        names = transposed(12 if quick else SONGS)
    except MissingDependency:
        return
    if not names:
        return
    encoders: dict[str, Encoder] = {"cqt": cqt(in_decibels=True), "log_mel": log_mel(), "mini": mini()}
    weights = SHARED / "encoders" / "jamendo_musicnn.pth"
    if weights.is_file() and not quick:
        encoders["musicnn"] = jamendo("musicnn", weights)
    seen = {name: evidence(Cached(encoder, CACHE / "codes"), names) for name, encoder in encoders.items()}
    for source in encoders:
        for target in encoders:
            if source == target:
                continue
            for kind in (Translation, Intervals):
                found = [_one(encoders, seen, source, target, kind, seed) for seed in seeds]
                verdicts = [each.pop("verdict") for each in found]
                mean = {key: sum(each[key] for each in found) / len(found) for key in found[0]}
                name = "translation" if kind is Translation else "affine map per interval"
                yield {
                    "source": source,
                    "target": target,
                    "operator": name,
                    **mean,
                    "verdict": max(set(verdicts), key=verdicts.count),
                }


def _one(encoders: dict[str, Encoder], seen: dict[str, Trials], source: str, target: str, kind: Any, seed: int) -> dict[str, Any]:
    songs = len(seen[source].songs)
    learned = torch.randperm(songs, generator=Generator().manual_seed(seed))[: songs // 2]
    train = {name: trials.pick(torch.isin(trials.song, learned)) for name, trials in seen.items()}
    test = {name: trials.pick(~torch.isin(trials.song, learned)) for name, trials in seen.items()}
    a, b = (
        space(encoders[name], train[name], kind(encoders[name].dim) if kind is Translation else kind()) for name in (source, target)
    )
    once = [_distinct(train[name]) for name in (source, target)]
    bridge = translate(a, b, (once[0], once[1]), by="ridge")
    found = certify_bridge(bridge, (test[source], test[target]), seed=seed)
    ways = {r.way: r for r in found.rows}
    return {
        "bridge_r2": found.translated[0],
        "r2_native": ways["native"].r2,
        "r2_carried": ways["carried"].r2,
        "r2_carried_low": ways["carried"].r2_low,
        "kept": found.kept,
        "defect_native": ways["native"].defect,
        "defect_carried": ways["carried"].defect,
        "r2_nothing_done": ways["nothing done"].r2,
        "r2_shuffled_bridge": ways["shuffled bridge"].r2,
        "r2_random_bridge": ways["random bridge"].r2,
        "top1_carried": ways["carried"].top1,
        "top1_native": ways["native"].top1,
        "top1_nothing_done": ways["nothing done"].top1,
        "gap": found.gap,
        "verdict": found.verdict,
    }


def _distinct(trials: Trials) -> Tensor:
    """Codes of every window once: the trials of all intervals begin with the same one."""
    return torch.cat([trials.before[trials.theta[:, 0] == STEPS[0], 0], trials.after])
