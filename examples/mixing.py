"""A space in which a mix is the sum of its stems: learned, certified, saved.

python examples/mixing.py                    # a generated band, a few minutes
python examples/mixing.py --stems my/songs   # your own songs, song/stem.wav
python examples/mixing.py --quick            # seconds: shows that it runs, not what it can do
"""

import argparse

import torch

import oplas
from oplas import actions as act
from oplas import data, laws
from oplas import encoders as enc
from oplas import operators as op
from oplas import projectors as proj

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--stems", help="a folder of songs, each a folder of stems")
parser.add_argument("--out", help="where to save the space")
parser.add_argument("--quick", action="store_true")
options = parser.parse_args()

if options.stems:
    songs = data.stems(options.stems)
else:
    songs = data.band(seed=0, songs=10, seconds=6.0) if options.quick else data.band(seed=0)
train, valid, test = songs.split(0.6, 0.1, 0.3)

encoder = enc.mini()
mixing = laws.Equivariance(act.Mix(2, 4), op.Sum())
space = oplas.Space(
    encoder,
    proj.MLP(encoder.dim, 64),
    inverse=proj.MLP(64, encoder.dim),
    laws=[mixing, laws.RoundTrip(), *laws.nondegenerate()],
)

if options.quick:
    few = mixing.trials(encoder, valid, 32, torch.Generator().manual_seed(0))
    print(oplas.learn(space, train, few, seed=0, steps=30, evidence=128))
else:
    print(oplas.learn(space, train, valid, seed=0))
print(oplas.certify(space, test, seed=1))
if options.out:
    space.save(options.out)
