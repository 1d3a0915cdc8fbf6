"""Train the networks for piano rolls: ``python benchmarks/train_rolls.py [--space | --plain WEIGHT] [--seed N] [--steps N]``.

``--space`` trains the space shipped inside the package, :class:`oplas.rollspace.RollSpace`: first what a row says, alone, then with
attention among patches and a quarter of them hidden. ``--plain WEIGHT`` trains a plain network with the factor laws at that weight.
Without either, everything benchmarks/factor_pop909.py reads is trained. Songs held out are never seen.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import torch
from _rolls import SWEEP, WEIGHTS, crops, factor_laws, others, plain, split, terms
from safetensors.torch import save as dump
from torch import Generator, nn

from oplas.data.notes import Notes
from oplas.data.pianoroll import Crops
from oplas.data.rollviews import RollViews
from oplas.data.views import Views
from oplas.laws.redraw import Redraw
from oplas.networks.decoder import Decoder
from oplas.networks.vit import ViT
from oplas.pretrain import pretrain
from oplas.rollspace import WEIGHTS as SHIPPED
from oplas.rollspace import RollSpace, frame, placed

ROWS, WHOLE, PLAIN, SOFT = 4500, 700, 300, 150


def framed(windows: list[Crops], count: int, generator: Generator) -> Views:
    """Random windows, each at rest in its frame; a quarter of them of each further lot."""
    many = [count - (len(windows) - 1) * (count // 4), *[count // 4] * (len(windows) - 1)]
    x = torch.cat([w.rolls(torch.randint(len(w), (n,), generator=generator)) for w, n in zip(windows, many, strict=True)])
    return Views(placed(x, -frame(x))[:, None], torch.zeros(count, 1, 2))


def space(lots: list[list[Notes]], seed: int, rows: int = ROWS, whole: int = WHOLE, folder: Path | None = None) -> RollSpace:
    """The space of rolls, trained on all windows of 128 steps."""
    windows = [Crops(songs, margin=0) for songs in lots]

    def stream(count: int, generator: Generator) -> Views:
        return framed(windows, count, generator)

    torch.manual_seed(seed)
    encoder, decoder = ViT(depth=0), Decoder(depth=0)
    told = pretrain(
        encoder, [Redraw(decoder)], stream, steps=rows, batch=12, rate=6e-3, seed=seed, folder=folder and folder / "rows"
    )
    print(told, flush=True)
    made = RollSpace()
    made.encoder.rows.load_state_dict(encoder.rows.state_dict())
    made.decoder.draw.load_state_dict(decoder.draw.state_dict())
    learns = [Redraw(made.decoder), Redraw(made.decoder, hidden=0.25, weight=0.02)]
    told = pretrain(made.encoder, learns, stream, steps=whole, batch=24, rate=6e-4, seed=seed, folder=folder and folder / "whole")
    print(told, flush=True)
    made.card = {"data": "POP909 and Freedoom's music without the held-out songs", "songs": [len(songs) for songs in lots],
                 "seed": seed, "steps": [rows, whole], "batch": [12, 24]}  # fmt: skip
    return made


def learned(songs: list[Notes], weight: float, seed: int, steps: int = PLAIN, folder: Path | None = None) -> nn.ModuleDict:
    """A plain network and its decoder, the factor laws at one weight."""
    network, learns = plain(seed), terms(weight)
    told = pretrain(network, learns, RollViews(crops(songs)).views, steps=steps, batch=24, rate=1.5e-3, seed=seed, folder=folder)
    print(f"weight {weight:g}, seed {seed}: {told}", flush=True)
    return nn.ModuleDict({"network": network, "decoder": learns[0].decoder})


def softened(songs: list[Notes], weight: float, seed: int, steps: int = SOFT, folder: Path | None = None) -> nn.ModuleDict:
    """The shipped space's own networks without its frame, taught the factor laws at one weight while they still draw every roll."""
    space, laws = RollSpace.load().requires_grad_(True), factor_laws(weight, RollSpace().dim - 2)
    learns = [Redraw(space.decoder), *laws]
    views = RollViews(crops(songs)).views
    told = pretrain(space.encoder, learns, views, steps=steps, batch=12, rate=6e-4, seed=seed, folder=folder)
    print(f"softened, weight {weight:g}, seed {seed}: {told}", flush=True)
    return nn.ModuleDict({"network": space.encoder, "decoder": space.decoder})


def write(module: nn.Module, path: Path) -> None:
    """Weights as float16 safetensors, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(dump({name: each.half().contiguous() for name, each in sorted(module.state_dict().items())}))
    os.replace(beside, path)


def versions(began: float) -> dict[str, Any]:
    return {"torch": torch.__version__, "python": platform.python_version(), "cpu_seconds": round(time.process_time() - began)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", action="store_true", help="the space shipped inside the package")
    parser.add_argument("--plain", type=float, metavar="WEIGHT", help="one plain network with the factor laws at this weight")
    parser.add_argument("--soft", type=float, metavar="WEIGHT", help="the space's networks without the frame, with the laws")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the state of a single run here, to go on after a kill")
    args = parser.parse_args()
    songs, _ = split()
    further, _ = others()
    named = {"space": [0.0] * args.space, "plain": [args.plain], "soft": [args.soft]}
    chosen = {kind: [w for w in weights if w is not None] for kind, weights in named.items()}
    everything = not any(chosen.values())
    wanted = {"space": [0.0], "plain": list(SWEEP), "soft": list(SWEEP[1:])} if everything else chosen
    for seed in range(3) if everything else [args.seed]:
        for kind, weights in wanted.items():
            for weight in weights:
                began = time.process_time()
                card: dict[str, Any] = {
                    "command": f"python benchmarks/train_rolls.py --{kind} {'' if kind == 'space' else f'{weight:g} '}--seed {seed}"
                }
                if kind == "space":
                    made = space([songs, further], seed, folder=args.folder)
                    made.save(
                        SHIPPED if seed == 0 else WEIGHTS / f"space_seed{seed}.safetensors", **card, **made.card, **versions(began)
                    )
                    continue
                train, steps = (learned, PLAIN) if kind == "plain" else (softened, SOFT)
                path = WEIGHTS / f"{kind}_{weight:g}_seed{seed}.safetensors"
                write(train(songs, weight, seed, folder=args.folder), path)
                card |= {"data": "POP909 without the held-out fold", "songs": len(songs), "seed": seed, "steps": steps}
                path.with_suffix(".json").write_text(json.dumps(card | versions(began), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
