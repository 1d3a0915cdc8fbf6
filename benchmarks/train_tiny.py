"""Train oplas-tiny, or measure it: ``python benchmarks/train_tiny.py [--evaluate | --quick]``.

The straight ways begin as the principal components of the training songs' lapped transform, the best that any matrix of one frame
can do; the convolutions begin at zero and learn what remains. Losses: the waveform's error in dB, and the spectra of three frame
lengths, in proportion and in dB (R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", 2020, https://arxiv.org/abs/1910.11480).

Data: Freedoom's songs (BSD-3-Clause) played with FluidR3 (MIT), and CC0 samples; the held-out fifth of both is never trained on.
All three licences let the weights be given away.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch
from _mixing import CACHE
from _songs import is_test
from torch import Tensor

from oplas.codecs.tiny import WEIGHTS, Tiny, tiny
from oplas.functional.schedule import pace
from oplas.functional.separation import si_sdr
from oplas.functional.spectra import stft

LENGTH = 96 * Tiny.hop  # 1.28 s


def songs(test: bool, seconds: float, rate: int = Tiny.rate) -> list[np.ndarray]:
    """Stems of each song on one side of the split, ``[k, samples]`` int16, from its middle."""
    import soundfile

    found = []
    for folder in sorted((CACHE / "pairs_songs").iterdir()):
        if is_test(folder.name) == test and (files := sorted(folder.glob("*.flac"))):
            start = max(0, (soundfile.info(files[0]).frames - int(seconds * rate)) // 2)
            waves = [soundfile.read(file, int(seconds * rate), start, dtype="int16")[0] for file in files]
            found.append(np.stack([wave[: min(map(len, waves))] for wave in waves]))
    return found


def samples(rate: int = Tiny.rate) -> list[np.ndarray]:
    """The training side's CC0 samples, ``[1, samples]`` int16."""
    import soundfile
    import soxr

    found = []
    for file in sorted((CACHE / "samples").rglob("*.flac")):
        if not is_test(file.stem):
            wave, own = soundfile.read(file, dtype="float32", always_2d=True)
            mono = soxr.resample(wave.mean(1), own, rate)[: 8 * rate]
            found.append((np.pad(mono, (0, max(0, LENGTH - len(mono)))).clip(-1, 1) * 32767).astype(np.int16)[None])
    return found


def windows(pieces: list[np.ndarray], loose: list[np.ndarray], count: int, rng: np.random.Generator) -> Tensor:
    """Sound at a level of one, ``[count, 30720]``: a part, or some parts of a song together; a fifth are samples."""
    rows: list[np.ndarray] = []
    while len(rows) < count:
        pool = loose if loose and rng.random() < 0.2 else pieces
        piece = pool[rng.integers(len(pool))]
        start = rng.integers(piece.shape[1] - LENGTH + 1)
        chosen = rng.permutation(len(piece))[: 1 if rng.random() < 0.5 else rng.integers(1, len(piece) + 1)]
        gains = 10 ** (rng.uniform(-12, 6, len(chosen)) / 20)
        row = (gains[:, None] * piece[chosen, start : start + LENGTH]).sum(0) / 32768
        if (level := np.sqrt(np.square(row).mean())) > 1e-3:
            rows.append((row / level).astype(np.float32))
    return torch.from_numpy(np.stack(rows))


def begin(model: Tiny, x: Tensor) -> None:
    """Straight ways by principal components, each scaled so that its codes have variance one over the windows."""
    u = model.transform(x).transpose(0, 1).flatten(1).double()
    variance, axes = torch.linalg.eigh(u @ u.T / u.shape[1])
    kept, scale = axes[:, -model.channels :].flip(1), variance[-model.channels :].flip(0).sqrt()
    usual = u.square().mean(1, keepdim=True).sqrt().clamp_min(1e-4)
    with torch.no_grad():
        model.usual.copy_(usual)
        model.encoder.straight.weight.copy_((usual * kept / scale).T[..., None])
        model.decoder.straight.weight.copy_((kept * scale / usual)[..., None])


