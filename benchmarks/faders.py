"""Faders: while a fader moves one attribute, how far does it move the others, judged by probes of songs it has not heard?"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from _attributes import NOTES, UNITS, Measured, codes, kept, mixes, rolls, samples, sounded
from _harness import SHARED, Benchmark
from _mixing import CACHE, loops, songs
from torch import Generator, Tensor

from oplas.data import band
from oplas.encoders import log_mel, mini
from oplas.functional.directions import difference_of_means, from_pairs, probes
from oplas.functional.erasure import complement, leace, moments
from oplas.functional.isolated import isolated
from oplas.measure.faders import Judge, scores

ENCODERS = {"log_mel": log_mel, "mini": mini}
#: An attribute of which a probe reads less than this on songs it was not fitted on is no fader, and no side effect.
READ = 0.1
#: No side effect counts for more than this: a direction that hardly moves its own attribute has one without bound.
MOST = 5.0


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", nargs="+", help="judge these data alone")
    own, rest = parser.parse_known_args()
    bench = Benchmark("faders", "What else moves when a fader moves one attribute?", arguments=rest)
    seeds = list(bench.seeds(3))
    told: dict[str, list[float]] = {}
    spent = 0.0
    for data, encoder, make in sets(bench.quick):
        if own.only and data not in own.only:
            continue
        rows: dict[str, list[dict[str, float]]] = {}
        for seed in seeds:
            judge = partial(judged, make, seed, bench.quick)
            answer = judge() if bench.quick else remembered(f"{data}-{encoder}-{seed}", judge)
            spent += answer["cpu_seconds"]
            for name, row in answer["faders"].items():
                rows.setdefault(name, []).append(row)
        for name, each in rows.items():
            mean = {key: sum(row[key] for row in each) / len(each) for key in each[0]}
            ratio = mean["ours"] / mean["plain"]
            bench.row(data=data, encoder=encoder, attribute=name, seeds=len(each), **mean, ratio=ratio)
            for key in ("plain", "ours", "complement", "random", "pca", "covered", "bound"):
                told.setdefault(key, []).append(mean[key])
            told.setdefault("ratio", []).append(ratio)
    if not bench.quick and not own.only:
        for row in remembered("by sound", lambda: list(by_sound())):
            bench.row(**row)
    bench.note(
        "All but r2 and covered: the largest mean effect on any other attribute's probe, in standard deviations of that "
        f"attribute, while the fader's own probe moves by one of its own; at most {MOST:.0f}, which stands for directions that do "
        "not move it."
    )
    bench.note(
        "plain: difference of means. pca: the principal axis that goes with the attribute most. leace: the difference of means "
        "inside LEACE's complement of the other attributes. complement: the causal direction inside it. ours: shrunk, besides, "
        "where other songs' probes disagree (oplas.functional.isolated)."
    )
    bench.note(
        f"Half of the songs are learned from; the probes that judge are fitted on the other half, redrawn, and read on songs left "
        f"out of each draw: linear and radial features. Attributes read with R² below {READ} on songs apart are left out."
    )
    bench.note(
        "bound: a new song's largest effect stays below it in 90 % of cases (conformal); covered: how often it does for songs the "
        "bound was not computed on."
    )
    count = len(told["ratio"])
    mean = {key: sum(values) / count for key, values in told.items()}
    bench.finish(
        "generated: mixes of the built-in band" if bench.quick else "shared: Freedoom stems, CC0 samples, POP909",
        side_plain=mean["plain"], side_faders=mean["ours"], ratio=mean["ours"] / mean["plain"],
        side_complement=mean["complement"], side_random=mean["random"],
        faders_below_a_third=sum(each <= 1 / 3 for each in told["ratio"]) / count,
        bound=mean["bound"], covered=mean["covered"], faders=count,
        **({} if bench.quick else {"cpu_seconds": round(spent, 1)}),
    )  # fmt: skip


def sets(quick: bool) -> Iterator[tuple[str, str, Callable[[], Measured]]]:
    """Data, encoder, and what gives the codes of windows with what was measured of them."""
    if quick or not SHARED.is_dir():
        found = cache(lambda: mixes(band(seed=0, songs=24, seconds=12.0), hop=3.0, draws=4))
        for name, make in ENCODERS.items():
            yield "band", name, cache(lambda make=make: codes(make(), found()))
        return
    if not (CACHE / "samples").is_dir():
        loops()  # unpacks them
    for data, read in (("stems", lambda: kept("mixes", mixes, songs()[0])), ("samples", lambda: kept("samples", samples))):
        for name, make in ENCODERS.items():
            yield data, name, cache(lambda make=make, read=read: codes(make(), read()))
    yield "POP909", "pitches", cache(lambda: kept("rolls", rolls))


def remembered(name: str, make: Callable[[], Any]) -> Any:
    """What ``make`` gives, kept as long as no file that could change it changes."""
    homes = (inspect.getfile(each) for each in (Measured, isolated, difference_of_means, complement, Judge))
    stamp = hashlib.sha256(b"".join(Path(each).read_bytes() for each in (*homes, __file__))).hexdigest()[:12]
    file = CACHE / "faders" / f"{name}-{stamp}.json"
    if not file.is_file():
        beside = file.with_suffix(".part")
        beside.write_text(json.dumps(make()))
        beside.replace(file)
    return json.loads(file.read_text())


def judged(make: Callable[[], Measured], seed: int, quick: bool) -> dict[str, Any]:
    """The figures of every attribute's fader, of one split by song, and the CPU seconds they took."""
    began, found = time.process_time(), make()
    names = [name for name, values in found.values.items() if float(values.std()) > 0]
    y, z = torch.stack([found.values[name].double() for name in names], 1), found.x.double()
    listed = found.song.unique()
    learning = torch.isin(found.song, listed[torch.randperm(len(listed), generator=Generator().manual_seed(seed))][::2])
    halves = [probes(z[half], y[half], found.song[half]).r2 for half in (learning, ~learning)]
    keep = (torch.minimum(*halves) > READ).nonzero().flatten().tolist()
    names, y = [names[i] for i in keep], y[:, keep]
    units = [{**UNITS, **NOTES}[name] for name in names]
    judge = Judge(z[~learning], y[~learning], found.song[~learning], names, units, draws=20, seed=seed)
    made = directions(z[learning], y[learning], found.song[learning], seed)
    answer: dict[str, dict[str, float]] = {}
    for me, name in enumerate(names):
        sides = {method: largest(judge, rows[me], me) for method, rows in made.items()}
        bound, covered = conformed(judge, made["ours"][me], me, seed)
        facts = {"bound": bound, "covered": covered}
        answer[name] = {"r2": float(judge.whole.r2[me]), **sides, **facts}
    return {"faders": answer, "cpu_seconds": time.process_time() - began}


