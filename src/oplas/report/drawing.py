"""Ink and paper: one palette for light and dark, figures without global state, SVG that takes the page's colours."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING, Any

from .._errors import MissingDependency

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Name to colour on light and on dark paper. The hues are told apart by colour-blind readers (after Okabe & Ito 2008,
#: https://jfly.uni-koeln.de/color/); shapes and dashes repeat what they say.
PALETTE = {
    "ink": ("#1f2328", "#e6e8eb"),
    "muted": ("#59636e", "#a3adb8"),
    "line": ("#d1d9e0", "#3a424c"),
    "paper": ("#fffffe", "#14181d"),
    "space": ("#0072b2", "#56b4e9"),
    "other": ("#c2500a", "#f0a35e"),
    "third": ("#00795a", "#3fc9a0"),
}
DPI = 160


def colour(name: str) -> str:
    """The palette's light tone, in which every figure is drawn; :func:`svg` hands it over to the page's style."""
    return PALETTE[name][0]


def sheet(width: float = 4.3, height: float = 3.1, shares: tuple[float, ...] = (1,), rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of ``width`` by ``height`` inches, plain axes side by side with these shares of it, made without pyplot.

    Of several ``rows`` each is ``height`` high, and the axes come row by row.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency("plots are drawn by matplotlib, which is not installed; pip install matplotlib") from error
    several = len(shares) * rows > 1
    figure = Figure(figsize=(width, rows * height), layout="constrained" if several else None, facecolor="none")
    if not several:
        figure.subplots_adjust(left=0.15, right=0.97, bottom=0.15, top=0.96)
    axes = list(figure.subplots(rows, len(shares), squeeze=False, width_ratios=shares).flat)
    for each in axes:
        _plain(each)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(colour("line"))
    axes.tick_params(which="both", colors=colour("line"), labelcolor=colour("muted"), labelsize=9)
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
        text.set_color(colour("ink"))
        text.set_fontsize(10)
    axes.grid(True, color=colour("line"), linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)


def plain(text: str) -> str:
    """Text that stays text: a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def legend(axes: Axes, **options: Any) -> None:
    """A legend without a frame, in ink."""
    axes.legend(frameon=False, fontsize=9, labelcolor=colour("ink"), handlelength=1.8, borderaxespad=0.2, **options)


def svg(figure: Figure, name: str, label: str = "") -> str:
    """The figure as SVG to stand inside a page: its colours are the page's ``--ink``, ``--space`` …, its ids start with ``name``.

    Args:
        name: unique in the page. label: what a reader who cannot see the figure is told.
    """
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = _head(text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    text = re.sub(r'font: ([\d.]+px) [^;"]*', r"font-size: \1", text)
    for key, (light, _) in PALETTE.items():
        text = text.replace(light, f"var(--{key})")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(label, quote=True)}"', 1)


def _head(text: str) -> str:
    """Drop the opening tag's size and namespaces: the page sets the one and needs none of the other."""
    end = text.index(">") + 1
    return re.sub(r'\s(?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", text[:end]) + text[end:]


def png(figure: Figure) -> bytes:
    """The figure as PNG on light paper, as it was drawn."""
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context({"font.family": "sans-serif"}):
        figure.savefig(out, format="png", dpi=DPI, facecolor=colour("paper"), metadata={"Software": None})
    return out.getvalue()
