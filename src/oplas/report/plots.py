"""The four plots of a certificate: sums over mixes, defects against controls, retrieval, spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .drawing import colour, legend, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..certificate import Certificate

PAIRS = 80
HUES = ("space", "other", "third", "muted")
DASHES = ("solid", "dashed", "dashdot", "dotted")


def figures(certificate: Certificate) -> dict[str, Figure]:
    """Every plot whose figures were measured, by name: ``pca``, ``defects``, ``retrieval``, ``spectrum``."""
    drawn = {name: draw(certificate) for name, draw in _DRAW.items() if certificate.plots.get(name)}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def arrows(axes: Axes, pairs: Mapping[str, Sequence[Sequence[float]]], count: int = PAIRS) -> bool:
    """Mixes, the sums of their parts, and a line between the two, in the mixes' two principal axes, in units of their scatter.

    Args:
        pairs: ``mix`` and ``sum``, each ``[n, 2]``.

    Returns:
        whether there was a finite pair to draw.
    """
    both = [(m, s) for m, s in zip(pairs["mix"], pairs["sum"], strict=True) if finite([*m, *s])][:count]
    if not both:
        return False
    scale = math.sqrt(sum(x * x + y * y for (x, y), _ in both) / len(both)) or 1.0
    both = [((a / scale, b / scale), (c / scale, d / scale)) for (a, b), (c, d) in both]
    for mix, total in both:
        axes.plot(*zip(mix, total, strict=True), color=colour("muted"), linewidth=0.7, alpha=0.7, zorder=1)
    mixes, sums = ([*zip(*side, strict=True)] for side in zip(*both, strict=True))
    axes.scatter(mixes[0], mixes[1], s=20, color=colour("space"), linewidths=0, label="mix", zorder=2)
    axes.scatter(
        sums[0], sums[1], s=22, facecolors="none", edgecolors=colour("other"), linewidths=1.1, label="sum of its parts", zorder=3
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("first principal axis of the mixes")
    axes.set_ylabel("second principal axis")
    return True


def finite(values: Sequence[Any]) -> bool:
    """Whether every value is a number that was measured."""
    return all(isinstance(each, int | float) and math.isfinite(each) for each in values)


def _pca(certificate: Certificate) -> Figure | None:
    figure, (axes,) = sheet()
    if not arrows(axes, certificate.plots["pca"]):
        return None
    legend(axes, loc="best")
    return figure


def _defects(certificate: Certificate) -> Figure | None:
    found = certificate.plots["defects"]
    # older certificates hold the space's own defects alone
    named = found if isinstance(found, Mapping) else {certificate.row.space: found}
    named = {name: [each for each in values if finite([each])] for name, values in named.items()}
    named = {name: values for name, values in named.items() if values}
    positive = [each for values in named.values() for each in values if each > 0]
    if not positive:
        return None
    low, high = math.log10(max(min(positive), 1e-4)), math.log10(max(positive))
    low, high = min(low, -0.5) - 0.05, max(high, 0.2) + 0.05
    edges = [10 ** (low + i * (high - low) / 36) for i in range(37)]
    figure, (axes,) = sheet()
    for i, (name, values) in enumerate(named.items()):
        inside = [min(max(each, edges[0]), edges[-1]) for each in values]
        options: dict[str, Any] = {"bins": edges, "weights": [100 / len(values)] * len(values), "color": colour(HUES[i % 4])}
        if i == 0:
            axes.hist(inside, alpha=0.35, **options)
        axes.hist(inside, histtype="step", linewidth=1.4, linestyle=DASHES[i % 4], label=plain(name), **options)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.axvline(1, color=colour("muted"), linewidth=1)
    axes.annotate("1: no better\nthan the mean", (1, 1), (4, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                  va="top", fontsize=9, color=colour("muted"))  # fmt: skip
    axes.set_xlabel("defect of a mix, in units of the space's scatter")
    axes.set_ylabel("share of mixes (%)")
    axes.set_ylim(top=1.25 * axes.get_ylim()[1])
    figure.subplots_adjust(top=0.84 if len(named) > 2 else 0.9)
    legend(axes, loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2)
    return figure


def _retrieval(certificate: Certificate) -> Figure | None:
    curve, candidates, row = certificate.plots["retrieval"], certificate.candidates, certificate.row
    pairs = zip(curve["rank"], curve["found"], strict=True)
    kept = [(rank, 100 * found) for rank, found in pairs if finite([found]) and rank <= candidates]
    if not kept:
        return None
    ranks, found = zip(*kept, strict=True)
    figure, (axes,) = sheet()
    axes.plot(ranks, found, color=colour("space"), linewidth=1.6, marker="o", markersize=4, label=plain(row.space))
    chance = [100 * rank / candidates for rank in ranks]
    axes.plot(ranks, chance, color=colour("muted"), linestyle="dashed", linewidth=1.2, label="chance")
    if finite([row.top1, row.top1_low, row.top1_high]):
        reach = [[max(100 * (row.top1 - row.top1_low), 0)], [max(100 * (row.top1_high - row.top1), 0)]]
        axes.errorbar(1, 100 * row.top1, yerr=reach, color=colour("space"), capsize=3, linewidth=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(0, 103)
    axes.set_xlabel(f"within this rank of {candidates} candidates")
    axes.set_ylabel("missing part found (%)")
    legend(axes, loc="lower right")
    return figure


def _spectrum(certificate: Certificate) -> Figure | None:
    shares = [100 * each for each in certificate.plots["spectrum"] if finite([each])]
    if not shares or not any(shares):
        return None
    figure, (axes,) = sheet()
    axes.bar(range(1, len(shares) + 1), shares, width=0.85, color=colour("space"), alpha=0.85, linewidth=0)
    rank = certificate.row.effective_rank
    if finite([rank]):
        axes.axvline(rank + 0.5, color=colour("other"), linewidth=1.4, linestyle="dashed")
        left = rank > 0.6 * len(shares)
        axes.annotate(f"effective rank {rank:.1f}", (rank + 0.5, 0.94), (-5 if left else 5, 0), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="right" if left else "left", fontsize=9, color=colour("other"))  # fmt: skip
    axes.set_xlabel("principal axis of the space")
    axes.set_ylabel("share of the variance (%)")
    axes.set_xlim(0.3, len(shares) + 0.7)
    return figure


_DRAW: dict[str, Callable[[Certificate], Figure | None]] = {
    "pca": _pca, "defects": _defects, "retrieval": _retrieval, "spectrum": _spectrum,
}  # fmt: skip
