"""Where does a phrase come from? Four bars of a song, in another key, shifted, and with notes left out, looked for in many songs.

python examples/motifs.py my/midi        (a folder of MIDI files)
python examples/motifs.py                (40 songs of POP909, downloaded once; minutes on a CPU)
python examples/motifs.py --quick        (made-up melodies; seconds)
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch
from torch import Generator

from oplas import data
from oplas.motifs import find_motif
from oplas.rollspace import RollSpace

BARS = 4


def melodies(count: int) -> list[data.Notes]:
    """Melodies that wander, 64 beats each."""
    made = []
    for seed in range(count):
        draw = Generator().manual_seed(seed)
        pitch = 60 + torch.randint(-3, 4, (128,), generator=draw).cumsum(0) % 17
        heard = torch.rand(128, generator=draw) < 0.7
        rows = [(beat / 2, 0.5, int(each)) for beat, (each, on) in enumerate(zip(pitch, heard, strict=True)) if on]
        made.append(data.Notes.of(rows, name=f"melody {seed}"))
    return made


def disguised(song: data.Notes, first: float, generator: Generator) -> data.Notes:
    """Four bars of the song's first part, a fourth lower, three sixteenths later, without a fifth of their notes."""
    phrase = song.only(song.parts[0])
    keep = (phrase.onset >= first) & (phrase.onset < first + 4 * BARS) & (torch.rand(len(phrase), generator=generator) > 0.2)
    there = phrase.pick(keep).between(first, first + 4 * BARS)
    return replace(there.transpose(-5), onset=there.onset + 3 / 4, name=f"from {song.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="of MIDI files; default POP909")
    parser.add_argument("--quick", action="store_true", help="a few made-up melodies")
    options = parser.parse_args()
    if options.quick:
        songs = melodies(6)
    else:
        songs = data.midi(options.folder).songs if options.folder else [song.notes for song in data.pop909()[:40]]
    space = RollSpace.load()
    for song in songs[:: max(len(songs) // 3, 1)][:3]:
        phrase = disguised(song, 4 * round(song.beats / 8), Generator().manual_seed(1))
        print(f"\n{phrase.name}, beat {4 * round(song.beats / 8)}: {len(phrase)} notes, a fourth lower and late")
        print(find_motif(phrase, songs, space, k=3))


if __name__ == "__main__":
    main()
