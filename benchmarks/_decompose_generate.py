"""How good generated songs are: Fréchet distance in mini between real and noise, and whether drums keep time with a bass given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from _decompose_data import SAMPLES, SECONDS, Piece, Windows
from _pairs import RATE
from torch import Generator, Tensor

from oplas.data.audio import write
from oplas.decompose import Decomposition
from oplas.encoders.mini import mini
from oplas.functional.spectra import stft
from oplas.measure.frechet import frechet

LATE = 3  # frames of 10.7 ms by which an onset may miss another


def judged(model: Decomposition, songs: list[Piece], heard: Windows, order: Sequence[int], count: int) -> dict[str, Any]:
    """Unconditional and partial generation and plain reconstruction against the mixtures of songs held out.

    Args:
        order: the model's part for each stem, as :func:`oplas.functional.separation.best_order` tells.
        count: windows to generate of each kind.
    """
    drums, bass = order[0], order[1]
    encoder, real = mini(), [song.mix for song in songs]
    free = [model.generate(SECONDS, seed=i) for i in range(count)]
    given = [heard.sources[i % len(heard.sources)] for i in range(count)]
    partial = [model.generate(SECONDS, seed=i, given={model.names[bass]: stems[1]}) for i, stems in enumerate(given)]
    again = [model.split(stems.sum(0), RATE, consistent=False).sum(0) for stems in given]
    rows = {"unconditional": [each.sum(0) for each in free], "drums to a given bass": [each.sum(0) for each in partial],
            "reconstruction": again}  # fmt: skip
    told = []
    for name, waves in rows.items():
        found = frechet([loud(wave, float(real[0].square().mean().sqrt())) for wave in waves], real, RATE, encoder)
        told.append({"sound": name, "frechet_in_mini": found.distance, "real": found.floor, "noise": found.ceiling,
                     "way": found.way, "windows": found.windows})  # fmt: skip
    real_drums, real_bass = [stems[0] for stems in given], [stems[1] for stems in given]
    made = [each[drums] for each in partial]
    timing = {"real": agreement(real_drums, real_bass), "generated": agreement(made, real_bass),
              "unconditional": agreement([each[drums] for each in free], [each[bass] for each in free])}  # fmt: skip
    return {"frechet": told, "onsets": [{"drums": name, **each} for name, each in timing.items()], "sounds": (free, partial, given)}


def agreement(drums: list[Tensor], bass: list[Tensor]) -> dict[str, float]:
    """Correlation of onset strengths with the bass of the same window, and with those of other windows.

    ``above`` is the share of shuffled pairs that a window's own pair beats: a half is chance.
    """
    a, b = (torch.stack([onsets(wave) for wave in waves]) for waves in (drums, bass))
    table = torch.stack([a @ b.roll(shift, 1).T for shift in range(-LATE, LATE + 1)]).amax(0)
    own = table.diagonal()
    other = ~torch.eye(len(table), dtype=torch.bool)
    return {"own": float(own.mean()), "shuffled": float(table[other].mean()),
            "above": float((own[:, None] > table)[other].double().mean())}  # fmt: skip


def onsets(wave: Tensor) -> Tensor:
    """How much louder bands become from frame to frame (half-wave rectified, log), a row of norm one and mean nought."""
    level = (1 + 100 * stft(loud(wave, 0.1), 1024, 256).abs() / 256).log()
    rises = (level[:, 1:] - level[:, :-1]).clamp_min(0).mean(0)
    rises = rises - rises.mean()
    return rises / rises.norm().clamp_min(1e-9)


def loud(wave: Tensor, level: float) -> Tensor:
    """The wave at a root mean square; silence stays silent."""
    return wave * (level / wave.square().mean().sqrt().clamp_min(1e-6))


def examples(folder: Path, sounds: dict[str, Tensor]) -> list[str]:
    """Short Vorbis files, mono."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, wave in sounds.items():
        write(folder / f"{name}.ogg", (0.9 * wave / wave.abs().max().clamp_min(1e-6)).numpy(), RATE)
    return sorted(f"{name}.ogg" for name in sounds)


def chance(count: int, seed: int) -> list[Tensor]:
    """White noise, for tests of what is above."""
    generator = Generator().manual_seed(seed)
    return [torch.randn(SAMPLES, generator=generator) for _ in range(count)]
