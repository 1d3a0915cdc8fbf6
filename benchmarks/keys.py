"""Which key is a transposed song in? A space learned without labels, in which transposition rotates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from _harness import Benchmark
from _pop import fifths, folds, krumhansl, load, mirex
from torch import Tensor

from oplas.data.notes import Notes
from oplas.data.pop909 import Key
from oplas.data.rolls import same_song
from oplas.keys import KeySpace, durations

FOLDS = 5
SHIFTS = tuple(range(-5, 7))
Answer = Callable[[Tensor], list[Key]]


def scores(found: Sequence[Key], true: Sequence[Key]) -> dict[str, float]:
    """Shares of exact keys and of key signatures, and the MIREX score."""
    pairs = list(zip(found, true, strict=True))
    far = [min(steps := (7 * (f.signature - t.signature)) % 12, 12 - steps) for f, t in pairs]
    return {
        "exact": sum(f == t for f, t in pairs) / len(pairs),
        "signature": sum(each == 0 for each in far) / len(pairs),
        "within_fifth": sum(each <= 1 for each in far) / len(pairs),
        "mirex": sum(mirex(f, t) for f, t in pairs) / len(pairs),
    }


def one_number(y: Tensor, keys: Sequence[Key]) -> Answer:
    """Signatures off the fifths' phase, one offset fitted by circular mean; the mode is always major."""
    turn = torch.tensor([2 * math.pi * (7 * key.signature % 12) / 12 for key in keys])
    offset = torch.angle((fifths(y) / fifths(y).abs() * torch.exp(-1j * turn)).sum())

    def answer(y: Tensor) -> list[Key]:
        steps = ((torch.angle(fifths(y)) - offset) * 12 / (2 * math.pi)).round().long() % 12
        return [Key(int(7 * step % 12), False) for step in steps]

    return answer


def learned(y: Tensor, keys: Sequence[Key], seed: int, shape: Tensor | None = None, **options: Any) -> Answer:
    """The space, calibrated on ``y`` and ``keys``; its shape learned from the unlabelled songs ``shape``, by default the same."""
    labelled = options.pop("labelled", y)
    return KeySpace.learn(y if shape is None else shape, seed=seed, **options).calibrate(labelled, keys).keys


def one_plane(y: Tensor, keys: Sequence[Key]) -> Answer:
    """The space reduced to its fifths plane: what is lost when only one plane may speak."""
    kept = torch.fft.rfft(KeySpace.learn(y).shape.log())
    kept[[0, 1, 2, 3, 4, 6]] = 0
    return KeySpace(torch.softmax(torch.fft.irfft(kept, 12), 0)).calibrate(y, keys).keys


def middle(song: Notes, beats: int) -> Notes:
    """So many beats of the song around its middle note."""
    start = max(float(song.onset.median()) - beats / 2, 0)
    return song.between(start, start + beats)


class Songs:
    """Songs in one key, and which of them are one song."""

    def __init__(self, notes: list[Notes], keys: list[Key], groups: list[list[int]]) -> None:
        self.notes, self.keys, self.groups = notes, keys, groups
        self.moved = {shift: durations([song.transpose(shift) for song in notes]) for shift in SHIFTS}

    def held_out(self, fit: Callable[[Tensor, list[Key]], Answer], seed: int = 0) -> dict[str, float]:
        """Every song answered once, by what was fitted on other songs; equivariance over its transpositions as note lists."""
        y, found, same = self.moved[0], dict[int, Key](), 0
        for fold in folds(self.groups, FOLDS, seed):
            rest = sorted(set(range(len(y))) - set(fold.tolist()))
            answer = fit(y[rest], [self.keys[i] for i in rest])
            here = answer(y[fold])
            found |= dict(zip(fold.tolist(), here, strict=True))
            for shift, moved in self.moved.items():
                wanted = [Key((key.tonic + shift) % 12, key.minor) for key in here]
                same += sum(a == b for a, b in zip(wanted, answer(moved[fold]), strict=True))
        equivariance = same / (len(y) * len(self.moved))
        return {**scores([found[i] for i in range(len(y))], self.keys), "equivariance": equivariance}


def main() -> None:
    bench = Benchmark("keys", "Which key is a transposed song in, asked of a space learned without labels?")
    pop = [song for song in load()[:: bench.pick(3, 1)] if song.key is not None]
    songs = Songs([song.notes for song in pop], [song.key for song in pop if song.key], same_song([song.notes for song in pop]))
    known = {"labels": "offset, mode", "seed": 0}
    bench.row(method="Krumhansl-Kessler", labels="none", seed=None, **scores(krumhansl(songs.moved[0]), songs.keys))
    bench.row(method="one number (fifths)", labels="offset", seed=0, **songs.held_out(one_number))
    ours = []
    for seed in bench.seeds(3):
        ours.append(songs.held_out(lambda y, keys, seed=seed: learned(y, keys, seed), seed))
        bench.row(method="learned ring", labels="offset, mode", seed=seed, **ours[-1])
    bench.row(method="its fifths plane alone", **known, **songs.held_out(one_plane))
    for few in (10, 30, 100):
        row = songs.held_out(lambda y, keys, few=few: learned(y[:few], keys[:few], 0, y))
        bench.row(method=f"learned ring, {few} songs labelled", **known, **row)
    for few in (10, 30, 100):
        row = songs.held_out(lambda y, keys, few=few: learned(y[:few], keys, 0, labelled=y))
        bench.row(method=f"learned ring, shape from {few} songs", **known, **row)
    for sharpness in (10.0, 1000.0):
        row = songs.held_out(lambda y, keys, sharpness=sharpness: learned(y, keys, 0, sharpness=sharpness))
        bench.row(method=f"learned ring, sharpness {sharpness:.0f}", **known, **row)
    for beats in bench.pick((32,), (8, 32, 128)):
        cut = [middle(song, beats) for song in songs.notes]
        row = Songs(cut, songs.keys, songs.groups).held_out(lambda y, keys: learned(y, keys, 0))
        bench.row(method=f"learned ring, {beats} beats from the middle", **known, **row)
    bench.note(
        f"{len(pop)} songs of POP909 in one key; {FOLDS} folds by song, songs with the same melody together: every figure is of "
        "songs that nothing was fitted on. The songs are 800 of the 909, so Krumhansl-Kessler is measured anew."
    )
    bench.note("Equivariance: the answer for the song transposed by -5 to 6 semitones, as a note list, is the answer transposed.")
    bench.note("The shape of the ring is learned from pitch-class durations without labels; labels fix one offset and the mode.")
    mean = {key: sum(row[key] for row in ours) / len(ours) for key in ("exact", "signature", "mirex", "equivariance")}
    bench.finish("shared: POP909, 800 songs", **mean)


if __name__ == "__main__":
    main()
