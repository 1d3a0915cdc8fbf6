"""Can the parts of mixtures be learned from mixtures alone? Baselines, ceilings, learned models, ablations, generation, cost."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from _decompose_data import GROUPS, KINDS, Windows, loops, pieces, windows
from _decompose_rows import Method, baselines, ideal, judge, kept
from _harness import Benchmark

BAND = ("drums", "bass")
FIRST = GROUPS[0]
MOST = {"band": 6, "songs": 42, "other instruments": 12, "other soundfont": 12, "loops": 24}
SHOWN = ("si_sdr", "low", "high", "si_sir", "si_sar", "si_sdr_one_order", "named", "windows", "songs", "seconds")


@lru_cache(maxsize=4)
def held_out(kind: str, labels: tuple[str, ...]) -> Windows:
    """Windows to be judged on; a column of the table says how many."""
    songs = loops() if kind == "loops" else pieces(kind, labels, held_out=True)
    return windows(songs, MOST[kind], "+".join(labels))


def asked(quick: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Every kind of data with every group of stems."""
    if quick:
        return [("band", BAND)]
    return [(kind, labels) for kind in KINDS for labels in (GROUPS if kind == "songs" else GROUPS[:4])] + [("loops", FIRST)]


def fixed(kind: str, labels: tuple[str, ...], quick: bool) -> dict[str, dict[str, Any]]:
    """All that is not learned, by the row's name: baselines, then the ideal mask."""
    methods: list[Method] = [*baselines(len(labels)), ideal()]
    return {
        each.name: kept(f"{kind} {labels} {MOST[kind]} {each.name}", lambda each=each: judge(each, held_out(kind, labels)), keep=not quick)
        | {"ceiling": each.ceiling}
        for each in methods
    }  # fmt: skip


def main() -> None:
    bench = Benchmark("decompose", "Can the parts of mixtures be learned from mixtures alone?")
    torch.set_num_threads(1)
    table: dict[tuple[str, tuple[str, ...]], dict[str, dict[str, Any]]] = {}
    for kind, labels in asked(bench.quick):
        table[kind, labels] = fixed(kind, labels, bench.quick)
        for name, row in table[kind, labels].items():
            bench.row(data=kind, stems="+".join(labels), method=name, **{key: row[key] for key in SHOWN})
    first = next(iter(table.values()))
    bench.finish(
        "generated: the built-in band" if bench.quick else "shared: Freedoom MIDI, re-scored and rendered; CC0 loops",
        si_sdr=None, si_sir=None, si_sar=None, aligned_fraction=None,
        best_baseline_si_sdr=max(row["si_sdr"] for row in first.values() if not row["ceiling"]),
        ceiling_si_sdr=first["ideal mask"]["si_sdr"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
