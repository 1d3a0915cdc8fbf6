"""Is there a circle of fifths, a chromatic ring, an octave, a tempo ring in a space? The music geometry meter, on many spaces."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from _harness import SHARED, Benchmark
from _pop import load
from _skipgram import chords, embed, ring_of, slices, triad
from _songs import is_test
from _sound import RATE, SECONDS, TEMPI, held_out, played
from torch import Generator, Tensor

from oplas import Space, learn
from oplas._download import cache_folder
from oplas.actions.pianoroll import Transpose
from oplas.data.pop909 import NAMES, Song
from oplas.data.rolls import Rolls
from oplas.encoders import Encoder, freeze, jamendo, mini
from oplas.encoders.mini import Mini
from oplas.encoders.rolls import pitch_durations
from oplas.encoders.skey import skey
from oplas.keys import KeySpace, durations
from oplas.laws import Equivariance, nondegenerate
from oplas.measure.rings import Geometry, Near, geometry, near, of_points
from oplas.operators import CyclicRotation
from oplas.projectors import MLP

SHIFTS = torch.arange(-12, 12)
DOUBLING = 4  # steps of TEMPI in which the tempo doubles


def show(bench: Benchmark, space: str, heard: str, found: Geometry, tempo: Near | None = None, **more: Any) -> Geometry:
    """One row of the table."""
    moves: dict[str, Any] = {}
    for name, each in (("octave", found.octave), ("tempo", tempo)):
        moves |= {name: each and each.gain, f"{name}_p": each and each.p, f"{name}_rank": each and each.rank}
    bench.row(space=space, heard=heard, songs=found.songs or None, fifths=found.fifths.score, fifths_p=found.fifths.p,
              chromatic=found.chromatic.score, chromatic_p=found.chromatic.p, **moves, verdict=found.verdict, **more)  # fmt: skip
    return found


def symbolic(bench: Benchmark, songs: list[Song]) -> None:
    """Spaces of note durations: learned on songs that are not measured."""
    fit = [song for song in songs if not is_test(song.name)]
    test = [song for song in songs if is_test(song.name) and song.key is not None]
    key = torch.tensor([song.key.signature for song in test if song.key])
    y = durations([song.notes for song in test], 128)
    moved = torch.stack([y.roll(int(shift), 1) for shift in SHIFTS], 1)
    folded = moved.unflatten(2, (-1, 4)).new_zeros(*moved.shape[:2], 12).index_add_(2, torch.arange(128) % 12, moved)

    def each(project: Callable[[Tensor], Tensor], codes: Tensor) -> Tensor:
        return project(codes.flatten(0, 1)).unflatten(0, codes.shape[:2])

    ring = KeySpace.learn(durations([song.notes for song in fit]))
    show(bench, "learned ring (benchmarks/keys.py)", "notes", geometry(each(ring.latents, folded), SHIFTS, key))
    for seed in bench.seeds(3):
        space = trained(bench, [song.notes for song in fit], seed, learning=True)
        show(bench, f"learned by gradient, seed {seed}", "notes", geometry(each(space, moved.float()), SHIFTS, key))
    untrained = trained(bench, [song.notes for song in fit], 0, learning=False)
    show(bench, "its untrained self", "notes", geometry(each(untrained, moved.float()), SHIFTS, key))
    show(bench, "pitch durations, 128", "notes", geometry(moved, SHIFTS, key))
    show(bench, "pitch-class durations, 12", "notes", geometry(folded, SHIFTS, key))
    show(
        bench,
        "random vectors",
        "nothing",
        geometry(torch.randn((*moved.shape[:2], 12), generator=Generator().manual_seed(0)), SHIFTS, key),
    )


def trained(bench: Benchmark, notes: list[Any], seed: int, *, learning: bool) -> Callable[[Tensor], Tensor]:
    """An MLP on the durations of 128 pitches, which are not told that octaves are alike, under Transpose -> CyclicRotation."""
    torch.manual_seed(seed)
    encoder = pitch_durations()
    law = Equivariance(Transpose(-6, 6), CyclicRotation(10, 12, (1, 2, 3, 4, 5)))
    space = Space(encoder, MLP(128, 10, hidden=96, blocks=1), laws=[law, *nondegenerate()])
    data, valid = Rolls(notes[:: bench.pick(6, 1)]).split(0.9, 0.1, seed=seed)
    generator = Generator().manual_seed(seed)
    evidence = [law.trials(encoder, part, count, generator) for part, count in ((data, bench.pick(200, 3000)), (valid, 400))]
    assert evidence[0] is not None
    if learning:
        learn(space, evidence[0], evidence[1], seed=seed, steps=bench.pick(50, 600), batch=256, rate=2e-3, progress=False)
    else:
        space.projector.prepare(evidence[0].codes)
    return lambda y: space.eval().project(y).detach()


def words(bench: Benchmark, songs: list[Song]) -> None:
    """Skip-gram vectors, trained on songs as they are: nobody told them of transposition."""
    texts = {"chords": [chords(song) for song in songs], "slices": [slices(song) for song in songs]}
    rings: dict[str, dict[str, list[Any]]] = {
        "chords": {mode: [f"{name}:{mode}" for name in NAMES] for mode in ("maj", "min")},
        "slices": {mode: [triad(root, mode == "min") for root in range(12)] for mode in ("maj", "min")},
    }
    for kind, heard in texts.items():
        for seed in bench.seeds(3):
            vectors = embed(heard, seed=seed, steps=bench.pick(20, 300))
            for mode, twelve in rings[kind].items():
                show(bench, f"skip-gram of {kind}, {mode}, seed {seed}", kind, of_points(ring_of(vectors, twelve)))
        order = torch.Generator().manual_seed(0)
        mixed = [[text[i] for i in torch.randperm(len(text), generator=order).tolist()] for text in heard]
        loose = [word for text in heard for word in text]
        loose = [loose[i] for i in torch.randperm(len(loose), generator=order).tolist()]
        for control, given in (("shuffled within songs", mixed), ("shuffled over all songs", [loose])):
            vectors = embed(given, steps=bench.pick(20, 300))
            show(bench, f"skip-gram of {kind}, maj, {control}", kind, of_points(ring_of(vectors, rings[kind]["maj"])))


@cache
def encoder(name: str) -> Encoder:
    """One of the audio encoders, by name."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = SHARED / "encoders"
    if name.startswith("jamendo"):
        kind = "fcn" if name.endswith("fcn") else "musicnn"
        return jamendo(kind, folder / f"jamendo_{kind}.pth")
    return {"skey": lambda: skey(folder / "skey.safetensors"), "oplas-mini": mini, "oplas-mini, untrained": lambda: freeze(Mini())}[
        name
    ]()


