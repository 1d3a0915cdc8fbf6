r"""Is it a ring? Latents of a deed done again and again, judged by every way in which a ring can be a sham.

The verdict's rule; lengths are in units of the ring's radius, n is the period, R the least-squares turn of one plane:

- ``ring``: R turns once in n steps; closure :math:`|R^nz-z|` and step error, the RMS of :math:`z_{t+1}-Rz_t`, below 0.1; from every
  place, every power of R lands nearest to the right place; planarity >= 0.9 (nothing outside the plane), evenness >= 0.5 (the
  smallest gap between places, of an even one: 0 where places coincide, as when a sequence hops between four); and hardly one order
  of the places in a hundred makes as good a ring.
- ``wound``: all of this, but R turns w > 1 times in n steps: the ring of another step, as chromatic steps on the circle of fifths.
- ``no ring``: no period, sequences that turn by angles of their own, step error >= 0.5, planarity < 0.5, more than half of the
  powers landing in the wrong place, or an order no better than chance.
- ``partly``: everything else; ``why`` names each figure that fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Generator, Tensor

from .._told import Told
from ..functional.rotations import turn_planes
from ._figures import Turn, evenness, order, period_of, permutation, turn_of, winding_of
from ._orbits import Orbits, orbits_of

CHANCE = 0.01
MIXED = "sequences, or parts of one, turn by angles of their own, up to {:.2f} rad from the common one: several rings mixed?"


@dataclass(frozen=True)
class RingCertificate(Told):
    """What :func:`certify_ring` found; figures that could not be had are NaN, in JSON null.

    Units: angles in radians; closure, step, returned, scatter in radii; planarity, evenness, order as shares.
    """

    verdict: str
    why: str
    period: int | None
    winding: int | None
    angle: float
    angle_error: float
    planarity: float
    evenness: float
    step: float
    held_out: bool
    closure: float
    returned: float
    order: float
    spread: float
    scatter: float
    p: float
    orbits: int
    rows: int
    seed: int

    def __str__(self) -> str:
        head = f"{self.verdict}: {self.why}"
        if self.period is None:
            return head
        kind = "held out" if self.held_out else "in sample"
        turns = f"period {self.period}, winding {self.winding}, angle {self.angle:.6f} rad (off by {self.angle_error:.1e})"
        shape = f"planarity {self.planarity:.3f}, evenness {self.evenness:.3f}, closure {self.closure:.1e}"
        steps = f"step error {self.step:.1e} ({kind}), powers in the right place {self.order:.0%}, p {self.p:.4f}"
        return "\n".join((head, turns, f"{shape}, {steps}", f"{self.rows} latents in {self.orbits} sequences · seed {self.seed}"))


def certify_ring(
    z: Tensor, *, period: int | None = None, position: Tensor | None = None, draws: int = 1999, seed: int = 0
) -> RingCertificate:
    """Judge sequences ``[orbits, length, d]`` or ``[length, d]`` whose rows are one step apart, or rows ``[n, d]`` of known places.

    >>> import torch
    >>> phase = 2 * math.pi * torch.arange(24) / 12
    >>> print(certify_ring(torch.stack([phase.cos(), phase.sin()], 1)).verdict)
    ring

    Args:
        period: steps until it comes round; looked for where not given. Sequences exactly that long are taken to close.
        position: the place, 0 to period - 1, of each row of ``z``, in any order and number.
        draws: random orders of the places for the p-value; up to seven places every order is tried.

    Raises:
        DataError: NaN, constant latents, a period below 3, sequences shorter than the period, places without a row.
        ShapeError: other shapes, or fewer than two dimensions.
    """
    seen = orbits_of(z, period, position)
    turn, held_out = turn_of(seen), len(seen.z) >= 4
    step = turn_of(seen.some(0)).error(seen.some(1)) if held_out else turn.error(seen)
    n = period or seen.period or period_of(turn.angle, turn.uncertainty, seen.z.shape[1] - 1)
    spread, mixed = turn.spread(seen)
    if n is None:
        why = MIXED.format(spread) if mixed else None
        why = why or f"it turns {math.degrees(turn.angle):.2f}° a step, and no period up to {seen.z.shape[1] - 1} steps fits that"
        return _refused(why, turn, step, held_out, seen, seed)
    means = seen.places(n)
    flat = turn.flat(means)
    winding = winding_of(flat)
    beyond = seen.z[:, n:] - seen.z[:, :-n]
    figures = {
        "period": n,
        "winding": winding,
        "angle": turn.angle,
        "angle_error": abs(turn.angle - 2 * math.pi * winding / n),
        "planarity": turn.planarity(seen.z.flatten(0, 1) if position is None else means),
        "evenness": evenness(flat),
        "step": step,
        "closure": 2 * abs(math.sin(n * turn.angle / 2)),
        "returned": float(beyond.square().sum(-1).mean().sqrt()) / turn.radius if beyond.numel() else math.nan,
        "order": order(means - turn.centre, lambda x, k: turn_planes(x, x.new_tensor([k * turn.angle]), turn.plane)),
        "spread": spread,
        "scatter": seen.scatter / turn.radius,
        "p": permutation(means, draws, Generator().manual_seed(seed)),
    }
    verdict, why = _verdict(figures, mixed, n)
    return RingCertificate(verdict, why, held_out=held_out, orbits=len(seen.z), rows=seen.rows, seed=seed, **figures)  # type: ignore[arg-type]


def _verdict(f: dict[str, Any], mixed: bool, n: int) -> tuple[str, str]:
    same = sum(math.gcd(k, n) == 1 for k in range(n)) / math.factorial(n - 1)  # orders that are this ring, run through otherwise
    chance = max(CHANCE, 1.01 * same)
    fails = [
        name
        for name, bad in (
            (f"closure {f['closure']:.2f}", f["closure"] >= 0.1),
            (f"step error {f['step']:.2f}", f["step"] >= 0.1),
            (f"powers in the right place {f['order']:.0%}", f["order"] < 1),
            (f"planarity {f['planarity']:.2f}", f["planarity"] < 0.9),
            (f"evenness {f['evenness']:.2f}", f["evenness"] < 0.5),
            (f"a random order is as good with p {f['p']:.3f}", f["p"] > chance),
        )
        if bad
    ]
    if mixed:
        return "no ring", MIXED.format(f["spread"])
    if f["step"] >= 0.5 or f["planarity"] < 0.5 or f["order"] < 0.5 or f["p"] > chance:
        return "no ring", "; ".join(fails)
    if fails:
        return "partly", "; ".join(fails)
    if f["winding"] != 1:
        return "wound", f"it turns {f['winding']} times in {n} steps"
    return "ring", f"it turns once in {n} steps"


def _refused(why: str, turn: Turn, step: float, held_out: bool, seen: Orbits, seed: int) -> RingCertificate:
    nan = math.nan
    return RingCertificate(
        "no ring", why, None, None, turn.angle, nan, turn.planarity(seen.z.flatten(0, 1)), nan, step, held_out, nan, nan, nan, nan,
        nan, nan, len(seen.z), seen.rows, seed,
    )  # fmt: skip
