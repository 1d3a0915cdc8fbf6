"""Draw docs/img/factor_pop909.png from results/factor_pop909.json: what the factor laws' weight buys, and what it costs."""

from __future__ import annotations

import json
from typing import Any

from _harness import RESULTS, ROOT

from oplas.report.drawing import PALETTE, colour, legend, sheet

Row = dict[str, Any]
FRAME = "frame"


def series(rows: list[Row], names: tuple[str, ...], key: str, framed: list[Row]) -> tuple[list[str], list[float]]:
    """Means over seeds of one figure by weight, and at the end that of the space with a frame."""
    weights = sorted({row["weight"] for row in rows if row["space"] in names and row.get("weight") is not None})
    chosen = [[row[key] for row in rows if row["space"] in names and row.get("weight") == w] for w in weights]
    return [f"{w:g}" for w in weights] + [FRAME], [sum(c) / len(c) for c in [*chosen, [row[key] for row in framed]]]


def main() -> None:
    rows = json.loads((RESULTS / "factor_pop909.json").read_text(encoding="utf-8"))["rows"]
    framed = [row for row in rows if row.get("space") == "framed (shipped)"]
    rows = [row for row in rows if "space" in row]
    panels = {
        "8192 numbers: what is drawn": (("the same networks, no frame", "no frame, factor laws"),
                                        {"note F1": "f1", "transposed by z + s v": "transposed_note_f1",
                                         "translation error": "translation_error"}),
        "16 numbers: what is known": (("16 numbers, no factor law", "16 numbers, factor laws"),
                                      {"translation error": "translation_error", "pitch classes, R²": "chroma_r2",
                                       "rhythm, R²": "rhythm_r2", "cross |cos|": "cross"}),
    }  # fmt: skip
    figure, axes = sheet(9.6, 3.4, shares=(1, 1))
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
    figure.savefig(target, dpi=130)
    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