def listen(song: Song, names: tuple[str, ...]) -> list[tuple[Tensor, Tensor]]:
    """Each encoder's codes of the song in every transposition and at every tempo; what was heard once is kept on disk."""
    from safetensors.torch import load_file, save_file

    takes: tuple[Tensor, Tensor] | None = None
    found = []
    for name in names:
        kept = cache_folder() / "geometry" / f"{song.name}-{encoder(name).identity}-{SECONDS:.0f}.safetensors"
        if not kept.is_file():
            takes = takes or played(song, SHIFTS, TEMPI)
            codes = [torch.stack([code(encoder(name), wave) for wave in each]) for each in takes]
            kept.parent.mkdir(parents=True, exist_ok=True)
            beside = kept.with_suffix(f".{os.getpid()}")
            save_file({"shifts": codes[0], "tempi": codes[1]}, beside)
            os.replace(beside, kept)
        codes = load_file(kept)
        found.append((codes["shifts"], codes["tempi"]))
    return found


def heard(bench: Benchmark, chosen: list[Song], names: tuple[str, ...]) -> None:
    """Audio encoders, on held-out songs rendered in 24 transpositions and at 13 tempi."""
    key = torch.tensor([song.key.signature for song in chosen if song.key])
    for name, pairs in zip(names, zip(*(listen(song, names) for song in chosen), strict=True), strict=True):
        z, tempo = (torch.stack(each) for each in zip(*pairs, strict=True))
        show(bench, name, "audio", geometry(z, SHIFTS, key), near(tempo, DOUBLING))
        if name == "skey":
            show(bench, "skey, logarithm", "audio", geometry(z.log(), SHIFTS, key), near(tempo.log(), DOUBLING))
    generator = Generator().manual_seed(0)
    z, tempo = (torch.randn(len(chosen), count, 64, generator=generator) for count in (len(SHIFTS), len(TEMPI)))
    show(bench, "random vectors", "audio's shape", geometry(z, SHIFTS, key), near(tempo, DOUBLING))


