"""Train oplas-mini, or measure it: ``python benchmarks/train_mini.py [--evaluate | --quick]``.

Self-supervised, from rendered and recorded sound alone; nothing here knows the mixing law. A window (a random mix, level,
equaliser and speed) is encoded with some patches hidden; a decoder, thrown away afterwards, must tell its log-mel image at four
resolutions from the 256-d code. Windows a few frames apart attract one another, and SIGReg (Balestriero & LeCun 2025, *LeJEPA*,
https://arxiv.org/abs/2511.08544) draws the codes towards an isotropic Gaussian, so that no dimension is lost.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path

import numpy as np
import torch
from _corpus import Piece, load, prepare, window
from torch import Tensor, nn

from oplas.encoders.mini import BANDS, FRAMES, HOP, PATCH, WEIGHTS, Mini, decibels
from oplas.functional.spread import sigreg

SPARE = 3  # frames beyond a window's end, so that a second view of it can start up to 94 ms later


def waves(corpus: dict[str, list[Piece]], count: int, rng: np.random.Generator) -> Tensor:
    """Training sound ``[count, 49500]``: a quarter played at 0.8 to 1.25 of its speed, a tenth with noise under it."""
    rows = np.empty((count, (FRAMES + SPARE) * HOP), np.float32)
    for row in rows:
        speed = 2 ** rng.uniform(-0.32, 0.32) if rng.random() < 0.25 else 1.0
        wave = window(corpus, int(len(row) * speed) + 2, rng)
        row[:] = wave[: len(row)] if speed == 1 else np.interp(np.arange(len(row)) * speed, np.arange(len(wave)), wave)
        if rng.random() < 0.1:
            row += rng.standard_normal(len(row), np.float32) * np.float32(10 ** (rng.uniform(-80, -30) / 20))
    return torch.from_numpy(rows)


def equalise(power: Tensor, generator: torch.Generator) -> Tensor:
    """Half the windows through a smooth random equaliser: four cosines over the bands, 3 dB each."""
    waves = torch.cos(torch.pi * torch.outer(torch.arange(4), torch.linspace(0, 1, BANDS)))
    gain = 3 * torch.randn(len(power), 4, generator=generator) * (torch.rand(len(power), 1, generator=generator) < 0.5)
    return power * 10 ** ((gain @ waves) / 10).unsqueeze(2)


def targets(power: Tensor) -> list[Tensor]:
    """What the code must tell, in units of 20 dB: 48 bands x 12, 96 bands x 3, 96 bands x 1, and 6 octaves x 48 stretches."""
    views = [power.unflatten(1, (-1, b)).mean(2).unflatten(2, (-1, t)).mean(3) for b, t in ((2, 8), (1, 32), (1, 96), (16, 2))]
    return [(decibels(view) / 20 + 2).flatten(1) for view in views]


def reconstruction(guess: Tensor, aims: list[Tensor]) -> Tensor:
    """Weighted mean square error; what lies 50 dB or more below a window's loudest place counts a sixth."""
    total = guess.new_zeros(())
    for part, aim, share in zip(guess.split([aim.shape[1] for aim in aims], 1), aims, (1.0, 6.0, 1.0, 0.7), strict=True):
        loud = 0.17 + 0.83 * (1 + (aim - aim.amax(1, keepdim=True)) / 2.5).clamp(0, 1)
        total = total + share * (loud * (part - aim).square()).mean()
    return total


def train(corpus: dict[str, list[Piece]], steps: int, seed: int, batch: int = 64, views: int = 8, peak: float = 2e-3) -> Mini:
    """AdamW, cosine schedule, and an average of the weights over the second half (EMA), which is what is kept."""
    torch.manual_seed(seed)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    model = Mini()
    decoder = nn.Sequential(nn.Linear(model.dim, 512), nn.GELU(), nn.Linear(512, 576 + 288 + 96 + 288))
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    parameters = [*model.parameters(), *decoder.parameters()]
    optimiser = torch.optim.AdamW(parameters, peak, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, steps, pct_start=0.05, cycle_momentum=False)
    pool, sums, start = torch.cat([listen(model, waves(corpus, 32, rng)) for _ in range(64)]), np.zeros(3), time.process_time()
    for step in range(steps):
        pool[torch.arange(step * batch // 2, (step + 1) * batch // 2) % len(pool)] = listen(model, waves(corpus, batch // 2, rng))
        chosen = equalise(pool[torch.randperm(len(pool), generator=generator)[:batch]], generator)
        lag = int(torch.randint(1, SPARE + 1, (), generator=generator))
        power = torch.cat([chosen[..., :FRAMES], chosen[:views, :, lag : lag + FRAMES]])
        hidden = torch.rand(len(power), 1, generator=generator) * 0.3 * (torch.rand(len(power), 1, generator=generator) < 0.3)
        y = model.code(power, torch.rand(len(power), (FRAMES // PATCH) ** 2, generator=generator) >= hidden)
        told = reconstruction(decoder(y), targets(power))
        apart = (y[:views] - y[batch:]).square().mean()
        shape = sigreg(y[:batch], 64, generator).mean()
        optimiser.zero_grad()
        (told + 0.02 * apart + 0.15 * shape).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        if step > steps // 2:
            average.update_parameters(model)
        sums += [told.item(), apart.item(), shape.item()]
        if step % 200 == 199:
            line = "  ".join(f"{name} {value / 200:.4f}" for name, value in zip(("told", "apart", "shape"), sums, strict=True))
            print(f"step {step + 1}  {line}  cpu {time.process_time() - start:.0f} s", flush=True)
            sums[:] = 0
    model.load_state_dict(average.module.state_dict())
    settle(model, pool[..., :FRAMES])
    return model


@torch.no_grad()
def settle(model: Mini, power: Tensor, floor: float = 0.01) -> None:
    """Turn the codes to their principal axes, largest first, each scaled to about unit variance: folded into the last layer."""
    y = torch.cat([model.code(part) for part in power.split(64)]).double()
    variance, axes = torch.linalg.eigh(torch.cov(y.T))
    turn = (axes / (variance + floor * variance.mean()).sqrt()).flip(1).T
    model.head.bias.copy_(turn @ (model.head.bias.double() - y.mean(0)))
    model.head.weight.copy_(turn @ model.head.weight.double())


@torch.no_grad()
def listen(model: Mini, wave: Tensor) -> Tensor:
    """Mel power of sound, kept in memory."""
    return model.power(wave)


def save(model: Mini, path: Path) -> str:
    """Write the weights as float16 safetensors, whole or not at all; their SHA-256."""
    from safetensors.torch import save as dump

    content = dump({name: tensor.half().contiguous() for name, tensor in sorted(model.state_dict().items())})
    beside = path.with_suffix(".part")
    beside.write_bytes(content)
    os.replace(beside, path)
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluate", action="store_true", help="only measure the shipped weights: benchmarks/mini.py")
    parser.add_argument("--quick", action="store_true", help="the same on less data, within a minute; nothing is written")
    parser.add_argument("--steps", type=int, default=5600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    if args.evaluate or args.quick:
        import mini

        mini.main(["--quick"] if args.quick else [])
    else:
        prepare()
        print("SHA256 =", save(train(load(test=False), args.steps, args.seed), args.out))
