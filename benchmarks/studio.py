"""The studio's page in Chromium, WebGL in software: how soon are the points there, how long does a frame of the slider take?"""

from __future__ import annotations

import dataclasses
import os
import statistics
from typing import Any

import numpy as np
from _harness import Benchmark
from _studio import LAPTOP, PATIENCE, STATIC, browser_seconds, chromium, serving, until, visit

#: Set the slider anew in every frame and take the time from frame to frame, in ms.
SLIDE = """frames => new Promise(done => {
  const slider = document.querySelector(".controls input[type=range]");
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const times = [];
  let last = performance.now();
  const frame = now => {
    times.push(now - last);
    last = now;
    if (times.length > frames) return done(times.slice(1));
    slider.value = low + (high - low) * (0.5 + 0.5 * Math.sin(times.length / 8));
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""
FIGURES = ("first_paint_ms", "load_ms", "frame_ms", "frame_95_ms", "frame_cpu_ms")
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SHOWN = "performance.getEntriesByName('oplas-points')[0]?.startTime"


def crowd(count: int, seed: int) -> Any:
    """The demo's library with so many points: its own, drawn again and shaken."""
    from oplas.studio.demo import demo
    from oplas.studio.library import Category, Nothing

    library, rng = demo(), np.random.default_rng(seed)
    rows = rng.integers(0, len(library), count)
    z = library.z[rows] + rng.normal(0, 0.3 * library.z.std(), (count, library.z.shape[1])).astype(np.float32)
    part = library.columns["part"]
    assert isinstance(part, Category)
    columns = {"part": Category(part.codes[rows], part.values)}
    names = [f"point {i}" for i in range(count)]
    changes: dict[str, Any] = {"z": z, "names": names, "columns": columns, "starts": None, "source": Nothing(), "songs": None}
    if "files" in {each.name for each in dataclasses.fields(library)}:
        changes["files"] = names
    return dataclasses.replace(library, **changes)


def main() -> None:
    bench = Benchmark("studio", "How soon is the studio's page there, and how long does a frame of its slider take?")
    figures: dict[int, dict[str, list[float]]] = {}
    with chromium() as browser:
        for count in bench.pick([100_000], [10_000, 100_000]):
            with serving(crowd(count, 0)) as address:
                for run in bench.seeds(2):
                    page = browser.new_page(viewport=LAPTOP)
                    page.set_default_timeout(PATIENCE)
                    page.goto(address)
                    load, paint = until(page, SHOWN), until(page, PAINTED)
                    visit(page, address, "operators")
                    page.get_by_label("Move every point").check()
                    page.wait_for_load_state("networkidle")
                    page.evaluate(SLIDE, 5)
                    began = browser_seconds()
                    times = sorted(page.evaluate(SLIDE, 40))
                    cpu = 1000 * (browser_seconds() - began) / 40
                    frame, late = statistics.median(times), times[int(0.95 * len(times))]
                    row = dict(zip(FIGURES, (paint, load, frame, late, cpu), strict=True))
                    bench.row(points=count, run=run, **row, load_average=os.getloadavg()[0])
                    for name, value in row.items():
                        figures.setdefault(count, {}).setdefault(name, []).append(value)
                    page.close()
    bench.note(
        "Load: from opening the address until every point is on the screen. Frame: from one frame to the next while the slider"
    )
    bench.note(
        "moves every point in each, 16.7 ms being the screen's own pace; chromium draws in software, on shared cores, 1280 × 800."
    )
    bench.note(
        "frame_cpu_ms: the CPU time of all the browser's processes a frame, drawing included; other work does not lengthen it."
    )
    bundle = sum(file.stat().st_size for file in STATIC.iterdir())
    bench.finish(
        "generated: the built-in band's points, drawn again and shaken", points=100_000, bundle_kb=bundle / 1000,
        **{name: statistics.median(values) for name, values in figures[100_000].items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
