"""Learn the space that ``oplas studio --demo`` opens, and place songs in it: ``python benchmarks/train_demo.py [--quick]``.

Songs of the built-in band teach it that a mix is the sum of its stems; other songs of the band, never heard by it, are the points
of its map: every window's mix, each part alone, and all but each part. Their sound is played again where it is asked for, so
that only latents are kept. Minutes on two cores; the result is committed under ``src/oplas/studio/demo.space`` and beside it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from oplas import _artefact, certify, data
from oplas.data.band import Played, play
from oplas.data.pop909 import Key
from oplas.keys import KeySpace, durations
from oplas.mixing import forget_run, keep_certificate, learn_mixing, load_space
from oplas.space import Space
from oplas.studio.demo import KIND, POINTS, SEED, SONGS, SPACE

TEACH = 80


def learned(folder: Path, steps: int, songs: int) -> Space:
    """The space as it is shipped, in half precision."""
    heard = data.band(0, songs)
    space, history = learn_mixing(*heard.split(0.9, 0.1), folder, "mini", steps=steps, evidence=4096)
    print(history)
    forget_run(folder)
    space.half().save(folder)
    return load_space(folder)


def points(space: Space, songs: data.Stems) -> tuple[Tensor, list[tuple[int, float, str]]]:
    """Latents of mixes, parts, and mixes without a part, window by window; and song, start (s) and name of each."""
    encoder, rows, z = space.encoder, [], []
    for slot in songs.grid(encoder.rate, encoder.samples, encoder.samples):
        scene = songs.scene(slot, encoder.rate, encoder.samples)
        whole = scene.parts.sum(0, keepdim=True)
        waves = [whole, scene.parts]
        names = ["mix", *scene.labels]
        if len(scene.labels) > 2:
            waves.append(whole - scene.parts)
            names += [f"mix - {label}" for label in scene.labels]
        with torch.no_grad():
            z.append(space(torch.cat(waves)))
        rows += [(slot.song, slot.start / encoder.rate, name) for name in names]
    return torch.cat(z), rows


def key_space(played: list[Played]) -> KeySpace:
    """Learned without a label; its places are named by the songs' own key signatures."""
    y = durations([each.notes for each in played])
    named = [Key((each.signature - 3 * each.minor) % 12, each.minor) for each in played]
    return KeySpace.learn(y).calibrate(y, named)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a few songs and steps, written beside nothing that is shipped")
    asked.add_argument("--out", type=Path, default=SPACE.parent)
    quick, out = (given := asked.parse_args()).quick, given.out
    began, count = time.monotonic(), 4 if quick else SONGS
    space = learned(out / SPACE.name, 60 if quick else 1500, 12 if quick else TEACH)
    songs = data.band(SEED, count)
    certificate = certify(space, songs, seed=1)
    print(certificate)
    keep_certificate(space, out / SPACE.name, certificate)
    space.half().save(out / SPACE.name)
    z, rows = points(load_space(out / SPACE.name), songs)
    keys = key_space([play(0, index) for index in range(12 if quick else TEACH)])
    assert keys.mode is not None
    assert keys.offset is not None
    parts = sorted({name for _, _, name in rows})
    tensors = {
        "z": z.half(),
        "song": torch.tensor([song for song, _, _ in rows], dtype=torch.int16),
        "start": torch.tensor([start for _, start, _ in rows]),
        "part": torch.tensor([parts.index(name) for _, _, name in rows], dtype=torch.int8),
        "key.shape": keys.shape,
        "key.offset": torch.tensor(keys.offset),
        "key.mode": keys.mode,
    }
    file = _artefact.save_file(out / POINTS.name, tensors, {"parts": parts, "certificate": certificate.to_dict()}, kind=KIND)
    print(f"{len(z)} points; {file.stat().st_size / 1e6:.2f} MB; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
