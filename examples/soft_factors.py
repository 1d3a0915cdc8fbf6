"""Soft factorisation: a network learns, from moves alone, that pitch is one direction in its space and time another.

python examples/soft_factors.py [--out factors.png] [--quick]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Generator

from oplas.actions.pianoroll import Shift, Transpose
from oplas.data import toys
from oplas.laws import Decorrelation, Orthogonal, Recognised, Step, UnitVariance
from oplas.measure.factor import factor_report, look
from oplas.networks import ConvNet
from oplas.operators import Translation
from oplas.pretrain import pretrain

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--out", type=Path, help="where to draw the displacements, as PNG")
arguments.add_argument("--quick", action="store_true", help="fewer steps, fewer blobs")
given = arguments.parse_args()

# Blobs on a canvas with room to move: a piano roll's toy. Nobody says where a blob is, only how far it was moved.
toy = toys.blobs(margin=4)
torch.manual_seed(0)
network, untrained = ConvNet(16), ConvNet(16)

# What shall hold: a semitone is one vector, a time step another, at a right angle; all of the space is used; and what is left
# when the two are projected out still tells which blob it was.
pitch, time = Translation(16), Translation(16)
laws = [
    Step(Transpose(-4, 4), pitch, weight=10), Step(Shift(-4, 4), time, weight=10), Orthogonal(Transpose(-4, 4), Shift(-4, 4)),
    UnitVariance(), Decorrelation(0.2), Recognised([pitch, time]),
]  # fmt: skip
print(pretrain(network, laws, toy.views, steps=20 if given.quick else 400, batch=24 if given.quick else 64, rate=2e-3))

# Does it hold for blobs never seen? Beside: the same network untrained, and the same latents with their moves shuffled.
count = 60 if given.quick else 1300
shapes = toy.shapes(count, Generator().manual_seed(1))


def see(rows: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """Blobs of some numbers, at each of some moves."""
    return toy.draw(shapes[rows], moves.expand(len(rows), -1, -1))


steps = range(-4, 5)
spaces = [look(each, see, count, steps, steps, grid=8 if given.quick else 100) for each in (network, untrained)]
print(factor_report(spaces[0], {"untrained": spaces[1]}, learn=count // 4))

if given.out:
    from oplas.report.drawing import png
    from oplas.report.factors import cross_figure

    given.out.write_bytes(png(cross_figure(spaces[0])))
    print(f"drawn: {given.out}")
