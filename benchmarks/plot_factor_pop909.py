"""Draw docs/img/factor_pop909.png from results/factor_pop909.json: what the factor laws' weight buys, and what it costs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from _harness import RESULTS, ROOT

from oplas.report.drawing import PALETTE, colour, legend, sheet

Row = dict[str, Any]
FRAME = "frame"


def series(rows: list[Row], names: tuple[str, ...], key: str, framed: list[Row]) -> tuple[list[str], list[float]]:
    """Means over seeds of one figure by weight, and at the end that of the space with a frame."""
    weights = sorted({row["weight"] for row in rows if row["space"] in names and row.get("weight") is not None})
    chosen = [[row[key] for row in rows if row["space"] in names and row.get("weight") == w] for w in weights]
    scale = 1 / 16 if key == "effective_rank" else 1.0
    return [f"{w:g}" for w in weights] + [FRAME], [scale * sum(c) / len(c) for c in [*chosen, [row[key] for row in framed]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS / "factor_pop909.json", help="what the benchmark wrote")
    rows = json.loads(parser.parse_args().results.read_text(encoding="utf-8"))["rows"]
    framed = [row for row in rows if row.get("space") == "framed (shipped)"]
    rows = [row for row in rows if "space" in row]
    panels = {
        "8192 numbers: what is drawn": (("the same networks, no frame", "no frame, factor laws"),
                                        {"note F1": "f1", "transposed by z + s v": "transposed_note_f1",
                                         "translation error": "translation_error"}),
        "16 numbers: what the laws buy and cost": (("16 numbers, no factor law", "16 numbers, factor laws"),
                                      {"translation error": "translation_error", "same way, cos": "same",
                                       "rank / 16": "effective_rank", "pitch classes, R²": "chroma_r2"}),
    }  # fmt: skip
    few = {title for title, (names, _) in panels.items() if len({row.get("weight") for row in rows if row["space"] in names}) < 3}
    panels = {title: panel for title, panel in panels.items() if title not in few}
    figure, axes = sheet(4.8 * len(panels), 3.4, shares=(1,) * len(panels))
    figure.set_facecolor(PALETTE["paper"][0])
    styles = (("space", "o", "-"), ("third", "s", "-"), ("other", "^", "--"), ("muted", "x", ":"))
    for panel, (title, (names, lines)) in zip(axes, panels.items(), strict=True):
        for (label, key), (hue, marker, dash) in zip(lines.items(), styles, strict=False):
            ticks, values = series(rows, names, key, framed)
            panel.plot(range(len(values) - 1), values[:-1], dash, marker=marker, color=colour(hue), markersize=5, label=label)
            panel.plot([len(values) - 1], values[-1:], marker=marker, color=colour(hue), markersize=5, linestyle="none")
        panel.axvline(len(ticks) - 1.5, color=colour("line"), linewidth=1)
        panel.set_xticks(range(len(ticks)), ticks)
        panel.set_xlabel("weight of the factor laws")
        panel.set_title(title)
        panel.set_ylim(-0.05, 1.19)
        legend(panel, loc="upper left", ncols=2)
    target = ROOT / "docs" / "img" / "factor_pop909.png"
    figure.savefig(target, dpi=130, bbox_inches="tight")
    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
