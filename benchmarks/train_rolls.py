"""Train the networks for piano rolls: ``python benchmarks/train_rolls.py [--space | --plain W | --swin W | --soft W] [--seed N]``.

``--space`` trains the space shipped inside the package, :class:`oplas.rollspace.RollSpace` (other seeds: a smaller run, for the
benchmark); ``--plain W`` a plain network with the factor laws at weight W, ``--swin W`` a hierarchical one; ``--soft W`` the
shipped space's networks without their frame, taught the laws. Without any, all that factor_pop909.py reads is trained. Songs held
out are never seen.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from _rolls import SEEDS, SWEEP, SWINS, WEIGHTS, attentive, crops, factor_laws, others, plain, split, terms
from safetensors.torch import save as dump
from torch import Generator, nn

from oplas.data.notes import Notes
from oplas.data.pianoroll import Crops
from oplas.data.rollviews import RollViews
from oplas.data.views import Views
from oplas.laws.redraw import Redraw
from oplas.pretrain import pretrain
from oplas.rollspace import WEIGHTS as SHIPPED
from oplas.rollspace import RollSpace, frame, placed

#: Of the shipped space, and of its other seeds.
SHIPPED_STEPS, OTHER_STEPS = 6000, 1500
PLAIN, SOFT = 300, {0.1: 120, 1.0: 120, 10.0: 360}


@dataclass(frozen=True)
class Framed:
    """Random windows, each at rest in its frame; a quarter of them of each lot after the first."""

    lots: tuple[Crops, ...] = field(repr=False)

    def views(self, count: int, generator: Generator) -> Views:
        many = [count - (len(self.lots) - 1) * (count // 4), *[count // 4] * (len(self.lots) - 1)]
        some = zip(self.lots, many, strict=True)
        x = torch.cat([lot.rolls(torch.randint(len(lot), (n,), generator=generator)) for lot, n in some])
        return Views(placed(x, -frame(x))[:, None], torch.zeros(count, 1, 2))


def space(lots: list[list[Notes]], seed: int, steps: int, folder: Path | None = None) -> RollSpace:
    """The space of rolls: what a row says, and how it is drawn."""
    stream = Framed((*(Crops(songs, margin=0) for songs in lots), crops(lots[0]))).views
    torch.manual_seed(seed)
    made = RollSpace()
    for mixing in (made.encoder.head, made.encoder.place, made.decoder.amend, made.decoder.place):
        mixing.requires_grad_(False)  # rows keep to themselves
    learns, rows = [Redraw(made.decoder)], folder and folder / "rows"
    print(pretrain(made.encoder, learns, stream, steps=steps, batch=8, rate=8e-3, seed=seed, folder=rows), flush=True)
    made.card = {"data": "POP909 and Freedoom's music without the held-out songs", "songs": [len(songs) for songs in lots],
                 "seed": seed, "steps": steps, "batch": 8}  # fmt: skip
    return made


def learned(songs: list[Notes], weight: float, seed: int, steps: int, folder: Path | None = None, kind: str = "plain") -> nn.Module:
    """A plain network, the factor laws at one weight."""
    network = plain(seed, kind)
    views = RollViews(crops(songs)).views
    told = pretrain(network, terms(weight), views, steps=steps, batch=24, rate=2e-3, seed=seed, folder=folder)
    print(f"weight {weight:g}, seed {seed}: {told}", flush=True)
    return network


def softened(songs: list[Notes], weight: float, seed: int, steps: int, folder: Path | None = None) -> nn.ModuleDict:
    """The shipped networks without the frame, given attention and taught the factor laws while they still draw every roll."""
    torch.manual_seed(seed)
    shipped, both = RollSpace.load(), attentive()
    both["network"].load_state_dict(shipped.encoder.state_dict(), strict=False)  # blocks start as the identity
    both["decoder"].load_state_dict(shipped.decoder.state_dict(), strict=False)
    learns = [Redraw(both["decoder"]), *factor_laws(weight, shipped.dim - 2, known=False)]
    views = RollViews(crops(songs)).views
    told = pretrain(both["network"], learns, views, steps=steps, batch=12, rate=6e-4, seed=seed, folder=folder)
    print(f"softened, weight {weight:g}, seed {seed}: {told}", flush=True)
    return both


def write(module: nn.Module, path: Path) -> None:
    """Weights as float16 safetensors, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(dump({name: each.half().contiguous() for name, each in sorted(module.state_dict().items())}))
    os.replace(beside, path)


def versions(began: float) -> dict[str, Any]:
    return {"torch": torch.__version__, "python": platform.python_version(), "cpu_seconds": round(time.process_time() - began)}


def run(kind: str, weight: float, seed: int, folder: Path | None) -> None:
    """Train one thing and write its weights and its card."""
    began = time.process_time()
    songs, _ = split()
    asked = "" if kind == "space" else f" {weight:g}"
    card: dict[str, Any] = {"command": f"python benchmarks/train_rolls.py --{kind}{asked} --seed {seed}"}
    if kind == "space":
        made = space([songs, others()[0]], seed, SHIPPED_STEPS if seed == 0 else OTHER_STEPS, folder=folder)
        made.save(SHIPPED if seed == 0 else WEIGHTS / f"space_seed{seed}.safetensors", **card, **made.card, **versions(began))
        return
    steps = SOFT.get(weight, 120) if kind == "soft" else PLAIN
    path = WEIGHTS / f"{kind}_{weight:g}_seed{seed}.safetensors"
    train = softened if kind == "soft" else partial(learned, kind=kind)
    write(train(songs, weight, seed, steps, folder), path)
    card |= {"data": "POP909 without the held-out songs", "songs": len(songs), "seed": seed, "steps": steps}
    path.with_suffix(".json").write_text(json.dumps(card | versions(began), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", action="store_true", help="the space shipped inside the package (seed 0), or a smaller one")
    parser.add_argument("--plain", type=float, metavar="WEIGHT", help="one plain network with the factor laws at this weight")
    parser.add_argument("--swin", type=float, metavar="WEIGHT", help="the same with a hierarchical patch network")
    parser.add_argument("--soft", type=float, metavar="WEIGHT", help="the space's networks without the frame, with the laws")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the state of a single run here, to go on after a kill")
    args = parser.parse_args()
    chosen = [("space", 0.0, args.seed)] * args.space
    chosen += [(kind, weight, args.seed) for kind in ("plain", "swin", "soft") if (weight := getattr(args, kind)) is not None]
    everything = [*(("space", 0.0, seed) for seed in range(3)), *(("soft", weight, 0) for weight in SWEEP[1:]),
                  *(("swin", weight, 0) for weight in SWINS),
                  *(("plain", weight, seed) for weight, seeds in SEEDS.items() for seed in range(seeds))]  # fmt: skip
    for kind, weight, seed in chosen or everything:
        run(kind, weight, seed, args.folder)


if __name__ == "__main__":
    main()
