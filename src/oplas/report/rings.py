"""Plots of rings: points in their plane in order, the angles of single steps, the eigenvalues beside the unit circle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .._errors import ShapeError
from .drawing import colour, plain, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..discover import Discovery

SIDE = 3.6


def ring_figure(points: Tensor, labels: Sequence[str], winding: int = 1) -> Figure:
    """Points ``[m, d]`` in the plane of their Fourier harmonic, joined in the order in which a ring of that winding visits them.

    Raises:
        ShapeError: not one label for each of three points or more.
    """
    m = len(points)
    if m != len(labels) or m < 3 or points.ndim != 2:
        raise ShapeError(f"{len(labels)} labels were given for points {list(points.shape)}; give one for each of three or more")
    x = points.double() - points.double().mean(0)
    phase = 2 * math.pi * winding * torch.arange(m, dtype=torch.float64) / m
    real, imaginary = torch.cos(phase) @ x, torch.sin(phase) @ x
    axes, _ = torch.linalg.qr(torch.stack([real, imaginary], 1))
    flat = x @ axes
    flat = flat * torch.sign(torch.stack([real @ axes[:, 0], imaginary @ axes[:, 1]]))
    flat = flat / flat.norm(dim=1).mean()
    order = sorted(range(m), key=lambda j: winding * j % m)
    figure, (paper,) = sheet(SIDE, SIDE)
    figure.subplots_adjust(left=0.19, right=0.98)
    paper.plot(*flat[[*order, order[0]]].T.tolist(), color=colour("muted"), linewidth=1, zorder=1)
    paper.scatter(*flat.T.tolist(), s=34, color=colour("space"), linewidths=0, zorder=2)
    for (a, b), label in zip(flat.tolist(), labels, strict=True):
        away = math.hypot(a, b) or 1.0
        paper.annotate(plain(label), (a, b), (13 * a / away, 13 * b / away), textcoords="offset points", ha="center", va="center",
                       fontsize=9, color=colour("ink"))  # fmt: skip
    reach = 1.3 * float(flat.abs().max())
    paper.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="in units of the mean radius")
    return figure


def angle_figure(found: Discovery, z: Tensor) -> Figure | None:
    """How far each step of sequences ``[n, steps, d]`` turns in the plane with the most scatter; None where nothing turns."""
    if not found.planes:
        return None
    values, vectors = torch.linalg.eig(found.matrix)
    best = int((torch.angle(values).abs() - found.planes[0].angle).abs().argmin())
    left = torch.linalg.pinv(vectors)[best]
    flat = (z.double() - found.centre).to(left) @ left
    steps = torch.rad2deg(torch.angle(flat[:, 1:] * flat[:, :-1].conj())).flatten() * (1 if values[best].imag >= 0 else -1)
    figure, (paper,) = sheet()
    paper.hist(steps.tolist(), bins=72, range=(-180, 180), color=colour("space"), alpha=0.85)
    angle = math.degrees(found.planes[0].angle)
    paper.axvline(angle, color=colour("other"), linewidth=1.4, linestyle="dashed")
    side = -1 if angle > 60 else 1
    paper.annotate(f"{angle:.1f}°", (angle, 0.94), (5 * side, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                   ha="left" if side > 0 else "right", fontsize=9, color=colour("other"))  # fmt: skip
    paper.set(xlabel="turn of one step (degrees)", ylabel="steps", xlim=(-180, 180), xticks=range(-180, 181, 60))
    return figure


def eigenvalue_figure(found: Discovery) -> Figure:
    """The map's eigenvalues beside the unit circle, on which a rotation has them all; ticks of the period, if there is one."""
    figure, (paper,) = sheet(SIDE, SIDE)
    figure.subplots_adjust(left=0.19, right=0.98)
    circle = torch.linspace(0, 2 * math.pi, 181)
    paper.plot(circle.cos().tolist(), circle.sin().tolist(), color=colour("muted"), linewidth=1, zorder=1)
    for tick in range(found.period if found.period and found.period > 1 else 0):
        turn = 2 * math.pi * tick / (found.period or 1)
        paper.plot([0.95 * math.cos(turn), 1.05 * math.cos(turn)], [0.95 * math.sin(turn), 1.05 * math.sin(turn)],
                   color=colour("muted"), linewidth=1, zorder=1)  # fmt: skip
    values = found.eigenvalues
    paper.scatter(values.real.tolist(), values.imag.tolist(), s=30, color=colour("space"), linewidths=0, zorder=2)
    reach = 1.2 * max(1.0, float(values.abs().max()))
    paper.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="real part", ylabel="imaginary part")
    return figure
