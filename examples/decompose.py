"""Learn the parts of songs without labels or stems, take one apart that was not learned from, and listen.

python examples/decompose.py my/songs            (a folder of songs, no stems; minutes on a CPU)
python examples/decompose.py                     (the built-in band, whose stems are known, so that the parts can be judged)
python examples/decompose.py --quick             (so small that it says little, in seconds)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from oplas import data
from oplas.data.stems import Stems
from oplas.decompose import Decomposition, from_songs
from oplas.decompose.apply import apply
from oplas.decompose.listening import heard, loudest
from oplas.embed import audio_files
from oplas.measure.separation import separation
from oplas.report.decomposed import write_page
from oplas.separators import HPSS

RATE, SECONDS = 24_000, 6


def judge(made: Decomposition, songs: Stems) -> None:
    """Drums against all else, in windows of songs that were not learned from, beside what needs no learning."""
    sources, song = [], []
    for slot in songs.grid(RATE, SECONDS * RATE):
        if "drums" in slot.labels and len(slot.labels) > 1:
            scene = songs.scene(slot, RATE, SECONDS * RATE)
            drums = scene.parts[scene.labels.index("drums")]
            sources.append(torch.stack([drums, scene.parts.sum(0) - drums]))
            song.append(slot.song)
    for name, split in (("learned", made.split), ("HPSS", HPSS()), ("the song itself", lambda mix, rate: mix.expand(2, -1))):
        print(f"{name:<16}{separation(sources, [split(each.sum(0), RATE) for each in sources], song, within='all')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", nargs="?", type=Path, help="folder of songs; default the built-in band")
    parser.add_argument("--parts", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--out", type=Path, help="folder for the model, and a song taken apart with a page to listen to")
    parser.add_argument("--quick", action="store_true", help="a small model, a few steps")
    given = parser.parse_args()
    how = {"size": "S", "steps": 4} if given.quick else {"minutes": given.minutes}

    if given.songs:
        files = audio_files(given.songs)
        train, last = files[:-1], files[-1]
        made = from_songs(train, given.parts, **how)
        wave, rate, _ = loudest(last, 15)
    else:
        songs = data.band(seed=0, songs=6 if given.quick else 40, seconds=8.0 if given.quick else 30.0)
        heard_songs, unheard = songs.split(0.75, 0.25)
        made = from_songs(heard_songs, given.parts, **how)
        if made.parts == 2:
            judge(made, unheard)
        scene = unheard.scene(unheard.grid(RATE, SECONDS * RATE)[0], RATE, SECONDS * RATE)
        wave, rate = scene.parts.sum(0), RATE
    lack = float((made.split(wave, rate).sum(0) - wave).abs().max())
    print(f"parts: {', '.join(made.names)}; of a song they lack {lack:.0e} together")

    if given.out:
        made.save(given.out / "my.parts")
        if given.songs:
            print(apply(made.split, last, given.out / last.stem, made.names))
        print(f"listen: {write_page(heard(made, wave, rate), rate, given.out / 'index.html', 'Parts')}")


if __name__ == "__main__":
    main()
