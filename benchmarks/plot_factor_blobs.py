"""The plots of the blobs in docs/factor.md: trains three small networks, reads the results and draws them."""

from __future__ import annotations

import json

import torch
from _harness import RESULTS, ROOT
from factor_blobs import DIM, laws, seen, start

from oplas.data.blobs import blobs
from oplas.networks import ConvNet
from oplas.pretrain import pretrain
from oplas.report.drawing import png
from oplas.report.factors import cosine_figure, cross_figure, sweep_figure

KINDS = {"untrained": 0, "cosines": 150, "both": 150}


def main() -> None:
    torch.set_num_threads(1)
    toy, spaces = blobs(4), {}
    for kind, steps in KINDS.items():
        torch.manual_seed(0)
        network = ConvNet(DIM)
        if steps:
            rate = 4e-3 if kind == "cosines" else 2e-3
            pretrain(network, laws(kind, toy.frame, 10.0), toy.views, steps=steps, batch=64, rate=rate)
        else:
            start(network, toy)
        spaces[{"both": "cosines and step law"}.get(kind, kind)] = seen(network.eval(), toy, 250, 12)
    sweep = json.loads((RESULTS / "factor_blobs.json").read_text(encoding="utf-8"))["sweep"]
    folder = ROOT / "docs" / "img"
    drawn = {"cosines": cosine_figure(spaces), "sweep": sweep_figure(sweep)}
    drawn |= {f"cross_{name.split()[-1]}": cross_figure(moved, title=name) for name, moved in list(spaces.items())[1:]}
    for name, figure in drawn.items():
        (folder / f"factor_{name}.png").write_bytes(png(figure))


if __name__ == "__main__":
    main()