def loss(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The error of waveforms, in units of 10 dB with a floor of -30 dB; that of spectra."""
    wave = ((x - y).square().mean(1) + 1e-3).log10().mean()
    told = []
    for n in (2048, 512, 128):
        a, b = (stft(each, n, n // 4).abs() / n**0.5 for each in (x, y))
        told.append((a - b).norm(dim=(1, 2)).div(a.norm(dim=(1, 2))).mean())
        told.append(((a + 1e-2) / (b + 1e-2)).log().abs().mean())
    return wave, torch.stack(told).mean()


def train(pieces: list[np.ndarray], loose: list[np.ndarray], steps: int, seed: int, minutes: float, batch: int = 8) -> Tiny:
    """Adam with a warm-up and a cosine, over steps or CPU-minutes, whichever end first; an average of the weights is kept."""
    torch.manual_seed(seed)
    rng, model = np.random.default_rng(seed), Tiny()
    begin(model, windows(pieces, loose, 256, rng))
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    straight = [model.encoder.straight.weight, model.decoder.straight.weight]
    bent = [p for p in model.parameters() if all(p is not each for each in straight)]
    optimiser = torch.optim.Adam([{"params": straight, "top": 2e-4}, {"params": bent, "top": 1e-3}], betas=(0.9, 0.99))
    start, sums = time.process_time(), np.zeros(3)
    for step in range(steps):
        done = max(step / steps, (time.process_time() - start) / (60 * minutes))
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = group["top"] * pace(int(1000 * done), 1000)
        x = windows(pieces, loose, batch, rng)
        y = model.sound(model.code(x), LENGTH)
        wave, spectra = loss(x, y)
        optimiser.zero_grad()
        (wave + 2 * spectra).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(model)
        sums += [wave.item(), spectra.item(), 1]
        if step % 50 == 49:
            print(f"step {step + 1}  error {10 * sums[0] / sums[2]:.2f} dB  spectra {sums[1] / sums[2]:.4f}  "
                  f"cpu {time.process_time() - start:.0f} s", flush=True)  # fmt: skip
            sums[:] = 0
    model.load_state_dict(average.module.state_dict())
    level(model, windows(pieces, loose, 128, rng))
    return model.eval()


@torch.no_grad()
def level(model: Tiny, x: Tensor) -> None:
    """Scale every channel so that codes of sound at a level of 0.1 have a mean square of one."""
    scale = model.code(0.1 * x).square().mean((0, 2)).sqrt()[:, None, None]
    for way in (model.encoder.straight, model.encoder.leave):
        way.weight.div_(scale)
    for way in (model.decoder.straight, model.decoder.enter):
        way.weight.mul_(scale.transpose(0, 1))


@torch.no_grad()
def measure(model: Tiny, pieces: list[np.ndarray]) -> dict[str, float]:
    """Held-out songs: SI-SDR (dB) of single stems and of their sum; the distance of log spectra (dB) of the sum."""
    alone, whole, far = [], [], []
    for piece in pieces:
        stems = torch.from_numpy(piece[:, : 7 * model.rate] / np.float32(32768))
        stems = stems[stems.square().mean(1).sqrt() > 0.01]
        if not len(stems):
            continue
        mix = stems.sum(0)
        alone += si_sdr(stems, model.decode(model.encode(stems), samples=stems.shape[1])).tolist()
        back = model.decode(model.encode(mix), samples=len(mix))
        whole.append(float(si_sdr(mix, back)))
        a, b = (20 * (stft(each, 2048, 512).abs() + 1e-2).log10() for each in (mix, back))
        far.append(float((a - b).square().mean(0).sqrt().mean()))
    return {name: round(float(np.median(v)), 2) for name, v in
            (("stem_si_sdr", alone), ("mix_si_sdr", whole), ("mix_log_spectral_distance", far))}  # fmt: skip


def save(model: Tiny, path: Path, card: dict[str, object]) -> str:
    """Write the weights as float16 safetensors and the card beside them, each whole or not at all; the weights' SHA-256."""
    from safetensors.torch import save as dump

    content = dump({name: tensor.half().contiguous() for name, tensor in sorted(model.state_dict().items())})
    digest = hashlib.sha256(content).hexdigest()
    for file, blob in (
        (path, content),
        (path.with_suffix(".json"), (json.dumps({**card, "sha256": digest}, indent=1) + "\n").encode()),
    ):
        beside = file.with_suffix(".part")
        beside.write_bytes(blob)
        os.replace(beside, file)
    return digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluate", action="store_true", help="only measure the shipped weights")
    parser.add_argument("--quick", action="store_true", help="a few steps, within a minute; nothing is written")
    parser.add_argument("--minutes", type=float, default=4, help="of CPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    held = songs(True, 7)[: 4 if args.quick else None]
    if args.evaluate:
        print(json.dumps(measure(tiny(), held)))
        return
    pieces, loose = songs(False, 5 if args.quick else 24), samples()
    began = time.process_time()
    linear = Tiny()
    begin(linear, windows(pieces, loose, 64 if args.quick else 256, np.random.default_rng(args.seed)))
    model = train(pieces, loose, 20 if args.quick else 10**9, args.seed, args.minutes)
    figures = {"held_out": measure(model, held), "held_out_matrices_alone": measure(linear, held)}
    print(json.dumps(figures, indent=1))
    if not args.quick:
        card = {
            "command": f"python benchmarks/train_tiny.py --minutes {args.minutes:g} --seed {args.seed}",
            "data": "Freedoom's songs (BSD-3-Clause) played with FluidR3 (MIT), CC0 samples of Sonic Pi; a fifth of each held out",
            "licence": "Apache-2.0, as the package; the licences of the data allow it",
            "songs": [len(pieces), len(held)], "samples": len(loose), "seed": args.seed, **figures,
            "torch": torch.__version__, "python": platform.python_version(), "cpu_seconds": round(time.process_time() - began),
        }  # fmt: skip
        print("SHA256 =", save(model, args.out, card))


if __name__ == "__main__":
    main()
