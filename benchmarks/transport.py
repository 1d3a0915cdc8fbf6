"""Operator transport: does transposition, learned in one encoder's space, hold in another's, where nothing was learned?"""

from __future__ import annotations

from statistics import mean, median

import torch
from _harness import Benchmark
from _transport import rows


def main() -> None:
    bench = Benchmark("transport", "Does transposition learned in one space of sound hold in another, carried over a bridge?")
    torch.set_num_threads(1)
    found = []
    for row in rows(bench.quick, bench.seeds(3)):
        found.append(row)
        bench.row(**row)
    maps = [row for row in found if row["operator"] != "translation"]
    bench.note("Half of the songs for operators and bridges, every figure from the other half; mean of seeds. Kept: of the native")
    bench.note(
        "operator's gain over doing nothing, the share that the carried one keeps. Gap: between the two ways round the square."
    )
    bench.note("A shuffled bridge tells what it was built from, so its operator does nothing; a random rotation carries nonsense.")
    bench.finish(
        "shared: POP909, 24 s of each song rendered with FluidR3_GM in five keys"
        if found
        else "none: POP909 or fluidsynth is missing",
        pairs=len(maps),
        r2_native=mean(row["r2_native"] for row in maps) if maps else None,
        r2_carried=mean(row["r2_carried"] for row in maps) if maps else None,
        defect_native=mean(row["defect_native"] for row in maps) if maps else None,
        defect_carried=mean(row["defect_carried"] for row in maps) if maps else None,
        kept_median=median(row["kept"] for row in maps) if maps else None,
        top1_native=mean(row["top1_native"] for row in maps) if maps else None,
        top1_carried=mean(row["top1_carried"] for row in maps) if maps else None,
        top1_nothing_done=mean(row["top1_nothing_done"] for row in maps) if maps else None,
    )


if __name__ == "__main__":
    main()
