"""Scale, translation and rotation in one flow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..functional.rotations import frame, nearest_turn, turn_planes
from .composed import Pointwise, unit


class FiLMR(Pointwise):
    r"""Rotation with learned scale and translation: the flow of :math:`\dot z=gz+Lz+v`, a spiral about a learned centre.

    .. math:: z'=e^{\theta g}e^{\theta L}z+\int_0^\theta e^{s(g+L)}v\,ds

    One unit of theta is the seeds' map :math:`R(\gamma z+\beta)` (Hawley & Tackett 2024, https://arxiv.org/abs/2406.02699) with
    :math:`\gamma=e^g`; as a flow it obeys :math:`O_sO_t=O_{s+t}`, and all its parameters are learned: ``growth`` g,
    ``velocity`` v, ``angle`` and the plane's two ``vectors``. Where the angle and g are zero it is a translation.
    """

    flow = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(unit(dim, 2))
        self.angle = nn.Parameter(torch.tensor(0.1))
        self.growth = nn.Parameter(torch.tensor(0.0))
        self.velocity = nn.Parameter(torch.zeros(dim))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        plane = frame(self.vectors)
        turned = turn_planes(z, (self.angle * theta)[:, None], plane) * torch.exp(self.growth * theta)[:, None]
        return turned + theta[:, None] * self._carried(theta, plane)

    def _carried(self, theta: Tensor, plane: Tensor) -> Tensor:
        """The mean of the velocity as the flow turns and grows it, ``[n, d]``."""
        inside, (y, x) = plane.mT @ (plane @ self.velocity), plane @ self.velocity
        grown = phi(torch.complex(self.growth * theta, torch.zeros_like(theta))).real
        spun = phi(torch.complex(self.growth * theta, self.angle * theta)) * torch.complex(x, y)
        return grown[:, None] * (self.velocity - inside) + torch.stack([spun.imag, spun.real], -1) @ plane

    @torch.no_grad()
    def fit(self, z: Tensor, after: Tensor) -> FiLMR:
        r"""Plane, angle, scale and translation of one unit of theta by least squares, ``z``, ``after``: ``[n, d]``.

        Umeyama (1991, https://doi.org/10.1109/34.88573), for a rotation in one plane.
        """
        z, after = z.double(), after.double()
        here, there = z - z.mean(0), after - after.mean(0)
        plane, angle = nearest_turn(here, there)
        turned = turn_planes(here, angle.expand(len(z), 1), plane)
        scale = ((turned * there).sum() / turned.square().sum()).clamp_min(1e-6)
        shift = after.mean(0) - scale * turn_planes(z.mean(0), angle[None], plane)
        y, x = plane @ shift
        zero = torch.zeros_like(angle)
        spun = torch.complex(x, y) / phi(torch.complex(scale.log(), angle))
        rest = (shift - plane.mT @ (plane @ shift)) / phi(torch.complex(scale.log(), zero)).real
        for parameter, value in (
            (self.vectors, plane),
            (self.angle, angle),
            (self.growth, scale.log()),
            (self.velocity, rest + plane.mT @ torch.stack([spun.imag, spun.real])),
        ):
            parameter.copy_(value)
        return self


def phi(w: Tensor) -> Tensor:
    r""":math:`(e^w-1)/w`, complex, smooth at 0 as well."""
    near = w.abs() < 0.1
    small = torch.where(near, w, torch.zeros_like(w))
    series = torch.ones_like(w)
    for k in range(12, 1, -1):
        series = 1 + small / k * series
    far = torch.where(near, torch.ones_like(w), w)
    return torch.where(near, series, (torch.exp(far) - 1) / far)
