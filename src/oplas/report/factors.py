"""Soft factorisation, drawn: cosines, the cross of displacements, what the weight of a law buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from ..measure.factor import Moved
from ..measure.steps import cosines, directions
from .drawing import colour, legend, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def cosine_figure(spaces: Mapping[str, Moved]) -> Figure:
    """The seed's three histograms, one panel for each space."""
    figure, panels = sheet(3.4 * len(spaces), 2.9, (1,) * len(spaces))
    for axes, (name, moved) in zip(panels, spaces.items(), strict=True):
        kinds = zip(("across: 0", "same way: 1", "opposite: -1"), ("third", "space", "other"), cosines(moved), strict=True)
        for label, tone, values in kinds:
            axes.hist(values.numpy(), bins=60, range=(-1, 1), density=True, alpha=0.6, color=colour(tone), label=label)
        axes.set(title=name, xlabel="cosine of two displacements", yscale="log", ylim=(1e-3, 40), xlim=(-1.02, 1.02))
    panels[0].set_ylabel("density")
    legend(panels[0], loc="upper left")
    return figure


def cross_figure(moved: Moved, *, things: int = 150, title: str = "") -> Figure:
    """Displacements on the plane of a semitone's and a time step's vector, in steps; where they should be as crosses."""
    v = directions(moved)
    where = moved.displaced[:things] @ torch.linalg.pinv(v)
    figure, (axes,) = sheet(3.8, 3.6)
    p = len(moved.pitches)
    for part, tone, label in ((where[:, :p], "space", "moved in pitch"), (where[:, p:], "other", "moved in time")):
        flat = part.flatten(0, 1)
        axes.scatter(flat[:, 1], flat[:, 0], s=5, alpha=0.35, color=colour(tone), label=label, linewidths=0)
    axes.scatter(moved.steps[:, 1], moved.steps[:, 0], marker="+", s=60, color=colour("ink"), linewidths=0.9)
    axes.set(xlabel="time steps, read from the space", ylabel="semitones, read from the space", title=title)
    axes.set_aspect("equal", adjustable="datalim")
    if title:
        figure.subplots_adjust(top=0.9)
    legend(axes, loc="upper right", markerscale=3)
    return figure


def sweep_figure(points: Sequence[Mapping[str, float]]) -> Figure:
    """What the weight of the step law buys and costs, from none to hard."""
    figure, (left, right) = sheet(7.2, 3.0, (1, 1))
    at = [max(point["weight"], 0.01) for point in points]
    for axes, lines in (
        (left, (("translation_error", "space", "translation error"), ("cross", "other", "cross, |cos|"))),
        (right, (("top1", "space", "top-1 with the step"), ("top1_still", "other", "top-1 without it"))),
    ):
        for key, tone, label in lines:
            axes.plot(at, [point[key] for point in points], "o-", color=colour(tone), label=label, markersize=4)
        axes.set(xscale="log", xlabel="weight of the step law (leftmost: 0)", ylim=(-0.03, 1.05))
        legend(axes)
    twin = [point["effective_rank"] / 16 for point in points]
    right.plot(at, twin, "s--", color=colour("third"), label="effective rank / 16", markersize=4)
    legend(right)
    return figure
