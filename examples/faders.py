"""Faders of a frozen encoder: named attributes to move, with their side effects known before.

python examples/faders.py [folder of songs, song/stem.wav] [--out faders.png] [--quick]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from oplas import data
from oplas.encoders import mini
from oplas.faders import learn_faders

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("songs", nargs="?", type=Path, help="folder of songs as stems; default: the built-in band")
arguments.add_argument("--out", type=Path, help="where to draw dose-response and side effects, as .png or .html")
arguments.add_argument("--quick", action="store_true", help="fewer songs and windows")
given = arguments.parse_args()

encoder, draw = mini(), torch.Generator().manual_seed(0)
songs = data.stems(given.songs) if given.songs else data.band(seed=0, songs=24 if given.quick else 60, seconds=12.0)

# Windows with some of their parts, each as loud as chance will have it: what sounds is known, and the rest can be measured.
waves, drums, song = [], [], []
for scene in songs.draw_batch(300 if given.quick else 2000, 1, None, encoder.rate, encoder.samples, draw):
    on = torch.rand(len(scene.labels), generator=draw) < 0.6
    on[int(torch.randint(len(on), (), generator=draw))] = True
    gain = 10 ** ((18 * torch.rand(len(on), 1, generator=draw) - 12) / 20)
    waves.append((on[:, None] * gain * scene.parts).sum(0))
    drums.append("yes" if any(label == "drums" and here for label, here in zip(scene.labels, on, strict=True)) else "no")
    song.append(scene.song)
x = torch.stack(waves)
spectrum = torch.fft.rfft(x).abs().square()
hertz = torch.fft.rfftfreq(encoder.samples, 1 / encoder.rate)
level = 10 * (x.square().mean(1) + 1e-10).log10()
brightness = ((spectrum @ hertz + 1e-6) / (spectrum.sum(1) + 1e-9)).log2()

# A gain can be turned here, so that level is learned from pairs before and after; the others from what the windows have.
z = encoder.encode(x)
turned = 12 * torch.rand(len(x), generator=draw) - 6
after = encoder.encode(x * 10 ** (turned[:, None] / 20))
faders = learn_faders(
    z,
    {"level": level, "brightness": brightness, "drums": drums},
    song,
    units={"level": "dB", "brightness": "octaves"},
    pairs={"level": (z, after, turned)},
)
print(faders, faders["level"], sep="\n\n")  # what each does, and to what else, before it is moved

# Is a fader what the mixing desk's is? Move latents up by 3 dB, and play the windows 3 dB louder.
if faders["level"].report.verdict != "vacuous":
    moved, louder = faders["level"].apply(z, 3.0) - z, encoder.encode(x * 10 ** (3 / 20)) - z
    print(f"\n3 dB by fader and 3 dB by gain: cosine {torch.nn.functional.cosine_similarity(moved.mean(0), louder.mean(0), 0):.2f}")
if given.out:
    from oplas.report.faders import write_plot

    print(f"drawn: {write_plot(faders, given.out)}")
