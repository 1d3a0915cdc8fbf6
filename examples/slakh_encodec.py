"""Parts without labels in the setting of the paper: two instruments of Slakh2100, EnCodec's latents, the ``paper`` sizes.

    python examples/slakh_encodec.py path/to/slakh2100_flac_redux            (a GPU and a day; EnCodec is downloaded once)
    python examples/slakh_encodec.py path/to/slakh --pair bass piano --steps 50000 --out mine
    python examples/slakh_encodec.py --quick                                 (a stand-in: made-up songs, a random EnCodec)

A. Bindi and P. Esling, "Unsupervised Composable Representations for Audio", 2024, https://arxiv.org/abs/2408.09792; Slakh2100 is
https://doi.org/10.5281/zenodo.4599666: train/, validation/ and test/, a folder a song with stems/S00.flac ... and metadata.yaml.
Needs pip install 'oplas[hub]'. As in the paper, windows are 512 frames (6.8 s) in which both instruments are heard, and nobody
says which is which. Unlike in the paper, every window is brought to one level, and scores are against the original stems, not
against stems that went through the codec; how much the codec alone costs is printed beside.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from oplas import DataError, data
from oplas.codecs import Codec, Encodec
from oplas.data.audio import write
from oplas.data.song import Song
from oplas.data.stems import Stems
from oplas.decompose import Decomposition, learn
from oplas.decompose.sizes import preset
from oplas.measure.separation import Separation, separation


def pairs(folder: Path, wanted: Sequence[str]) -> Stems:
    """The songs under a folder in which all the wanted instruments play, and of those only they."""
    kept = []
    for song in data.stems(folder).songs:
        parts = tuple(part for part in song.parts if part.label in wanted)
        if len(parts) == len(wanted):
            kept.append(Song(song.name, parts))
    if not kept:
        raise DataError(f"no song under {folder} has {' and '.join(wanted)}; classes are Slakh's, in small letters, as bass")
    return Stems(kept)


def judged(made: Decomposition, songs: Stems, count: int, steps: int) -> dict[str, Separation]:
    """Windows against the original stems, in the best order in each, as in the paper."""
    codec, samples = made.codec, made.codec.samples(preset(made.model.size).frames)
    slots = [slot for slot in songs.grid(codec.rate, samples) if len(slot.labels) == made.parts]
    slots = slots[:: max(len(slots) // count, 1)][:count]
    sources = [songs.scene(slot, codec.rate, samples).parts / made.parts for slot in slots]
    song = [slot.song for slot in slots]
    ways = {
        "alone, as in the paper": [made.split(s.sum(0), codec.rate, steps=steps, consistent=False) for s in sources],
        "sharing the mixture out": [made.split(s.sum(0), codec.rate, steps=steps) for s in sources],
        "encoded and decoded": [codec.decode(codec.encode(s), samples=samples) for s in sources],
        "the mixture": [s.sum(0).expand_as(s) for s in sources],
    }
    return {name: separation(sources, each, song, within="window") for name, each in ways.items()}


def stand_in(folder: Path) -> tuple[Path, Codec]:
    """Songs of the built-in band as Slakh has its own, and EnCodec's architecture, tiny and untrained: no figure means anything."""
    for split, seed in (("train", 0), ("test", 1)):
        for number, song in enumerate(data.band(seed, songs=3, seconds=4.0).songs):
            track = folder / "slakh" / split / f"Track{number:05}"
            metadata = ["stems:"]
            for index, part in enumerate(song.parts):
                wave = song.window((part.label,), 0, 24_000, song.length(24_000))[0]
                write(track / "stems" / f"S{index:02}.wav", wave, 24_000)
                metadata += [f"  S{index:02}:", f"    inst_class: {part.label.capitalize()}"]
            (track / "metadata.yaml").write_text("\n".join(metadata))
    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(0)
    config = EncodecConfig(hidden_size=16, num_filters=4, codebook_size=64, target_bandwidths=[6.0], num_lstm_layers=1)
    EncodecModel(config).save_pretrained(folder / "encodec")
    return folder / "slakh", Encodec(folder / "encodec")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("slakh", nargs="?", type=Path, help="folder that holds train/ and test/")
    arguments.add_argument("--pair", nargs="+", default=["drums", "bass"], metavar="CLASS", help="instrument classes of Slakh")
    arguments.add_argument("--steps", type=int, help="of learning; default the paper's")
    arguments.add_argument("--out", type=Path, default=Path("slakh_parts"), help="folder for the state and the result")
    arguments.add_argument("--quick", action="store_true", help="run on the stand-in")
    given = arguments.parse_args()
    if given.slakh is None and not given.quick:
        arguments.error("name the folder of Slakh2100, or pass --quick")
    with tempfile.TemporaryDirectory() as scratch:
        if given.quick:
            try:
                given.slakh, codec = stand_in(Path(scratch))
            except ImportError:
                return print("transformers is not installed, so there is no EnCodec: pip install 'oplas[hub]'")
            given.out, given.steps = Path(scratch) / "out", 3
        else:
            codec = Encodec()
        made = learn(
            pairs(given.slakh / "train", given.pair),
            len(given.pair),
            codec=codec,
            size="S" if given.quick else "paper",
            steps=given.steps,
            folder=given.out / "state",
            device="cuda" if torch.cuda.is_available() else "cpu",
        )
        made.save(given.out / "parts.safetensors")
        test = pairs(given.slakh / "test", given.pair)
        answer = judged(made, test, 4 if given.quick else 400, 2 if given.quick else 50)
        for name, row in answer.items():
            print(f"{name:>24}: {row}")
        for part, wave in zip(made.names, made.generate(1.0 if given.quick else 10.0), strict=True):
            write(given.out / f"generated {part}.wav", wave.numpy(), codec.rate)
    print(f"data: {'stand-in, random EnCodec' if given.quick else given.slakh}")
    told = {name: row.to_dict() for name, row in answer.items()}
    print(json.dumps({name: {f"si_{key}": row[key] for key in ("sdr", "sir", "sar")} for name, row in told.items()}))


if __name__ == "__main__":
    main()
