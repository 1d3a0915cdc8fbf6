"""What the search benchmark asks: questions with known answers, queries that leave the data, and what others would find."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from _mixing import CACHE
from _songs import is_test
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor

from oplas import Space, learn
from oplas.actions import Mix
from oplas.algebra import Calibration
from oplas.algebra.questions import Asked, Questions, questions
from oplas.data.stems import Stems
from oplas.encoders import Encoder
from oplas.mixing import mixing_law, mixing_space

FOLDS = 5
#: Queries that leave the data: mix less one part, with something wrong.
OUTSIDE = (
    "loud stranger",
    "quiet stranger",
    "noise for the mix",
    "noise taken away",
    "speech-like",
    "level +40 dB",
    "level -40 dB",
)


def parted(data: Stems, learning: int, stopping: int) -> tuple[Stems, Stems, Stems]:
    """Songs to learn from, to stop on, and all others, among them every song that no benchmark learns from."""
    rest = sorted((name for name in data.names if not is_test(name)), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    held = [name for name in data.names if name not in rest[: learning + stopping]]
    return data.select(rest[:learning]), data.select(rest[learning : learning + stopping]), data.select(held)


def learned(encoder: Encoder, train: Stems, stop: Stems, seed: int, steps: int, count: int) -> Space:
    """A mixing space, kept in the cache folder."""
    width = encoder.dim // 3
    folder = CACHE / "search" / f"{encoder.name}-{encoder.identity}-{train.fingerprint[:12]}-{steps}-{count}-{seed}.space"
    if (folder / "card.json").is_file():
        return Space.load(folder, encoder, mixing_space(encoder, width).laws)  # type: ignore[arg-type]
    space = mixing_space(encoder, width, seed=seed)
    drawn, held = (
        Mix(2, 4).trials(encoder, data, n, Generator().manual_seed(which))
        for data, n, which in ((train, count, 1), (stop, max(count // 16, 64), 2))
    )
    learn(space, drawn, held, seed=seed, steps=steps, progress=False)
    space.save(folder)
    return space


def asked_of(encoder: Encoder, data: Stems, per_song: int) -> tuple[Questions, Questions]:
    """Questions with known answers, and queries that leave the data; their codes are kept in the cache folder."""
    made = []
    for what in ("inside", "outside"):
        file = CACHE / "search" / f"{encoder.name}-{encoder.identity}-{data.fingerprint[:12]}-{per_song}-{what}.safetensors"
        if not file.is_file():
            generator = Generator().manual_seed(0 if what == "inside" else 1)
            ask = (
                questions(encoder, mixing_law(), data, per_song, generator)
                if what == "inside"
                else outside(encoder, data, generator)
            )
            _keep(ask, file)
        made.append(_kept(file))
    return made[0], made[1]


def outside(encoder: Encoder, data: Stems, generator: Generator, per_song: int = 4) -> Questions:
    """Mix less one part, with something wrong: a stem of another song, noise, something like speech, another level."""
    rows: list[tuple[str, tuple[tuple[float, int], ...], int, int]] = []
    codes: list[Tensor] = []
    at = 0
    slots = [slot for slot in data.grid(encoder.rate, encoder.samples, encoder.hop) if len(slot.labels) >= 2]
    by_song: dict[int, list] = {}
    for index in torch.randperm(len(slots), generator=generator).tolist():
        by_song.setdefault(slots[index].song, []).append(slots[index])
    for song, mine in by_song.items():
        waves: list[Tensor] = []
        for slot in mine[:per_song]:
            parts, mix, _, _ = mixing_law().action.perform(data.scene(slot, encoder.rate, encoder.samples), generator)  # type: ignore[union-attr]
            other = song
            while other == song:
                scene = data.draw(encoder.rate, encoder.samples, 1, generator)
                other = scene.song
            loud, quiet = (_levelled(scene.parts[0], mix, *db, generator) for db in ((-6.0, 6.0), (-30.0, -12.0)))
            noise = _levelled(_noise(encoder.samples, generator), mix, -6.0, 6.0, generator)
            speech = _levelled(_speech(encoder, generator), mix, -6.0, 6.0, generator)
            up, down = 100.0, 0.01
            terms = ((mix, loud), (mix, quiet), (noise, parts[0]), (mix, noise), (speech, parts[0]),
                     (up * mix, up * parts[0]), (down * mix, down * parts[0]))  # fmt: skip
            for kind, (whole, part) in zip(OUTSIDE, terms, strict=True):
                rows.append((kind, ((1.0, at + len(waves)), (-1.0, at + len(waves) + 1)), at + len(waves), song))
                waves += [whole, part]
        codes.append(encoder.encode(torch.stack(waves)))
        at += len(waves)
    return Questions(mixing_law(), torch.cat(codes), tuple(rows))


@dataclass(frozen=True)
class Judged:
    """One space's answers: every held-out latent may be found but the query's own terms.

    Shape:
        - rank, size, covered, refused: ``[n]``, for ``asked``; absent: refused, once the true answer is taken out
    """

    asked: Asked
    rank: Tensor
    size: Tensor
    covered: Tensor
    refused: Tensor
    absent: Tensor
    outside: dict[str, Tensor]


@torch.no_grad()
def judge(space: Space, inside: Questions, beyond: Questions, level: float, seed: int) -> Judged:
    """Calibrate on all songs but a fold's, judge on the fold's."""
    asked, strange, z = inside.through(space), beyond.through(space), space.project(inside.codes)
    songs = asked.song.unique()
    fold = torch.full((int(songs.max()) + 1,), -1)
    fold[songs[torch.randperm(len(songs), generator=Generator().manual_seed(seed))]] = torch.arange(len(songs)) % FOLDS
    far = (asked.query - asked.truth).norm(dim=1) / asked.scale
    models = [_calibration(asked, far, fold[asked.song] != number) for number in range(FOLDS)]
    n = len(far)
    rank, size, covered, refused, absent = torch.zeros(5, n)
    for row, (kind, terms, truth, song) in enumerate(inside.rows):
        distance = (z - asked.query[row]).norm(dim=1) / asked.scale[row]
        distance[[i for _, i in terms]] = math.inf
        model = models[int(fold[song])]
        rank[row] = (distance < distance[truth]).sum()
        bound = model.bound(kind, level)
        size[row], covered[row] = (distance <= bound).sum(), float(distance[truth]) <= bound
        refused[row] = model.p(kind, float(distance.min())) <= 0.05
        distance[truth] = math.inf
        absent[row] = model.p(kind, float(distance.min())) <= 0.05
    values, axes = torch.linalg.eigh(torch.cov(z.T).double())
    spread = (axes * values.clamp_min(0).sqrt()).float()
    drawn = torch.randn(200, 2, z.shape[1], generator=Generator().manual_seed(seed)) @ spread.T
    queries = torch.cat([strange.query, drawn[:, 0] - drawn[:, 1]])
    scales = torch.cat([strange.scale, drawn.square().sum((1, 2)).sqrt()])
    kinds, whose = [*strange.kinds, *["random vectors"] * 200], torch.cat([strange.song, songs[torch.arange(200) % len(songs)]])
    said: dict[str, list[float]] = {}
    for query, scale, kind, song in zip(queries, scales, kinds, whose.tolist(), strict=True):
        best = float(((z - query).norm(dim=1) / scale).min())
        said.setdefault(kind, []).append(float(models[int(fold[song])].p("difference", best) <= 0.05))
    return Judged(asked, rank, size, covered, refused, absent, {kind: torch.tensor(each) for kind, each in said.items()})


@torch.no_grad()
def missing(space: Space, inside: Questions) -> tuple[dict[str, Tensor], Tensor]:
    """Ranks of the missing stem among every stem, and the songs: by algebra, and by what needs no certificate.

    Averaging is Qdrant's default for positive and negative examples: on codes of unit length the query is the positives' mean,
    plus that mean, less the negatives' (their page on recommendation, strategy average_vector).
    """
    rows = [row for row in inside.rows if row[0] == "sum"]
    stems = torch.tensor(sorted({i for _, terms, _, _ in rows for _, i in terms}))
    place = {int(i): n for n, i in enumerate(stems)}
    codes = inside.codes
    unit = torch.nn.functional.normalize(codes, dim=1)
    galleries = {"algebra": space.project(codes), "encoder's own algebra": codes, "averaging": unit, "plain": unit}
    found: dict[str, list[int]] = {name: [] for name in galleries}
    for _, terms, mix, _ in rows:
        *others, sought = [i for _, i in terms]
        for name, z in galleries.items():
            less = z[others]
            query = {"plain": z[mix], "averaging": 2 * z[mix] - less.mean(0)}.get(name, z[mix] - less.sum(0))
            query = torch.nn.functional.normalize(query, dim=0) if name in ("plain", "averaging") else query
            distance = (z[stems] - query).norm(dim=1)
            distance[[place[i] for i in others]] = math.inf
            own = distance[place[sought]]
            found[name].append(int((~(distance > own)).sum()) - 1)
    return {name: torch.tensor(ranks) for name, ranks in found.items()}, torch.tensor([song for *_, song in rows])


def _calibration(asked: Asked, far: Tensor, rows: Tensor) -> Calibration:
    scores: dict[str, dict[str, list[float]]] = {}
    for kind, song, score, kept in zip(asked.kinds, asked.song.tolist(), far.tolist(), rows.tolist(), strict=True):
        if kept and math.isfinite(score):
            scores.setdefault(kind, {}).setdefault(str(song), []).append(score)
    return Calibration("", scores, 0, "")


def _levelled(wave: Tensor, like: Tensor, low: float, high: float, generator: Generator) -> Tensor:
    """The wave at so many dB, drawn between two, beside the RMS of another."""
    db = low + (high - low) * float(torch.rand((), generator=generator))
    return wave * (like.square().mean() / wave.square().mean().clamp_min(1e-12)).sqrt() * 10 ** (db / 20)


def _noise(samples: int, generator: Generator) -> Tensor:
    """White, pink or brown."""
    power = int(torch.randint(3, (), generator=generator))
    spectrum = torch.fft.rfft(torch.randn(samples, generator=generator))
    return torch.fft.irfft(spectrum * torch.arange(len(spectrum)).clamp_min(1) ** (-power / 2), n=samples)


def _speech(encoder: Encoder, generator: Generator) -> Tensor:
    """A buzz of moving pitch through two formants, four syllables a second: no speech, but nearer to it than to an instrument."""
    time = torch.arange(encoder.samples) / encoder.rate
    draw = torch.rand(3, generator=generator)
    pitch = 90 + 120 * draw[0] + 20 * torch.sin(4 * math.pi * time)
    buzz = torch.sign(torch.sin(2 * math.pi * torch.cumsum(pitch, 0) / encoder.rate))
    buzz = buzz + 0.1 * torch.randn(encoder.samples, generator=generator)
    spectrum = torch.fft.rfft(buzz)
    hertz = torch.linspace(0, encoder.rate / 2, len(spectrum))
    formants = ((300 + 500 * draw[1], 80), (900 + 1500 * draw[2], 120), (2600, 200))
    shaped = spectrum * sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in formants)
    return torch.fft.irfft(shaped, n=encoder.samples) * torch.sin(8 * math.pi * time).clamp_min(0)


def _keep(ask: Questions, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    save_file({"codes": ask.codes.contiguous()}, beside, {"rows": json.dumps(ask.rows)})
    beside.replace(file)


def _kept(file: Path) -> Questions:
    from safetensors import safe_open

    with safe_open(file, "pt") as held:
        rows = json.loads(held.metadata()["rows"])
    made = tuple((kind, tuple((sign, i) for sign, i in terms), truth, song) for kind, terms, truth, song in rows)
    return Questions(mixing_law(), load_file(file)["codes"], made)
