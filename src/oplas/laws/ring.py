"""A deed comes round, once, on a circle."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..actions.base import Action
from ..functional.rotations import frame, turn_planes
from .base import Law, Seen


class Ring(Law):
    r""":math:`z'-c=R_{2\pi\theta/n}(z-c)` in one learned plane about the mean c, nothing outside it, one distance from c.

    The residual is in units of the ring's own radius :math:`r^2=\overline{|P(z'-c)|^2}`, P the projection on the plane:

    .. math:: \Big(\frac{z'-c-R(z-c)}{r},\quad \frac{|P(z'-c)|^2}{r^2}-1,\quad \frac{(1-P)(z'-c)}{r}\Big)

    so none of what met the seeds' losses meets this: the angle is :math:`2\pi/n`, which no other winding has and no hopping between
    four places; a reflection is no R; and a point or a line has no radius that would make its errors small.

    Args:
        order: n, steps of theta = 1 until it comes round, at least 3: a half turn is a reflection of the plane, too.
        dim: of the latents.
    """

    def __init__(self, action: Action | None, order: int, dim: int, weight: float = 1.0) -> None:
        super().__init__()
        if order < 3 or order != int(order):
            raise ValueError(f"Ring(order={order}): a ring comes round in a whole number of steps, 3 or more")
        self.action, self.order, self.weight = action, order, weight
        self.vectors = nn.Parameter(torch.randn(2, dim) / dim**0.5)

    def residual(self, seen: Seen) -> Tensor:
        plane = frame(self.vectors)
        centre = (seen.before[:, 0] + seen.after).mean(0) / 2
        before, after = seen.before[:, 0] - centre, seen.after - centre
        angle = seen.trials.theta[:, :1].to(after.dtype) * (2 * math.pi / self.order)
        flat = after @ plane.mT
        radius = flat.square().sum(1).mean().clamp_min(torch.finfo(after.dtype).tiny).sqrt()
        turned = (after - turn_planes(before, angle, plane)) / radius
        round_ = flat.square().sum(1, keepdim=True) / radius.square() - 1
        return torch.cat([turned, round_, (after - flat @ plane) / radius], 1)
