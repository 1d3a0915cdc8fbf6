"""The circle of fifths, learned from songs of which nobody says in what key they are.

python examples/circle_of_fifths.py [POP909 folder, or folder of MIDI files] [--out ring.png] [--quick]
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch

from oplas.data.notes import Notes, read_midi
from oplas.data.pop909 import NAMES, pop909
from oplas.discover import discover
from oplas.keys import KeySpace, durations
from oplas.measure.rings import of_points
from oplas.report.drawing import png
from oplas.report.rings import ring_figure

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("songs", nargs="?", type=Path, help="POP909 or a folder of MIDI files; default: songs made up")
arguments.add_argument("--out", type=Path, help="where to draw the ring, as PNG")
arguments.add_argument("--quick", action="store_true", help="fewer songs")
given = arguments.parse_args()


def made_up(seed: int) -> Notes:
    """A tune over the chords of a random major key."""
    draw = random.Random(seed)
    key, rows = draw.randrange(12), []
    for bar in range(16):
        root = draw.choice((0, 0, 5, 7, 9))
        chord = [(root + step) % 12 for step in (0, 3 if root == 9 else 4, 7)]
        rows += [(4.0 * bar, 4.0, 48 + (key + pitch) % 12) for pitch in chord]
        rows += [(4.0 * bar + beat, 1.0, 60 + (key + draw.choice([*chord, 0, 2, 4, 5, 7, 9, 11])) % 12) for beat in range(4)]
    return Notes.of(rows, name=f"song {seed}")


if given.songs is None:
    songs = [made_up(seed) for seed in range(24 if given.quick else 96)]
elif any(given.songs.rglob("beat_midi.txt")) or given.songs.is_file():
    songs = [song.notes for song in pop909(given.songs)]
else:
    songs = [read_midi(path) for path in sorted(given.songs.rglob("*.mid"))]

learned, unheard = songs[::2], durations(songs[1::2])
space = KeySpace.learn(durations(learned))  # no labels

# Transpose what it has not heard, a semitone at a time: what does its latent do?
steps = torch.stack([space.latents(unheard.roll(semitone, 1)) for semitone in range(25)], 1)
print(discover(steps))

# Lay the songs on top of each other by the place the space gives them, and look at the ring of the twelve keys.
home = torch.stack([row.roll(-int(place)) for row, place in zip(unheard, space.place(unheard), strict=True)]).mean(0)
keys = space.latents(torch.stack([home.roll(k) for k in range(12)]))
print(of_points(keys, draws=999 if given.quick else 9999))
if given.out:
    given.out.write_bytes(png(ring_figure(keys, NAMES, winding=5)))
    print(f"drawn: {given.out} (the ring is known up to one rotation: labels would fix what its first place is called)")