def directions(z: Tensor, y: Tensor, song: Tensor, seed: int) -> dict[str, Tensor]:
    """Of each way to find them, one direction an attribute, ``[m, d]``."""
    m, plain = y.shape[1], torch.stack([difference_of_means(z, column) for column in y.T])
    read, (mean, spread, _) = probes(z, y, song).weight, moments(z, y)
    others = [[i for i in range(m) if i != me] for me in range(m)]
    axes = torch.linalg.eigh(spread)[1].T
    seen = torch.corrcoef(torch.cat([((z - mean) @ axes.T).T, y.T]))[: len(axes), len(axes) :].T.nan_to_num()
    best = seen.abs().argmax(1)
    return {
        "plain": plain,
        "random": torch.randn(m, z.shape[1], generator=Generator().manual_seed(seed), dtype=z.dtype),
        "pca": axes[best] * seen.gather(1, best[:, None]).sign(),
        "leace": torch.stack([leace(z, y[:, rest]).within(v[None])[0] for v, rest in zip(plain, others, strict=True)]),
        "complement": torch.stack([complement((read[me] @ spread)[None], read[others[me]], spread)[0] for me in range(m)]),
        "ours": isolated(z, y, song),
    }


def largest(judge: Judge, direction: Tensor, me: int) -> float:
    """The largest mean effect on any other probe at one spread of its own."""
    found = at_equal_effect(judge, direction, me)
    if found is None:
        return MOST
    mean = found.nanmean((0, 1)).abs()
    mean[me] = 0
    return min(float(mean.max()), MOST)