def code(encoder: Encoder, wave: Tensor, most: int = 2) -> Tensor:
    """The mean code of a few windows spread over the excerpt."""
    import soxr

    if encoder.rate != RATE:
        wave = torch.from_numpy(soxr.resample(wave.numpy(), RATE, encoder.rate))
    wave = torch.nn.functional.pad(wave, (0, max(0, encoder.samples - len(wave))))
    room = len(wave) - encoder.samples
    count = 1 if encoder.samples > 5 * encoder.rate else most
    windows = torch.stack([wave[(at := i * room // max(count - 1, 1)) : at + encoder.samples] for i in range(count)])
    return encoder.encode(windows, batch=4).mean(0)


def main() -> None:
    bench = Benchmark("geometry", "Is there a circle of fifths, a chromatic ring, an octave, a ring of tempi in a space?")
    songs = load()[:: bench.pick(8, 1)]
    chosen = held_out(songs, bench.pick(1, 8))
    names = ("skey", "oplas-mini", *bench.pick((), ("oplas-mini, untrained", "jamendo musicnn", "jamendo fcn")))
    symbolic(bench, songs)
    words(bench, songs)
    heard(bench, chosen, names)
    bench.note(
        "fifths, chromatic: share of the scatter of twelve points, one a key, that lies on a circle walked in that order; p: share "
        "of 9999 random orders of the points that do as well. Song and height (a cubic over two octaves) are taken out first."
    )
    bench.note(
        "octave, tempo: how much nearer moves of 12 semitones, or to twice the tempo, end than moves a step smaller or larger, in "
        "units of the scatter; p: random signs of songs; rank: how many other moves are more so."
    )
    bench.note(
        "A chromatic ring is believed only where octaves, if heard, are surely alike (p <= 0.01, rank 0). skey is the positive "
        "control: its output turns when the music is transposed, by design; but what turns need not be ring-shaped."
    )
    bench.note(
        "Words shuffled within each song keep its key and lose its order; shuffled over all songs they lose both. What the notes' "
        "own durations show (pitch-class durations) no network had to learn."
    )
    bench.note(
        "Codes of sound are kept on disk: CPU seconds do not count what an earlier run, stopped or beside this one, had heard."
    )
    named = {row["space"]: row for row in bench.rows}
    ours, word = named["learned ring (benchmarks/keys.py)"], named["skip-gram of chords, maj, seed 0"]
    random = [row for row in bench.rows if row["space"] == "random vectors"]
    figures = {"learned_fifths": ours["fifths"], "learned_p": ours["fifths_p"]}
    figures |= {
        "skipgram_fifths": word["fifths"],
        "skipgram_p": word["fifths_p"],
        "random_p": min(row["fifths_p"] for row in random),
    }
    bench.finish("shared: POP909; encoders as named", **figures)


if __name__ == "__main__":
    main()
