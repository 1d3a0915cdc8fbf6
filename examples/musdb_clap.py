"""Do projected sums align better with mix embeddings than in the original space? VGGish and CLAP on MUSDB18's stems.

    python examples/musdb_clap.py path/to/musdb18-wav     (train/ and test/, a folder a song: mixture.wav and four stems)
    python examples/musdb_clap.py --quick                 (a stand-in: the built-in band in the same layout, random models)

The question that Operational Latent Spaces (Hawley & Tackett 2024, https://arxiv.org/abs/2406.02699) left open. For each
encoder a space is learned on ``train`` and certified on ``test``; the row "encoder's own" is the original space. VGGish's
weights (288 MB) and CLAP's are downloaded where they are not at hand; CLAP needs pip install 'oplas[hub]'.
MUSDB18 (Rafii et al. 2017, https://doi.org/10.5281/zenodo.1117372) must be asked for and decoded to WAV by its user.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

import oplas
from oplas import actions as act
from oplas import data
from oplas import encoders as enc
from oplas.data.write import write_stems
from oplas.encoders.vggish import VGGish
from oplas.mixing import mixing_space

CLAP = "laion/clap-htsat-unfused"


def stand_in(folder: Path) -> Path:
    """Songs of the built-in band as MUSDB18 has its own: train/ and test/, mixture.wav and stems."""
    for part, seed in (("train", 0), ("test", 1)):
        for _ in write_stems(data.band(seed, songs=4, seconds=12.0), folder / part, mixture=True):
            pass
    return folder


def public() -> Iterator[enc.Encoder]:
    """The two encoders of the question."""
    yield enc.vggish()
    yield enc.huggingface(CLAP)


def random() -> Iterator[enc.Encoder]:
    """Their architectures, tiny and untrained: every line of this script runs, and no figure means anything."""
    torch.manual_seed(0)
    yield enc.freeze(VGGish(hidden=64))
    try:
        from transformers import ClapAudioConfig, ClapAudioModelWithProjection, ClapFeatureExtractor
    except ImportError:
        print("transformers is not installed, so CLAP is left out: pip install 'oplas[hub]'")
        return
    tower = ClapAudioConfig(
        spec_size=128, hidden_size=32, patch_embeds_hidden_size=4, depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2],
        projection_dim=16, window_size=2,
    )  # fmt: skip
    extractor = ClapFeatureExtractor(max_length_s=2, nb_max_samples=96_000, truncation="rand_trunc")
    yield enc.huggingface(ClapAudioModelWithProjection(tower).eval(), extractor=extractor)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("musdb", nargs="?", type=Path, help="folder that holds train/ and test/")
    arguments.add_argument("--quick", action="store_true", help="run on the stand-in")
    given = arguments.parse_args()
    if given.musdb is None and not given.quick:
        arguments.error("name the folder of MUSDB18 in WAV, or pass --quick")
    answer, mix = {}, act.Mix(2, 4)
    with tempfile.TemporaryDirectory() as scratch:
        musdb = stand_in(Path(scratch)) if given.musdb is None else given.musdb
        train, test = data.stems(musdb / "train"), data.stems(musdb / "test")
        for encoder in random() if given.quick else public():
            space = mixing_space(enc.Cached(encoder, Path(scratch) / "codes"), 8 if given.quick else 64)
            if given.quick:  # a few mixes, gathered once
                few = [
                    mix.trials(space.encoder, songs, count, torch.Generator().manual_seed(0))
                    for songs, count in ((train, 48), (test, 24))
                ]
                oplas.learn(space, few[0], few[0].pick(torch.arange(16)), steps=10)
                certificate = oplas.certify(space, few[1], seed=1)
            else:
                oplas.learn(space, train, seed=0, evidence=8192)
                certificate = oplas.certify(space, test, seed=1)
            print(f"\n== {encoder.name}\n{certificate}")
            rows = {row.space: row for row in certificate.rows}
            raw, learned = rows["encoder's own"], certificate.row
            answer[encoder.name] = {
                "r2": {"raw": raw.r2, "learned": learned.r2},
                "top1": {"raw": raw.top1, "learned": learned.top1},
                "better": learned.r2_low > raw.r2_high,
                "verdict": certificate.verdict,
            }
    print(f"\ndo projected sums align better? data: {'stand-in, random models' if given.quick else given.musdb}")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
