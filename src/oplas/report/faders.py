"""Plots of faders: what an amount does to the fader's own probe, and to every other."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.files import whole
from ..measure.fader_report import MOST
from .drawing import PALETTE, colour, legend, plain, png, sheet, svg
from .page import POLICY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..faders import LearnedFader
    from ..measure.fader_report import FaderReport


def fader_figure(*faders: LearnedFader) -> Figure:
    """A row a fader: its dose-response curve with the 95 % band, and side effects with their bounds."""
    figure, axes = sheet(8.2, 3.1, (1.15, 1), rows=len(faders))
    for fader, curve, sides in zip(faders, axes[::2], axes[1::2], strict=True):
        _curve(curve, fader.report)
        _sides(sides, fader.report)
    return figure


def write_plot(faders: Iterable[LearnedFader], path: str | Path) -> Path:
    """Draw faders as ``.png``, or as a self-contained ``.html`` page; whole or not at all.

    Raises:
        DataError: the file cannot be written.
        MissingDependency: matplotlib is not installed.
    """
    path, listed = Path(path), list(faders)
    blob = png(fader_figure(*listed)) if path.suffix.lower() == ".png" else _page(listed).encode()
    with whole(path) as fresh:
        fresh.write_bytes(blob)
    return path


def _curve(axes: Axes, report: FaderReport) -> None:
    doses, unit = report.doses, f" ({report.unit})" if report.unit else ""
    axes.set_title(plain(f"{report.name}: {report.verdict}"), loc="left", fontsize=10, color=colour("ink"))
    if not doses.amounts:
        axes.set(xticks=[], yticks=[])
        axes.annotate(_lines(report.why), (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=colour("muted"))
        return
    axes.axline((0, 0), slope=1, color=colour("muted"), linestyle="dashed", linewidth=1.2, label="what was asked for")
    axes.fill_between(doses.amounts, doses.low, doses.high, color=colour("space"), alpha=0.2, linewidth=0)
    axes.plot(doses.amounts, doses.response, color=colour("space"), marker="o", markersize=4, linewidth=1.6, label="its probe")
    axes.set(xlabel=plain(f"amount{unit}"), ylabel=plain(f"change of the probe{unit}"))
    legend(axes, loc="upper left")


def _sides(axes: Axes, report: FaderReport) -> None:
    if not report.sides:
        axes.set_axis_off()
        return
    rows = range(len(report.sides))
    axes.axvspan(-MOST, MOST, color=colour("third"), alpha=0.12, linewidth=0)
    axes.axvline(0, color=colour("muted"), linewidth=1)
    for row, side in zip(rows, report.sides, strict=True):
        axes.plot([-side.bound, side.bound], [row, row], color=colour("other"), linewidth=1.4, marker="|", markersize=9,
                  label=f"bound, {report.level:.0%} of songs" if not row else None)  # fmt: skip
        axes.plot([side.low, side.high], [row, row], color=colour("space"), linewidth=4, alpha=0.35, solid_capstyle="butt")
        axes.plot(side.effect, row, color=colour("space"), marker="o", markersize=5, linewidth=0,
                  label="effect, 95 %" if not row else None)  # fmt: skip
    reach = max(1.0, 1.1 * max(side.bound for side in report.sides if side.bound < float("inf")) if report.sides else 1.0)
    axes.set(xlim=(-reach, reach), ylim=(len(report.sides) - 0.4, -1.3), xlabel="spreads, at one spread of its own")
    axes.locator_params(axis="x", nbins=6)
    axes.set_yticks(list(rows), [plain(side.name) for side in report.sides])
    legend(axes, loc="upper center", ncols=2)


def _lines(text: str, width: int = 42) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(plain(text), width))


def _page(faders: list[LearnedFader]) -> str:
    light, dark = ("".join(f"--{name}:{tones[side]};" for name, tones in PALETTE.items()) for side in (0, 1))
    parts = [
        f"<section><h2>{escape(fader.name)}: {escape(fader.report.verdict)}</h2><p>{escape(fader.report.why)}.</p>"
        f"{svg(fader_figure(fader), f'fader{index}', f'{fader.name}: {fader.report.why}')}"
        f"<details><summary>Figures</summary><pre>{escape(str(fader))}</pre></details></section>"
        for index, fader in enumerate(faders)
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>Faders</title>'
        f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}body{{background:var(--paper);color:var(--ink);"
        "font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}svg{width:100%;height:auto}pre{overflow-x:auto}"
        f"</style><main><h1>Faders</h1>{''.join(parts)}</main></html>\n"
    )
