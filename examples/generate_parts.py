"""Parts that were never played: made up, made to go with a part that is given, or varied.

python examples/generate_parts.py my/songs --out new       (a folder of songs, no stems; an hour on a CPU)
python examples/generate_parts.py --quick                  (the built-in band, so small that it says little, in seconds)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from oplas import data
from oplas.data.audio import write
from oplas.decompose import Decomposition, learn
from oplas.decompose.listening import Heard
from oplas.decompose.naming import guess_names
from oplas.report.decomposed import write_page

SECONDS = 6.0


def sounds(made: Decomposition, song: torch.Tensor) -> list[Heard]:
    """Made up, accompanied and varied, all at the codec's rate."""
    rate, (first, *others) = made.codec.rate, made.names
    part = made.split(song, rate)[0]
    free = made.generate(SECONDS, seed=1)
    fitted = made.generate(SECONDS, given={first: part}, seed=1)
    again = made.vary(song, rate, parts=others, strength=0.5, seed=1)
    return [
        Heard("Made up", "all parts", "generated", free.sum(0)),
        *(Heard("Made up", name, "generated", each) for name, each in zip(made.names, free, strict=True)),
        Heard("To go with what is given", first, "given: a part of a song", part),
        Heard("To go with what is given", "all parts", f"{', '.join(others)} generated", fitted.sum(0)),
        Heard("Varied", "the song", "as it is", song),
        Heard("Varied", "the song, varied", f"{', '.join(others)} varied by a half", again.sum(0)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", nargs="?", help="folder of songs; default the built-in band")
    parser.add_argument("--parts", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=Path, help="folder for sounds and a page")
    parser.add_argument("--quick", action="store_true", help="a small model, a few steps")
    given = parser.parse_args()
    how = {"size": "S", "steps": 4} if given.quick else {"minutes": given.minutes}

    band = data.band(seed=0, songs=6 if given.quick else 40, seconds=8.0)
    made = learn(given.songs or band, given.parts, **how)  # one number a moment and part, from which all is rendered
    rate, samples = made.codec.rate, round(SECONDS * made.codec.rate)
    song = band.scene(band.grid(rate, samples)[0], rate, samples).parts.sum(0)
    made.names = guess_names(made.split(song, rate), rate)
    found = sounds(made, song)
    for each in found:
        print(f"{each.heading:<26}{each.name:<20}{each.meaning:<36}rms {float(each.wave.square().mean().sqrt()):.3f}")
    if given.out:
        for index, each in enumerate(found):
            write(given.out / f"{index} {each.name.replace('/', '-')}.wav", each.wave.numpy(), rate)
        print(f"listen: {write_page(found, rate, given.out / 'index.html', 'Parts that were never played')}")


if __name__ == "__main__":
    main()
