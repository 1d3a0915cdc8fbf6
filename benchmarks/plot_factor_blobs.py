"""The plots of the blobs in docs/factor.md: trains small networks, reads the results and draws them."""

from __future__ import annotations

import json

import torch
from _harness import RESULTS, ROOT
from factor_blobs import DIM, WHITENED, laws, seen, start

from oplas.data.blobs import blobs
from oplas.networks import ConvNet, PlacedNet
from oplas.pretrain import pretrain
from oplas.report.drawing import png
from oplas.report.factors import cosine_figure, cross_figure, sweep_figure

#: Every panel's network, what it is trained by, and at which rate.
PANELS = {
    "untrained": (ConvNet, "untrained", 0.0), "cosines": (ConvNet, "cosines", 4e-3),
    "cosines and step law": (ConvNet, "both", 2e-3), "told the centroid, whitened": (PlacedNet, WHITENED, 3e-3),
}  # fmt: skip
STEPS = 150


def main() -> None:
    torch.set_num_threads(1)
    toy, spaces = blobs(4), {}
    for title, (make, kind, rate) in PANELS.items():
        torch.manual_seed(0)
        network = make(DIM)
        if rate:
            pretrain(network, laws(kind, toy.frame, 10.0), toy.views, steps=STEPS, batch=64, rate=rate)
        else:
            start(network, toy)
        spaces[title] = seen(network.eval(), toy, 250, 12)
    sweep = json.loads((RESULTS / "factor_blobs.json").read_text(encoding="utf-8"))["sweep"]
    folder = ROOT / "docs" / "img"
    drawn = {"cosines": cosine_figure(spaces), "sweep": sweep_figure(sweep)}
    drawn |= {f"cross_{name.split()[-1]}": cross_figure(moved, title=name) for name, moved in spaces.items() if name != "untrained"}
    for name, figure in drawn.items():
        (folder / f"factor_{name}.png").write_bytes(png(figure))


if __name__ == "__main__":
    main()
