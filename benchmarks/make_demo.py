"""Make the space that ``oplas studio --demo`` opens: ``python benchmarks/make_demo.py [--out FOLDER]``.

Mel powers, each in units of its standard deviation over songs of the built-in band: a space in which the law of mixing holds by
nature, certified like any other. Its map holds other songs of the band: every window's mix, each part alone, and all but each
part. Their sound is played again when it is asked for, so only latents are kept, and the faders learned on them. Minutes; the
result is committed in ``src/oplas/studio``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from oplas import Space, _artefact, certify
from oplas.algebra import calibrate
from oplas.data import Stems
from oplas.data.band import Played, play
from oplas.data.pop909 import Key
from oplas.encoders import power_mel
from oplas.faders import FaderSet, learn_faders
from oplas.keys import KeySpace, durations
from oplas.studio.demo import FADERS, KIND, POINTS, RATE, SEED, SONGS, demo_space, heard

OTHERS = 30


def units(songs: Stems) -> Tensor:
    """Standard deviation of each of the encoder's numbers over these songs' parts and mixes, ``[288]``."""
    encoder, codes = power_mel(), []
    for slot in songs.grid(encoder.rate, encoder.samples):
        parts = songs.scene(slot, encoder.rate, encoder.samples).parts
        codes.append(encoder.encode(torch.cat([parts, parts.sum(0, keepdim=True)])))
    return torch.cat(codes).std(0).clamp_min(1e-6)


def points(space: Space, songs: Stems) -> tuple[Tensor, Tensor, list[tuple[int, float, str]]]:
    """Latents and levels (dB) of mixes, parts, and mixes without a part, by window; and song, start (s) and name of each."""
    encoder, rows, z, levels = space.encoder, [], [], []
    for slot in songs.grid(encoder.rate, encoder.samples):
        scene = songs.scene(slot, encoder.rate, encoder.samples)
        whole = scene.parts.sum(0, keepdim=True)
        waves, names = [whole, scene.parts], ["mix", *scene.labels]
        if len(scene.labels) > 2:
            waves.append(whole - scene.parts)
            names += [f"mix-{label}" for label in scene.labels]
        windows = torch.cat(waves)
        z.append(space(windows).detach())
        levels.append(10 * windows.square().mean(1).log10())
        rows += [(slot.song, slot.start / encoder.rate, name) for name in names]
    return torch.cat(z), torch.cat(levels), rows


def key_space(played: list[Played]) -> KeySpace:
    """Learned without a label; its places are named by the songs' own key signatures."""
    y = durations([each.notes for each in played])
    return KeySpace.learn(y).calibrate(y, [Key((each.signature - 3 * each.minor) % 12, each.minor) for each in played])


def scores(played: list[Played]) -> Tensor:
    """Song, onset, length, pitch, velocity and part of every note, ``[notes, 6]``."""
    rows = []
    for song, each in enumerate(played):
        notes = each.notes
        columns = (torch.full((len(notes),), song), notes.onset, notes.length, notes.pitch, notes.velocity, notes.part)
        rows.append(torch.stack([column.float() for column in columns], 1))
    return torch.cat(rows)


def faders(z: Tensor, level: Tensor, rows: list[tuple[int, float, str]]) -> FaderSet:
    """Level, and more or less of each instrument, from the windows with and without it."""
    at = {row: i for i, row in enumerate(rows)}
    pairs, values = {}, {"level": level}
    for label in ("drums", "bass", "chords", "lead"):
        both = [(at[song, start, f"mix-{label}"], i) for (song, start, what), i in at.items()
                if what == "mix" and (song, start, f"mix-{label}") in at]  # fmt: skip
        before, after = (z[[pair[side] for pair in both]] for side in (0, 1))
        pairs[label] = (before, after, torch.ones(len(both)))
        values[label] = torch.tensor([float(heard(what, label)) for _, _, what in rows])
    return learn_faders(z, values, [song for song, _, _ in rows], units={"level": "dB"}, pairs=pairs)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=POINTS.parent)
    out = asked.parse_args().out
    others, played = [play(0, index) for index in range(OTHERS)], [play(SEED, index) for index in range(SONGS)]
    learned_from, shown = (Stems.from_arrays({each.notes.name: each.waves for each in some}, RATE) for some in (others, played))
    space = demo_space(units(learned_from))
    certificate = certify(space, shown, seed=1)
    print(certificate)
    calibration = calibrate(space, learned_from, per_song=12)
    print(calibration)
    z, level, rows = points(space, shown)
    moving = faders(z, level, rows)
    print(moving)
    moving.save(out / FADERS.name)
    keys = key_space(others)
    assert keys.mode is not None
    parts = sorted({name for _, _, name in rows})
    tensors = {
        "unit": space.projector.unit,
        "z": z.half(),
        "level": level,
        "song": torch.tensor([song for song, _, _ in rows], dtype=torch.int16),
        "start": torch.tensor([start for _, start, _ in rows]),
        "part": torch.tensor([parts.index(name) for _, _, name in rows], dtype=torch.int16),
        "notes": scores(played),
        "tempo": torch.tensor([each.tempo for each in played]),
        "key.shape": keys.shape,
        "key.offset": torch.tensor(keys.offset),
        "key.mode": keys.mode,
    }
    known = {key: value for key, value in calibration.to_dict().items() if key != "identity"}
    card = {
        "parts": parts, "instruments": [list(each.notes.parts) for each in played],
        "certificate": certificate.to_dict(), "calibration": known,
    }  # fmt: skip
    file = _artefact.save_file(out / POINTS.name, tensors, card, kind=KIND)
    print(f"{len(z)} points, {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
