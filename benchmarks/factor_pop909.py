"""Pitch and time in spaces of real music: ``python benchmarks/factor_pop909.py``; benchmarks/train_rolls.py made the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from _harness import Benchmark
from _motifs import content, recalls
from _rolls import SEMITONES, SWEEP, WEIGHTS, Columns, crops, load_plain, load_soft, others, plain, split, trained
from torch import Generator, Tensor

from oplas.data.pianoroll import Crops
from oplas.data.rollviews import RollViews
from oplas.measure.factor import Factors, factor_report, look
from oplas.rollspace import RollSpace

PITCHES, TIMES = (-6, -4, -3, -2, -1, 1, 2, 3, 4, 6), (-8, -4, -2, 2, 4, 8)
#: Latents longer than this are judged in as many random directions, pitch and time beside them (Johnson & Lindenstrauss 1984).
WIDE = 254
RIDGES = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
SHOWN = ("cross", "same", "opposite", "angle_pitch", "angle_time", "translation_error", "top1", "own_move", "order_error",
         "linear", "effective_rank", "rank_moved")  # fmt: skip
Latents = Callable[[Tensor], Tensor]
Rolls = Callable[[Tensor], Tensor]
Moving = Callable[[Tensor, int], Tensor]


def short(encode: Latents) -> Latents:
    """The first two numbers, and the rest in ``WIDE`` fixed random directions where there are more."""

    def answer(rolls: Tensor) -> Tensor:
        z = encode(rolls)
        if z.shape[1] <= WIDE:
            return z
        draw = torch.randn(z.shape[1] - 2, WIDE, generator=Generator().manual_seed(0)) / math.sqrt(WIDE)
        return torch.cat([z[:, :2], z[:, 2:] @ draw], 1)

    return answer


def geometry(encode: Latents, windows: Crops, index: Tensor, grid: int) -> tuple[Factors, Factors]:
    """The probes on held-out windows, and on the null."""
    views = RollViews(windows)

    def see(rows: Tensor, moves: Tensor) -> Tensor:
        return views.seen(index[rows], moves.expand(len(rows), *moves.shape))

    moved = look(short(encode), see, len(index), PITCHES, TIMES, grid=grid, lot=512, progress=False)
    report = factor_report(moved)
    return report.row, report.rows["moves shuffled"]


def notes(rolls: Tensor) -> tuple[Tensor, Tensor]:
    """Where notes begin, ``[n, 128, steps]`` bool; how many cells each lasts. Read as ``unroll`` does."""
    onset = rolls[:, 0] > 0
    sounds = onset | (rolls[:, 1] > 0)
    before = torch.nn.functional.pad(sounds, (1, 0))[..., :-1]
    begins = onset | (sounds & ~before)
    steps = torch.arange(rolls.shape[3])
    stop = torch.where(begins | ~sounds, steps, rolls.shape[3])
    after = torch.nn.functional.pad(stop, (0, 1), value=rolls.shape[3])[..., 1:]
    return begins, after.flip(2).cummin(2).values.flip(2) - steps


def f1(found: Tensor, true: Tensor) -> tuple[float, float]:
    """Note F1 over all rolls: pitch and onset right, and the length as well."""
    (ours, long), (theirs, length) = notes(found), notes(true)
    total, right = int(ours.sum() + theirs.sum()), ours & theirs
    return 2 * int(right.sum()) / max(total, 1), 2 * int((right & (long == length)).sum()) / max(total, 1)


def drawn(logits: Tensor) -> Tensor:
    """A roll where logits are positive."""
    rolls = (logits > 0).float()
    rolls[:, 1] = rolls.amax(1)
    return rolls


@torch.no_grad()
def reconstruction(encode: Latents, decode: Rolls, move: Moving, rolls: Tensor) -> dict[str, float]:
    """Note F1 of rolls drawn from their latents, at rest and transposed by every step from -6 to 6."""
    z = encode(rolls)
    still, whole = f1(decode(z), rolls)
    far = [f1(decode(move(z, s)), rolls.roll(s, 2))[0] for s in range(-SEMITONES, SEMITONES + 1) if s]
    return {"f1": still, "f1_with_length": whole, "transposed_note_f1": sum(far) / len(far), "transposed_worst": min(far)}


@torch.no_grad()
def kept(encode: Latents, train: Tensor, test: Tensor) -> dict[str, float]:
    """What a linear probe reads from z about content: R² of the shares of 12 pitch classes, and of onsets in 16 steps of a bar."""
    answers = {}
    z, held = (short(encode)(x).double() for x in (train, test))
    mean, std = z.mean(0), z.std(0).clamp_min(1e-9)
    z, held = ((each - mean) / std for each in (z, held))
    cut = len(z) * 4 // 5
    for name, target in (("chroma_r2", _chroma), ("rhythm_r2", _rhythm)):
        y, true = target(train), target(test)
        ridge = max(RIDGES, key=lambda r: _explained(_ridge(z[:cut], y[:cut], r), z[cut:], y[cut:]))
        answers[name] = _explained(_ridge(z, y, ridge), held, true)
    return answers


def _ridge(z: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    return torch.linalg.solve(z.T @ z + ridge * torch.eye(z.shape[1], dtype=z.dtype), z.T @ (y - y.mean(0))), y.mean(0)


def _explained(fit: tuple[Tensor, Tensor], z: Tensor, y: Tensor) -> float:
    return 1 - float((z @ fit[0] + fit[1] - y).square().sum() / (y - y.mean(0)).square().sum())


def _chroma(rolls: Tensor) -> Tensor:
    time = torch.nn.functional.pad(rolls[:, 1].sum(2), (0, 4)).unflatten(1, (-1, 12)).sum(1).double()
    return time / time.sum(1, keepdim=True).clamp_min(1)


def _rhythm(rolls: Tensor) -> Tensor:
    hits = rolls[:, 0].sum(1).unflatten(1, (-1, 16)).sum(1).double()
    return hits / hits.sum(1, keepdim=True).clamp_min(1)


@torch.no_grad()
def direction(encode: Latents, windows: Crops, count: int = 200) -> Tensor:
    """The least-squares step of one semitone, learned on windows of the training songs."""
    seen = RollViews(windows).views(count, Generator().manual_seed(1))
    up = seen.moves[:, 1, 0].double()
    z = encode(seen.x[:, 0])[up != 0].double(), encode(seen.x[:, 1])[up != 0].double()
    up = up[up != 0]
    return ((up @ (z[1] - z[0])) / up.square().sum()).float()


def main() -> None:
    bench = Benchmark("factor_pop909", "Pitch and time in spaces of real music: by a loss alone, and by a frame")
    learned, held = split()
    count, grid, rolls_count = bench.pick(24, 96), bench.pick(4, 8), bench.pick(32, 160)
    windows, training = crops(held), crops(learned if not bench.quick else learned[:100])
    draw = Generator().manual_seed(0)
    able = windows.grid(16)
    able = able[(windows.room(able) >= SEMITONES).all(1)]
    chosen = able[torch.randperm(len(able), generator=draw)[: max(count, rolls_count)]]
    rolls = windows.rolls(chosen[:rolls_count])
    bars = training.grid(16)
    taught = training.rolls(bars[torch.randperm(len(bars), generator=draw)[: bench.pick(200, 1000)]])

    def judge(
        space: str, encode: Latents, decode: Rolls | None = None, move: Moving | None = None, **cells: Any
    ) -> dict[str, float]:
        found, null = geometry(encode, windows, chosen[:count], grid)
        row = reconstruction(encode, decode, move, rolls) if decode and move else {}
        row |= {key: getattr(found, key) for key in SHOWN} | kept(encode, taught, rolls)
        bench.row(space=space, **cells, **row, null_own_move=null.own_move, dim=encode(rolls[:1]).shape[1])
        return row

    def along(both: torch.nn.ModuleDict, name: str, **cells: Any) -> dict[str, float]:
        v = direction(both["network"], training, bench.pick(40, 200))
        return judge(name, both["network"], lambda z: drawn(both["decoder"](z)), lambda z, s: z + s * v, seed=0, **cells)

    space = RollSpace.load()
    framed = judge("framed (shipped)", space.encode, space.decode, space.transpose, seed=0)
    torch.manual_seed(0)
    bare = RollSpace().eval().requires_grad_(False)
    judge("framed, untrained", bare.encode, bare.decode, bare.transpose, seed=0)
    spaces = {"framed (shipped)": content(space), "framed, untrained": content(bare)}
    motifs = recalls(bench.pick(held[:10], held), spaces, others=bench.pick(300, 10_000), queries=bench.pick(20, 200),
                     costly=bench.pick(2, 10))  # fmt: skip
    for row in motifs:
        bench.row(space=f"motif search: {row.pop('method')}", **row)
    further = Crops(others()[1], margin=0)
    index = further.grid()
    far = further.rolls(index[torch.randperm(len(index), generator=draw)[:rolls_count]])
    elsewhere = f1(space.decode(space.encode(far)), far)
    both = torch.nn.ModuleDict({"network": space.encoder, "decoder": space.decoder})
    along(both, "the same networks, no frame", weight=0.0)
    linear = Columns(space.encoder, training, bench.pick(80, 1000))
    judge("no frame, a linear operator", space.encoder, lambda z: drawn(space.decoder(z)), linear, seed=0)
    for seed in bench.seeds(3):
        judge("16 numbers, untrained", plain(seed).eval(), seed=seed)
    for weight, seed in bench.pick([(SWEEP[-1], 0)], trained("plain")):
        name = "16 numbers, factor laws" if weight else "16 numbers, no factor law"
        judge(name, load_plain(weight, seed), seed=seed, weight=weight)
    judge("16 numbers, Swin, untrained", plain(0, "swin").eval(), seed=0)
    for weight, seed in bench.pick([], trained("swin")):
        judge("16 numbers, Swin", load_plain(weight, seed, "swin"), seed=seed, weight=weight)
    for weight, seed in bench.pick([(SWEEP[-1], 0)], trained("soft")):
        along(load_soft(weight, seed), "no frame, factor laws", weight=weight)
    for path in bench.pick([], sorted(WEIGHTS.glob("space_seed*.safetensors"))):
        other = RollSpace.load(path)
        judge("framed, a quarter of the training", other.encode, other.decode, other.transpose, seed=other.card["seed"])
    bench.note(
        f"Held out: {len(held)} of {len(held) + len(learned)} songs of POP909, split by song (songs that share a melody stay "
        f"together). Windows of six bars with a bar of rest on both sides; geometry on {count} of them, notes on {len(rolls)}."
    )
    bench.finish(
        "shared: POP909, held-out songs; Freedoom, held-out songs",
        **{key: framed[key] for key in ("f1", "f1_with_length", "transposed_note_f1")},
        motif_recall1=motifs[0]["recall1"],
        **{key: framed[key] for key in SHOWN},
        f1_other_music=elsewhere[0],
        f1_with_length_other_music=elsewhere[1],
    )


if __name__ == "__main__":
    main()
