"""Take the drums out of a mix in a space, and look for what is left: search by algebra on files.

    python examples/apply.py [mix.space folder 'mix.wav - drums.wav'] [--quick]

Without arguments the space is the power mel spectrogram, in which sums hold by nature, and the files are a song of the
built-in band, written to a temporary folder.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from oplas import Space, certify, data
from oplas import encoders as enc
from oplas.algebra import search
from oplas.data.audio import write
from oplas.data.write import write_stems
from oplas.mixing import load_space, mixing_law

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("space", nargs="?", help="folder of a saved space")
arguments.add_argument("folder", nargs="?", help="folder to search")
arguments.add_argument("expression", nargs="?", default="mixture.wav - drums.wav")
arguments.add_argument("--quick", action="store_true", help="no difference here: it is quick")
given = arguments.parse_args()

with tempfile.TemporaryDirectory() as scratch:
    space, folder, certificates = Space(enc.power_mel(), laws=[mixing_law()]), Path(given.folder or scratch), []
    if given.space:
        space = load_space(given.space)  # its card holds its certificate
    else:
        certificates = [certify(space, data.band(seed=1, songs=4, seconds=9.0), trials=60)]
        song = next(iter(write_stems(data.band(seed=0, songs=1, seconds=12.0), folder, mixture=True)))
        without = sum(data.audio.read(song / f"{name}.wav", 16000) for name in ("bass", "chords", "lead"))
        write(song / "without_drums.wav", without, 16000)
    print(search(space, given.expression, folder, k=3, certificates=certificates))
