"""Rotations: a flow of learned planes, and one of a known order."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .._errors import ShapeError
from ..functional.rotations import frame, nearest_turn, rate, turn, turn_planes, upright
from .composed import Pointwise, unit


class Rotation(Pointwise):
    r""":math:`z'=\exp(\theta\sum_pL_p)\,z`, :math:`L_p=a_pb_p^\top-b_pa_p^\top`: learned planes that turn at learned rates.

    Plane and rate are one pair of vectors each; the planes of later pairs are kept at right angles to the earlier ones, so that
    they commute and :math:`R_sR_t=R_{s+t}` for all real s and t. O(d) a vector (:func:`oplas.functional.rotations.turn`).

    Args:
        planes: how many; at most half the dimensions.
    """

    flow = True

    def __init__(self, dim: int, planes: int = 1) -> None:
        super().__init__()
        if not 1 <= planes <= dim // 2:
            raise ShapeError(f"Rotation({dim}, {planes}): {dim} dimensions hold 1 to {dim // 2} planes; ask for that many")
        self.a, self.b = nn.Parameter(unit(dim, planes)), nn.Parameter(0.5 * unit(dim, planes))

    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """The vectors a, b of each plane, at right angles to the planes before it."""
        done: list[tuple[Tensor, Tensor]] = []
        rows: list[Tensor] = []
        for a, b in zip(self.a, self.b, strict=True):
            for _ in range(2):
                for row in rows:
                    a, b = a - row * (row @ a), b - row * (row @ b)
            done.append((a, upright(a, b)))
            if len(done) < len(self.a):
                rows += frame(torch.stack(done[-1])).unbind(0)
        return done

    @property
    def angles(self) -> Tensor:
        """Radians a unit of theta, for each plane, ``[planes]``."""
        return torch.stack([rate(a, b) for a, b in self.pairs()])

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        for a, b in self.pairs():
            z = turn(z, theta, a, b)
        return z

    @torch.no_grad()
    def fit(self, z: Tensor, after: Tensor) -> Rotation:
        """Planes and angles of one unit of theta in closed form, the plane that turns most first; ``z``, ``after``: ``[n, d]``."""
        z, after = z.double(), after.double()
        for a, b in zip(self.a, self.b, strict=True):
            plane, angle = nearest_turn(z, after)
            a.copy_(plane[0])
            b.copy_(plane[1] * angle)
            z, after = z - z @ plane.mT @ plane, after - after @ plane.mT @ plane
        return self


class CyclicRotation(Pointwise):
    r"""A rotation by :math:`2\pi w\theta/n` in each learned plane: n units of theta are the identity, exactly.

    Twelve semitones are an octave, twelve fifths come round: where the order is known, only the planes are left to learn. They are
    spanned by free vectors through :func:`oplas.functional.rotations.frame`.

    Args:
        order: n, at least 2.
        winding: w of each plane: how often it turns while the cycle is run through once.
    """

    flow = True

    def __init__(self, dim: int, order: int, winding: int | tuple[int, ...] = 1) -> None:
        super().__init__()
        self.order, self.winding = order, (winding,) if isinstance(winding, int) else tuple(winding)
        if order < 2 or int(order) != order:
            raise ShapeError(f"CyclicRotation(order={order}): an order is a whole number of at least 2; order 1 stands still")
        if not 1 <= len(self.winding) <= dim // 2:
            raise ShapeError(f"{len(self.winding)} planes asked for; {dim} dimensions hold 1 to {dim // 2}")
        self.vectors = nn.Parameter(unit(dim, 2 * len(self.winding)))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        turns = torch.remainder(theta[..., None] * torch.tensor(self.winding, dtype=z.dtype, device=z.device), self.order)
        return turn_planes(z, turns * (2 * math.pi / self.order), frame(self.vectors))
