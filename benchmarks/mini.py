"""What oplas-mini's codes tell of held-out songs, beside a log-mel baseline and an untrained twin; its speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from _corpus import Piece, load, prepare, window
from _harness import Benchmark
from torch import Tensor, nn

from oplas.encoders.base import Encoder, freeze
from oplas.encoders.mini import SHA256, Mini, decibels, mini
from oplas.functional.spread import effective_rank


@dataclass(frozen=True)
class Heard:
    """Windows of one side of the split: codes by encoder, level (dB) in 96 bands x 3 seconds, the family of a lone part."""

    codes: dict[str, Tensor]
    level: Tensor
    families: list[str]


def main(arguments: list[str] | None = None) -> None:
    """Every figure of docs/mini.md."""
    bench = Benchmark("mini", "What do oplas-mini's codes tell of songs it has never heard, and how fast?", arguments)
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {"mini": mini(), "untrained": freeze(Mini())}
    most, count = bench.pick(8, None), bench.pick(800, 6000)
    prepare()
    corpus = {test: load(test, most) for test in (False, True)}
    mixes = [_hear(corpus[test], count // (1 + test), 10 + test, encoders, 0.35) for test in (False, True)]
    parts = [_hear({"freedoom": corpus[test]["freedoom"]}, count // (1 + test), 20 + test, encoders, 1.0) for test in (False, True)]
    kinds = sorted(set(parts[0].families))
    labels = [torch.tensor([kinds.index(kind) if kind in kinds else -1 for kind in side.families]) for side in parts]
    for name in ("log mel", *encoders):
        known, asked = (_view(side, name) for side in mixes)
        row = {"encoder": name, "dim": known.shape[1], "effective_rank": effective_rank(asked)}
        row["family_accuracy"] = _family(*(_view(side, name) for side in parts), *labels)
        for probe, fit in (("linear", _ridge), ("mlp", partial(_mlp, steps=bench.pick(200, 1200)))) if name != "log mel" else ():
            told = fit(known, mixes[0].level)(asked)
            row |= {f"{probe}_{key}": value for key, value in _agreement(told, mixes[1].level).items()}
        bench.row(**row)
    bench.note("log mel: 96 bands x 3 seconds in dB, which is also what the probes must tell from a code (linear_*, mlp_*).")
    bench.note("r2: mean over the 288 levels on unseen songs; rms in dB, loud: within 30 dB of the window's loudest level.")
    bench.note("family_accuracy: softmax regression of the instrument family of single parts of unseen songs.")
    bench.finish(
        "shared: Freedoom and re-orchestrated POP909 rendered with FluidR3, sonic-pi samples; a fifth of each unseen",
        sha256=SHA256,
        parameters=sum(parameter.numel() for parameter in encoders["mini"].parameters()),
        train_pieces=sum(map(len, corpus[False].values())),
        test_pieces=sum(map(len, corpus[True].values())),
        test_windows=len(mixes[1].level),
        family_majority=max(sum(kind == other for kind in parts[1].families) for other in kinds) / len(parts[1].families),
        nonadditivity=_nonadditivity(encoders["mini"]),
        windows_per_second_one_thread=_speed(encoders["mini"]),
    )


def _hear(corpus: dict[str, list[Piece]], count: int, seed: int, encoders: dict[str, Encoder], alone: float) -> Heard:
    rng = np.random.default_rng(seed)
    waves: list[Tensor] = []
    families: list[str] = []
    while len(waves) < count:
        if alone == 1.0:
            piece = corpus["freedoom"][rng.integers(len(corpus["freedoom"]))]
            index = int(rng.integers(len(piece.labels)))
            start = int(rng.integers(0, max(1, piece.parts.shape[1] - Mini.samples)))
            wave = piece.parts[index, start : start + Mini.samples].astype(np.float32) / 32768
            wave = np.pad(wave, (0, Mini.samples - len(wave))) * np.float32(10 ** (rng.uniform(-12, 0) / 20))
            families.append(piece.labels[index])
        else:
            wave = window(corpus, Mini.samples, rng, alone)
        if np.abs(wave).max() > 1e-3:
            waves.append(torch.from_numpy(wave))
        elif families:
            families.pop()
    x = torch.stack(waves)
    with torch.no_grad():
        power = torch.cat([encoders["mini"].mel(part) for part in x.split(32)])  # type: ignore[operator]
        level = decibels(power.unflatten(2, (3, -1)).mean(3)).flatten(1)
    return Heard({name: encoder.encode(x, 32) for name, encoder in encoders.items()}, level, families)


def _view(heard: Heard, name: str) -> Tensor:
    return heard.level if name == "log mel" else heard.codes[name]


def _ridge(x: Tensor, y: Tensor, strength: float = 1e-3) -> Callable[[Tensor], Tensor]:
    mean, scale, centre = x.mean(0), x.std(0) + 1e-6, y.mean(0)
    a = ((x - mean) / scale).double()
    gram = a.T @ a + strength * len(a) * torch.eye(a.shape[1], dtype=torch.float64)
    solved = torch.linalg.solve(gram, a.T @ (y - centre).double()).float()
    return lambda new: (new - mean) / scale @ solved + centre


def _mlp(x: Tensor, y: Tensor, steps: int, batch: int = 256) -> Callable[[Tensor], Tensor]:
    """What a two-layer probe adds to the linear one."""
    torch.manual_seed(0)
    line, mean, scale = _ridge(x, y), x.mean(0), x.std(0) + 1e-6
    rest = y - line(x)
    size = rest.std()
    net = nn.Sequential(nn.Linear(x.shape[1], 512), nn.GELU(), nn.Linear(512, y.shape[1]))
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        chosen = torch.randint(len(x), (batch,))
        loss = (net((x[chosen] - mean) / scale) - rest[chosen] / size).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return lambda new: line(new) + size * net((new - mean) / scale).detach()


def _agreement(told: Tensor, level: Tensor) -> dict[str, float]:
    """R2 of each band and second, averaged; root mean square error in dB, everywhere and within 30 dB of the loudest."""
    error = (told - level).square()
    loud = level > level.amax(1, keepdim=True) - 30
    return {
        "r2": float((1 - error.sum(0) / (level - level.mean(0)).square().sum(0)).mean()),
        "rms_db": float(error.mean().sqrt()),
        "rms_loud_db": float(error[loud].mean().sqrt()),
    }


def _family(known: Tensor, asked: Tensor, labels: Tensor, answers: Tensor) -> float:
    """Accuracy of a linear probe (softmax regression, L2 1e-3) of the instrument family of single parts of unseen songs."""
    mean, scale = known.mean(0), known.std(0) + 1e-6
    x, new = (known - mean) / scale, (asked - mean) / scale
    line = nn.Linear(x.shape[1], int(labels.max()) + 1)
    optimiser = torch.optim.LBFGS(line.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(line(x), labels) + 1e-3 * line.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return float((line(new).argmax(1) == answers).float().mean())


@torch.no_grad()
def _nonadditivity(encoder: Encoder) -> float:
    """Size of f(a + b) - f(a) - f(b) + f(silence) beside f(a + b) - f(silence), for noises a, b: 0 for an affine encoder."""
    generator = torch.Generator().manual_seed(0)
    a, b = 0.1 * torch.randn(2, 16, encoder.samples, generator=generator)
    origin = encoder(encoder.silence())
    gap = encoder(a + b) - encoder(a) - encoder(b) + origin
    return float(gap.norm() / (encoder(a + b) - origin).norm())


def _speed(encoder: Encoder, count: int = 128) -> float:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = 0.1 * torch.randn(count, encoder.samples)
    encoder.encode(x[:32], 32)
    start = time.process_time()
    encoder.encode(x, 32)
    speed = count / (time.process_time() - start)
    torch.set_num_threads(threads)
    return speed


if __name__ == "__main__":
    main()
