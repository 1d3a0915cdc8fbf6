"""A space in which a mix is the sum of its stems, learned on a frozen encoder and certified on songs it has not heard.

python examples/mixing.py [my/songs] [--quick]
"""

from __future__ import annotations

import argparse

import oplas
from oplas import actions as act
from oplas import data, laws
from oplas import encoders as enc
from oplas import operators as op
from oplas import projectors as proj

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("songs", nargs="?", help="folder of song/stem.wav; default the built-in band")
arguments.add_argument("--quick", action="store_true", help="so small that it says little, in seconds")
given = arguments.parse_args()

songs = (
    data.stems(given.songs)
    if given.songs
    else data.band(seed=0, songs=8 if given.quick else 32, seconds=12.0 if given.quick else 30.0)
)
train, valid, test = songs.split(0.6, 0.15, 0.25, seed=0)
encoder = enc.log_mel() if given.quick else enc.mini()
mixing = laws.Equivariance(act.Mix(2, 4), op.Sum())
space = oplas.Space(
    encoder,
    proj.Energies(encoder.dim, 32),
    inverse=proj.MLP(32, encoder.dim),
    laws=[mixing, laws.RoundTrip(weight=0.1), *laws.nondegenerate()],
)
print(oplas.learn(space, train, valid, seed=0, steps=30 if given.quick else 3000, evidence=128 if given.quick else 8192))
print(oplas.certify(space, test, seed=1))
