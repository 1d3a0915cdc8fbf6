"""Can the parts of mixtures be learned from mixtures alone? Baselines, ceilings, learned models, ablations, generation, cost."""

from __future__ import annotations

from typing import Any

import torch
from _decompose_cost import costs, untrained
from _decompose_data import GROUPS, KINDS, pieces
from _decompose_generate import generated
from _decompose_jobs import Job, aligned
from _decompose_recipes import ABLATIONS, GENERATOR, MAIN, RECIPES, SHORT, SUPERVISED, UNTAUGHT
from _decompose_rows import Method, baselines, ceilings, held_out, judge, kept, median, most, place
from _harness import ROOT, Benchmark, tidy

BAND = ("drums", "bass")
FIRST = GROUPS[0]
FIGURES = ("si_sdr", "si_sir", "si_sar", "si_sdr_one_order", "named", "windows", "songs", "seconds")
SHOWN = ("si_sdr", "low", "high", *FIGURES[1:])
Labels = tuple[str, ...]

#: Size and steps of the main recipe and its reference; every recipe is compared, and ablated, in small networks.
SIZE, STEPS, SHORTER = "M", 180, 150

NOTES = (
    "Judged against the stems themselves, 7 s windows of songs held out, all stems sounding, at equal loudness; medians in dB, of "
    "the best order of parts for each song. one_order: of one order for everything; named: windows whose own best order it is.",
    "low and high: of learned rows the seeds', of others the 95 % interval over songs. Learned rows are medians over seeds. "
    "aligned: seeds whose parts in one order for all windows are 1 dB or more above the mixture.",
    "The lesson is by oplas.data.band, a synthesiser that knows its own stems: no recording and no stem of these songs is used "
    "but by the row supervised, which is told the stems. In the quick run the songs are of the same band, other songs of it.",
    "RPCA and stems encoded and decoded are judged on 12 windows. MixIT has two parts more than there are stems; the best "
    "of them are judged. (S): small networks, in which recipes are compared.",
    "Stems encoded and decoded have phases of their own (Griffin-Lim), which SI-SDR does not forgive: masks keep the mixture's.",
    "Generation is by small networks, 16 windows. Mixtures rendered by the model are the best it could do; drums to a given bass "
    "hold that bass as it was. above: how often drums agree better with their own bass than with another's; a half is chance.",
)


def asked(quick: bool) -> list[tuple[str, Labels]]:
    """Every kind of data with every group of stems."""
    if quick:
        return [("band", BAND)]
    return [(kind, labels) for kind in KINDS for labels in (GROUPS if kind == "songs" else GROUPS[:4])] + [("loops", FIRST)]


def fixed(kind: str, labels: Labels, quick: bool) -> dict[str, dict[str, Any]]:
    """All that is not learned, by the row's name: baselines and ceilings. The slowest on the songs alone."""

    def told(each: Method) -> dict[str, Any]:
        key = f"{kind} {labels} {most(kind, labels)} {each.name}"
        return kept(key, lambda: judge(each, held_out(kind, labels)), keep=not quick) | {"ceiling": each.ceiling}

    methods = [*baselines(len(labels)), *ceilings()]
    return {each.name: told(each) for each in methods if not each.slow or kind in ("songs", "band")}


def jobs(bench: Benchmark) -> list[Job]:
    """Every model that is learned."""
    if bench.quick:
        short = {"composable, one pass": 15, SHORT: 50, SUPERVISED: 40}
        return [Job(name, BAND, 0, steps, data="band") for name, steps in short.items()]
    seeds = bench.seeds(3)
    best = [Job(MAIN, labels, seed, STEPS, SIZE, elsewhere=len(labels) == 2) for seed in seeds for labels in GROUPS]
    told = [Job(SUPERVISED, labels, 0, STEPS, SIZE, elsewhere=labels == FIRST) for labels in GROUPS[:3]]
    small = [Job(name, FIRST, seed, SHORTER) for seed in seeds for name in RECIPES if seed == 0 or name in UNTAUGHT]
    small += [Job(name, ("bass", "keys"), 0, SHORTER) for name in UNTAUGHT]
    ablations = [Job(name, FIRST, 0, SHORTER, few=24) for name in ABLATIONS]
    return [*best[: len(GROUPS)], *told, *small, *ablations, *best[len(GROUPS) :]]


