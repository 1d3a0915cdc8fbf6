"""The directions in which a decoder changes are the tangent of what it draws."""

from __future__ import annotations

import torch

from oplas.functional.tangent import local_basis


def test_the_basis_is_the_planted_tangent_and_a_walk_along_it_stays_on_the_surface():
    """A sphere drawn from three numbers of which one, the radius, is squashed flat."""
    squash = lambda z: z / z.norm()  # noqa: E731
    z = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    axes, sizes = local_basis(squash, z, 3)
    assert torch.allclose(axes[:2] @ z, torch.zeros(2, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(sizes, torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64), atol=1e-12)
    step, point = axes[0], z
    for _ in range(100):
        axes, _ = local_basis(squash, point, 2)
        step = (axes.T @ (axes @ step)) / (axes @ step).norm()
        point = squash(point + 0.01 * step)
    assert torch.allclose(point.norm(), torch.tensor(1.0, dtype=torch.float64))
    assert abs(float(torch.arccos((point @ z).clamp(-1, 1))) - 1.0) < 0.01
