"""One wide picture that says what a space has become: sums over mixes before and after, and two figures beside controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .drawing import colour, legend, plain, sheet
from .plots import arrows, finite
from .words import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..certificate import Certificate

CONTROLS = ("encoder's own", "untrained", "shuffled parts")


def headline(certificate: Certificate, before: Certificate | Mapping[str, Any] | None = None) -> Figure:
    """Sums over mixes in the encoder's own space and in the learned one, then R² and top-1 beside controls.

    Args:
        certificate: of the learned space.
        before: the certificate of ``Space(encoder, laws=laws)``, or its pairs ``{"mix": [n, 2], "sum": [n, 2]}``; without it the
            first panel is left out.
    """
    pairs: list[tuple[str, Any, float | None]] = [("after learning", certificate.plots.get("pca"), certificate.row.r2)]
    if before is not None:
        own = before if isinstance(before, Mapping) else before.plots.get("pca")
        r2 = next((row.r2 for row in certificate.rows if row.space == CONTROLS[0]), None)
        pairs.insert(0, (f"{certificate.encoder['name']}, as given", own, r2))
    figure, axes = sheet(2.9 * len(pairs) + 4.0, 3.1, (*[1.35] * len(pairs), 1, 0.62))
    for each, (title, pair, r2) in zip(axes, pairs, strict=False):
        drawn = bool(pair) and arrows(each, pair)
        each.set_title(plain(f"{title}\nR² {number(r2)}"), color=colour("ink"), fontsize=10)
        each.set(xlabel="", ylabel="", xticks=[], yticks=[])
        each.spines[["top", "right"]].set_visible(True)
        if drawn and each is axes[len(pairs) - 1]:
            legend(each, loc="best")
    rows = [row for row in certificate.rows if row is certificate.row or row.space in CONTROLS][::-1]
    names = [row.space for row in rows]
    _bars(axes[-2], names, [row.r2 for row in rows], "R² of the sum", floor=-1.0)
    _bars(axes[-1], [""] * len(names), [row.top1 for row in rows], f"missing part first\nof {certificate.candidates}")
    return figure


def _bars(axes: Axes, names: Sequence[str], values: Sequence[float], title: str, floor: float = 0.0) -> None:
    """Bars from zero; what lies below ``floor`` is cut there and told by its number."""
    for y, value in enumerate(values):
        known, own = finite([value]), y == len(values) - 1
        length, tone = max(value, floor) if known else 0, colour("space" if own else "muted")
        axes.barh(y, length, color=tone, alpha=1 if own else 0.7, height=0.6)
        if known and value < floor:
            axes.annotate("◂", (floor, y), (2, 0), textcoords="offset points", va="center", color=colour("paper"))
        end = (max(length, 0), y)
        axes.annotate(number(value), end, (4, 0), textcoords="offset points", va="center", fontsize=9, color=colour("ink"))
    axes.set_yticks(range(len(names)), [plain(name) for name in names], color=colour("ink"))
    axes.set_xlim(floor, 1.45)
    axes.set_xticks([floor, 0, 1] if floor else [0, 1])
    axes.axvline(0, color=colour("line"), linewidth=1)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, color=colour("ink"), fontsize=10)