def main() -> None:
    bench = Benchmark("decompose", "Can the parts of mixtures be learned from mixtures alone?")
    torch.set_num_threads(1)
    table = {(kind, labels): fixed(kind, labels, bench.quick) for kind, labels in asked(bench.quick)}
    learned, ablations, rest = learn_all(bench)
    told(bench, table, learned)
    where, main = next(iter(table)), bench.pick(SHORT, MAIN)
    own, first = learned.get((where[1], main), []), table[where]
    summary = {key: median(own, key) for key in ("si_sdr", "si_sir", "si_sar")}
    best = max(row["si_sdr"] for row in first.values() if not row["ceiling"])
    reference, mixture = median(learned.get((where[1], SUPERVISED), []), "si_sdr"), first["Mixture"]["si_sdr"]
    for sentence in NOTES:
        bench.note(sentence)
    bench.finish(
        "generated: the built-in band" if bench.quick else "shared: Freedoom MIDI, re-scored and rendered; CC0 loops",
        **summary, aligned_fraction=aligned(own, mixture), best_baseline_si_sdr=best, ceiling_si_sdr=first["ideal mask"]["si_sdr"],
        supervised_si_sdr=reference, of_supervised=(summary["si_sdr"] - mixture) / (reference - mixture),
        windows=sum(rows["Mixture"]["windows"] for rows in table.values()), by_stems=by_stems(table, learned, main),
        elsewhere=elsewhere(table, learned), ablations=ablations, **({} if bench.quick else beyond(rest)),
        cpu_seconds=round(spent(table, learned)),
    )  # fmt: skip


Learned = dict[tuple[Labels, str], list[dict[str, Any]]]  # by stems and name; small networks are named so


def learn_all(bench: Benchmark) -> tuple[Learned, list[dict[str, Any]], bool]:
    """Every model's figures; after Ctrl-C those that were there. Whether it was pressed comes last."""
    learned: Learned = {}
    ablations: list[dict[str, Any]] = []
    stopped, missing = False, 0
    for job in jobs(bench):
        if stopped and not job.done:
            missing += 1
            continue
        try:
            found = job.figures() | {"steps": job.taken}
        except KeyboardInterrupt:
            stopped, missing = True, missing + 1
            continue
        if job.name in ABLATIONS:
            ablations.append({"model": job.name, "steps": job.taken, **{key: found[key] for key in (*FIGURES, "train_cpu_s")}})
        else:
            learned.setdefault((job.labels, named(job, bench.quick)), []).append(found)
    if missing:
        bench.note(f"Stopped before {missing} of the models were learned.")
    return learned, ablations, stopped


def named(job: Job, quick: bool) -> str:
    return job.name if quick or job.size == SIZE else f"{job.name} (S)"


def beyond(stopped: bool) -> dict[str, Any]:
    """Generation, by the small networks, and cost, of the larger ones; kept as everything else."""
    maker, taker = Job(GENERATOR, FIRST, 0, STEPS), Job(MAIN, FIRST, 0, STEPS, SIZE, elsewhere=True)

    def imagine() -> dict[str, Any]:
        songs = pieces("songs", FIRST, held_out=True)
        return generated(maker.model(), songs, held_out("songs", FIRST), 16, ROOT / "docs" / "audio")

    def cost() -> dict[str, Any]:
        song = pieces("songs", FIRST, held_out=True)[0]
        return {"cost": [{"model": MAIN, **row} for row in costs(taker.kept(), song, (1.0, 3.0, 9.0), (1,))] + [
            {"model": "composable, diffusion", **row} for row in costs(untrained(SIZE), song, (1.0,), (1, 8))]}  # fmt: skip

    made = {f"generation {maker}": imagine, f"cost {taker}": cost}
    figures = [kept(key, make) for key, make in made.items() if place(key).is_file() or not stopped]
    return {key: value for each in figures for key, value in each.items() if key != "key"}


