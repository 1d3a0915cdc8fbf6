"""The figures of a ring: pure functions of orbits and of places in a plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Generator, Tensor

from ..functional.rotations import angle_in, centre_of, nearest_turn, turn_planes
from ._orbits import Orbits


@dataclass(frozen=True)
class Turn:
    """The least-squares turn of one plane about a centre: angle in radians, radius and RMS residual in the latents' units."""

    plane: Tensor
    angle: float
    centre: Tensor
    radius: float
    uncertainty: float

    def __call__(self, z: Tensor) -> Tensor:
        return self.centre + turn_planes(z - self.centre, z.new_tensor([self.angle]), self.plane)

    def flat(self, z: Tensor) -> Tensor:
        """Complex coordinates in the plane; a step multiplies them by :math:`e^{i\\alpha}`, ``[...]``."""
        x, y = ((z - self.centre) @ self.plane.mT).unbind(-1)
        return torch.complex(y, x)

    def error(self, seen: Orbits) -> float:
        """RMS of what one step misses, in radii."""
        before, after = seen.steps
        return float((self(before) - after).square().sum(-1).mean().sqrt()) / self.radius

    def planarity(self, z: Tensor) -> float:
        """Share of the rows' scatter that lies in the plane."""
        away = z - z.mean(0)
        return float((away @ self.plane.mT).square().sum() / away.square().sum())

    def spread(self, seen: Orbits) -> tuple[float, bool]:
        """How far sequences' own angles are from the common one, radians, and whether that is more than six of their errors.

        A single long sequence is cut in four.
        """
        before, after = (each - each.mean(1, keepdim=True) for each in _pieces(seen))
        own = angle_in(self.plane, before, after)
        missed = turn_planes(before, own[:, None, None].expand(*before.shape[:2], 1), self.plane) - after
        scatter = (before @ self.plane.mT).square().sum((1, 2)).clamp_min(1e-300)
        errors = ((missed @ self.plane.mT).square().sum((1, 2)) / scatter / before.shape[1]).sqrt()
        off = (own - self.angle).abs()
        return float(off.max()), bool((off > 6 * errors + 0.1 * max(abs(self.angle), 0.05)).any())


def _pieces(seen: Orbits) -> tuple[Tensor, Tensor]:
    before, after = seen.steps
    if len(before) > 1 or before.shape[1] < 24:
        return before, after
    quarter = before.shape[1] // 4
    return before[0, : 4 * quarter].unflatten(0, (4, quarter)), after[0, : 4 * quarter].unflatten(0, (4, quarter))


def turn_of(seen: Orbits) -> Turn:
    """Plane, angle and centre of the steps; the centre solves :math:`(I-R)c=\\bar z'-R\\bar z`, so part of a cycle will do."""
    before, after = (each.flatten(0, 1) for each in seen.steps)
    everything = torch.cat([before, after])
    basis = torch.linalg.svd(everything - everything.mean(0), full_matrices=False).Vh
    x, y = before @ basis.mT, after @ basis.mT
    here, there = x - x.mean(0), y - y.mean(0)
    plane, angle = nearest_turn(here, there, rounds=50)
    plane = plane @ basis
    centre = centre_of(before.mean(0), after.mean(0), plane, angle)
    found = Turn(plane, float(angle), centre, 1.0, 0.0)
    radius = float(((before - centre) @ plane.mT).square().sum(1).mean().sqrt())
    missed = float(((found(before) - after) @ plane.mT).square().sum(1).mean().sqrt())
    return Turn(plane, float(angle), centre, radius, missed / max(radius, 1e-300) / len(before) ** 0.5)


def period_of(angle: float, uncertainty: float, longest: int) -> int | None:
    """The least n >= 3 up to ``longest`` whose multiple of the angle is whole turns, within three errors or a thousandth turn."""
    for n in range(3, longest + 1):
        off = abs(math.remainder(n * angle, 2 * math.pi))
        if round(n * angle / (2 * math.pi)) and off <= min(max(3 * n * uncertainty, 2e-3 * math.pi), 0.3 * angle):
            return n
    return None


def winding_of(flat: Tensor) -> int:
    """How often places in order go round the centre, forwards counted positive."""
    return round(float(torch.angle(flat.roll(-1) * flat.conj()).sum()) / (2 * math.pi))


def evenness(flat: Tensor) -> float:
    """The smallest gap between neighbouring places, of an even one: 1 even, 0 where two coincide."""
    around = torch.angle(flat).sort().values
    gaps = torch.cat([around.diff(), around[:1] + 2 * math.pi - around[-1:]])
    return float(gaps.min()) * len(flat) / (2 * math.pi)


def order(places: Tensor, power: Callable[[Tensor, int], Tensor]) -> float:
    """From every place, the share of powers 1 … n that land nearest to the right one."""
    n = len(places)
    right = [
        (torch.cdist(power(places, k), places).argmin(1) == (torch.arange(n) + k) % n).double().mean() for k in range(1, n + 1)
    ]
    return float(torch.stack(right).mean())


def permutation(places: Tensor, draws: int, generator: Generator) -> float:
    r"""How often a random order of the places makes as good a ring: as much of their scatter in one harmonic.

    The statistic is the largest power of a harmonic :math:`\hat z_k=\frac1n\sum_j z_je^{-2\pi ijk/n}`, k prime to n. Up to seven
    places every order counts, else ``draws`` random ones and the order itself.
    """
    n = len(places)
    away = places - places.mean(0)
    turns = [k for k in range(1, n // 2 + 1) if math.gcd(k, n) == 1 and 2 * k != n]
    wave = torch.exp(-2j * math.pi * torch.outer(torch.tensor(turns), torch.arange(n)).double() / n)
    if n <= 7:
        orders = torch.tensor([(0, *rest) for rest in permutations(range(1, n))])
    else:
        shuffled = torch.stack([torch.randperm(n, generator=generator) for _ in range(draws)])
        orders = torch.cat([torch.arange(n)[None], shuffled])
    power = torch.einsum("kj,mjd->mkd", wave, away[orders].to(wave.dtype)).abs().square().sum(-1).amax(1)
    return float((power >= power[0] * (1 - 1e-9)).double().mean())