def at_equal_effect(judge: Judge, direction: Tensor, me: int) -> Tensor | None:
    """Effects ``[draws, songs, m]`` in spreads, of the amount that moves its own probe by one; None where no amount does."""
    amount = 0.1 * judge.z.std(0).norm() / direction.norm().clamp_min(1e-300)
    for _ in range(3):
        pair = judge.effects(direction, torch.stack([-amount, amount]))
        effect = (pair[:, :, 1] - pair[:, :, 0]) / 2 / judge.spread
        own = float(effect[..., me].nanmean())
        if abs(own) < 1e-6:
            return None
        if abs(own - 1) < 0.1:
            break
        amount = amount / own
    return effect / own


def conformed(judge: Judge, direction: Tensor, me: int, seed: int) -> tuple[float, float]:
    """The bound on the largest effect, from half of the judging songs at a time, and how often the other half stays below it."""
    found = at_equal_effect(judge, direction, me)
    if found is None:
        return MOST, 0.0
    found[..., me] = 0
    each = scores(found.abs().amax(-1))
    generator, bounds, hits = Generator().manual_seed(seed), [], []
    for _ in range(50):
        order = torch.randperm(len(each), generator=generator)
        half = len(each) // 2
        rank = min(int(-(-(half + 1) * 0.9 // 1)), half)
        bounds.append(float(each[order[:half]].sort().values[rank - 1]))
        hits.append(float((each[order[half:]] <= bounds[-1]).double().mean()))
    return min(sum(bounds) / len(bounds), MOST), sum(hits) / len(hits)


def by_sound() -> Iterator[dict[str, object]]:
    """Beside what is done to the sound itself: the probes' answer to the effect, and to a fader learned from such pairs."""
    found = kept("mixes", mixes, songs()[0])
    some = found.pick(torch.arange(len(found.x)) % 8 == 0)
    for name, encoder in (("log_mel", log_mel()), ("mini", mini())):
        whole, before = codes(encoder, found), codes(encoder, some)
        listed = found.song.unique()
        learning = torch.isin(found.song, listed[torch.randperm(len(listed), generator=Generator().manual_seed(0))][::2])
        mine = torch.isin(some.song, found.song[learning].unique())
        names = [each for each in found.values if each != "onsets"]
        y = torch.stack([found.values[each].double() for each in names], 1)
        judge = Judge(whole.x[~learning], y[~learning], found.song[~learning], names, draws=50)
        for effect, attribute, x, amount in sounded(some):
            after, me = codes(encoder, Measured(x, some.song, some.values)).x, names.index(attribute)
            moved = (after - before.x).double()
            v = from_pairs(before.x[mine], after[mine], amount[mine])
            pure = isolated(whole.x[learning], y[learning], found.song[learning], None, {me: v})[me]
            read = judge.whole(judge._features(after[~mine].double())) - judge.whole(judge._features(before.x[~mine].double()))
            true = read.mean(0) / judge.spread
            plain, ours = largest(judge, v, me), largest(judge, pure, me)
            true_side = float(torch.cat([true[:me], true[me + 1 :]]).abs().max() / true[me])
            r2 = 1 - (moved[~mine] - amount[~mine, None] * v).square().sum() / moved[~mine].square().sum()
            yield {
                "data": "stems", "encoder": name, "attribute": f"{attribute} by {effect}", "plain": plain, "ours": ours,
                "ratio": ours / plain, "of the sound": true_side, "move's R²": float(r2),
            }  # fmt: skip


if __name__ == "__main__":
    main()