def told(bench: Benchmark, table: dict[tuple[str, Labels], dict[str, dict[str, Any]]], learned: dict[Any, Any]) -> None:
    """The rows of the songs: everything that is not learned, then everything that is, the mean figures of its seeds."""
    for (kind, labels), rows in table.items():
        if kind not in ("songs", "band"):
            continue
        for name, row in rows.items():
            bench.row(stems="+".join(labels), method=name, **{key: row[key] for key in SHOWN})
        for (group, name), runs in learned.items():
            if group == labels:
                bench.row(stems="+".join(labels), method=name, **seeded(runs, rows["Mixture"]["si_sdr"]))


def seeded(runs: list[dict[str, Any]], mixture: float) -> dict[str, Any]:
    """A learned row: medians over its seeds, how many of them align, and what it took, CPU seconds a step and a dB gained."""
    row = {key: median(runs, key) for key in FIGURES}
    row |= {"low": min(run["si_sdr"] for run in runs), "high": max(run["si_sdr"] for run in runs)}
    row |= {"seeds": len(runs), "aligned": aligned(runs, mixture)}
    steps, spent, gained = median(runs, "steps"), median(runs, "train_cpu_s"), row["si_sdr"] - mixture
    return row | {"steps": int(steps), "s_a_step": spent / steps, "s_a_db": spent / gained if gained > 0.5 else None}


def spent(table: dict[tuple[str, Labels], dict[str, dict[str, Any]]], learned: Learned) -> float:
    """CPU seconds of separating and learning, those kept from earlier runs too."""
    rows = [row for each in table.values() for row in each.values()] + [run for runs in learned.values() for run in runs]
    return float(sum(row["seconds"] * row["windows"] + (row.get("train_cpu_s") or 0) for row in rows))


def by_stems(table: dict[tuple[str, Labels], dict[str, dict[str, Any]]], learned: Learned, main: str) -> list[dict[str, Any]]:
    """SI-SDR of what was learned without labels beside the best of what was not learned, and how far it is to the reference."""
    lines = []
    for (kind, labels), rows in table.items():
        if kind not in ("songs", "band"):
            continue
        plain = {name: row["si_sdr"] for name, row in rows.items() if not row["ceiling"]}
        best, own = max(plain, key=lambda name: plain[name]), median(learned.get((labels, main), []), "si_sdr")
        reference, mixture = median(learned.get((labels, SUPERVISED), []), "si_sdr"), plain["Mixture"]
        lines.append({"stems": "+".join(labels), "learned": own, "best_baseline": plain[best], "which": best,
                      "ahead": own - plain[best], "supervised": reference, "ideal_mask": rows["ideal mask"]["si_sdr"],
                      "of_supervised": (own - mixture) / (reference - mixture)})  # fmt: skip
    return tidy(lines)


def elsewhere(table: dict[tuple[str, Labels], dict[str, dict[str, Any]]], learned: dict[Any, Any]) -> list[dict[str, Any]]:
    """SI-SDR of every method on instruments, soundfonts and recordings that were never heard, a line each."""
    lines = []
    for (kind, labels), rows in table.items():
        if kind in ("songs", "band"):
            continue
        line: dict[str, Any] = {"data": kind, "stems": "+".join(labels)} | {name: row["si_sdr"] for name, row in rows.items()}
        for (group, name), runs in learned.items():
            if group == labels and all(kind in run.get("elsewhere", ()) for run in runs):
                line[name] = median([run["elsewhere"][kind] for run in runs], "si_sdr")
        lines.append(line)
    return lines


if __name__ == "__main__":
    main()
