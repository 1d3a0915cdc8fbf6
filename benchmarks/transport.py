"""Operator transport: does transposition, learned in one encoder's space, hold in another's, where nothing was learned?"""

from __future__ import annotations

from statistics import median

import torch
from _harness import Benchmark
from _transport import rows

NOTES = (
    "Half of the songs for operators and bridges, every figure from the other half; mean of seeds. Kept: of the native operator's "
    "gain over doing nothing, the share that the carried one keeps. Gap: between the two ways round the square.",
    "Top-1 among all windows as they are and as they became, so that doing nothing finds itself, never the answer. An operator "
    "carried over a shuffled bridge does nothing; over a random rotation it does harm.",
    "The head figures are medians over the pairs in which the native operator gains at least 0.1 of R² over doing nothing: Musicnn "
    "hardly hears transposition, so there is little to carry to it, and no one direction is transposition in any of these spaces.",
)


def main() -> None:
    bench = Benchmark("transport", "Does transposition learned in one space of sound hold in another, carried over a bridge?")
    torch.set_num_threads(1)
    found = []
    for row in rows(bench.quick, bench.seeds(3)):
        found.append(row)
        bench.row(**row)
    maps = [row for row in found if row["operator"] != "translation" and row["r2_native"] > row["r2_nothing_done"] + 0.1]
    for note in NOTES:
        bench.note(note)
    figures = (
        "r2_native",
        "r2_carried",
        "defect_native",
        "defect_carried",
        "kept",
        "top1_native",
        "top1_carried",
        "r2_nothing_done",
    )
    bench.finish(
        "shared: POP909, 24 s a song, rendered in five keys" if found else "none: POP909 or fluidsynth is missing",
        pairs=len(maps),
        **{name: median(row[name] for row in maps) if maps else None for name in figures},
    )


if __name__ == "__main__":
    main()
