"""How good generated songs are: Fréchet distance in mini between real and noise, and whether drums keep time with a bass given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import torch
from _decompose_data import SECONDS, Piece, Windows
from _pairs import RATE
from torch import Tensor

from oplas.data.audio import write
from oplas.decompose import Decomposition
from oplas.encoders.mini import mini
from oplas.functional.separation import best_order
from oplas.functional.spectra import stft
from oplas.measure.frechet import frechet

LATE = 3  # frames of 10.7 ms by which an onset may miss another


def generated(model: Decomposition, songs: list[Piece], heard: Windows, count: int, folder: Path | None = None) -> dict[str, Any]:
    """Unconditional and partial generation and plain rendering beside mixtures of drums and bass held out; examples are written."""
    encoder, real = mini(), [song.mix for song in songs]
    level = float(torch.cat(real).square().mean().sqrt())
    drums, bass = the_order(model, heard.few(12))
    given = [heard.sources[i % len(heard.sources)] for i in range(count)]
    free = [model.generate(SECONDS, seed=i) for i in range(count)]
    fitted = [model.generate(SECONDS, seed=i, given={bass: stems[1]}) for i, stems in enumerate(given)]
    rendered = [model.split(stems.sum(0), RATE, consistent=False) for stems in given]
    told = []
    for name, waves in {"mixtures rendered": rendered, "drums to a given bass": fitted, "unconditional": free}.items():
        found = frechet([loud(wave.sum(0), level) for wave in waves], real, RATE, encoder)
        told.append({"sound": name, "distance": found.distance, "real": found.floor, "noise": found.ceiling, "way": found.way,
                     "windows": found.windows})  # fmt: skip
    pairs = {
        "real drums, their bass": [(stems[0], stems[1]) for stems in given],
        "generated to the bass": [(parts[drums], stems[1]) for parts, stems in zip(fitted, given, strict=True)],
        "generated with its bass": [(parts[drums], parts[bass]) for parts in free],
    }
    onsets = [{"drums": name, **agreement([a for a, _ in both], [b for _, b in both])} for name, both in pairs.items()]
    if folder is not None:
        split = model.split(given[0].sum(0), RATE)
        sounds = {
            "mixture": given[0].sum(0),
            "drums": split[drums],
            "bass": split[bass],
            "drums_generated_to_its_bass": fitted[0].sum(0),
            "generated": free[0].sum(0),
        }
        examples(folder, {name: wave[: 5 * RATE] for name, wave in sounds.items()})
    return {"frechet_in_mini": told, "onsets": onsets}


def the_order(model: Decomposition, heard: Windows) -> list[int]:
    """The model's part for each stem, in most windows."""
    orders = [tuple(best_order(sources, model.split(sources.sum(0), RATE)).tolist()) for sources in heard.sources]
    return list(Counter(orders).most_common(1)[0][0])


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
