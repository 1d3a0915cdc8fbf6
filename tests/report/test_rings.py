"""Plots of rings put the points where they are, in order."""

import math

import numpy as np
import pytest
import torch

from oplas._errors import ShapeError
from oplas.discover import discover
from oplas.report.drawing import png
from oplas.report.rings import angle_figure, eigenvalue_figure, ring_figure

TURN = 2 * math.pi * torch.arange(12) / 12


@pytest.mark.parametrize("winding", [1, 5])
def test_neighbours_in_the_plot_are_neighbours_on_the_ring(winding):
    points = torch.stack([torch.cos(winding * TURN), torch.sin(winding * TURN), 0.1 * TURN], 1)
    figure = ring_figure(points, [str(j) for j in range(12)], winding)
    path = np.array(figure.axes[0].get_lines()[0].get_xydata())
    assert np.hypot(*np.diff(path, axis=0).T).max() < 0.7  # one side of the polygon, never across
    assert len(figure.axes[0].texts) == 12 and png(figure).startswith(b"\x89PNG")


def test_steps_and_eigenvalues_of_a_rotation():
    angle = 2 * math.pi * torch.arange(30) / 5 + torch.arange(4)[:, None]
    z = torch.stack([angle.cos(), angle.sin()], 2)
    found = discover(z)
    bars = angle_figure(found, z).axes[0].patches
    full = [bar for bar in bars if bar.get_height()]
    assert sum(bar.get_height() for bar in full) == 4 * 29 and all(bar.get_x() <= 72 + 1e-3 <= bar.get_x() + 10.01 for bar in full)
    dots = eigenvalue_figure(found).axes[0].collections[0].get_offsets()
    assert np.allclose(np.hypot(*np.asarray(dots).T), 1, atol=1e-6)


def test_nothing_turns_no_plot():
    z = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    assert angle_figure(discover(z, z + 1), z[None]) is None
    with pytest.raises(ShapeError, match="labels"):
        ring_figure(z, ["a"])
