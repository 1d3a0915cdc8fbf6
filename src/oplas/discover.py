r"""Discovery: what kind of map turns these latents into those, with what period, in which planes? Or none.

Four families are fitted in closed form, from the plainest to the richest, and judged on rows they were not fitted on:

- identity :math:`z'=z`; translation :math:`z'=z+b`;
- rotation :math:`z'=Rz+b` with :math:`R^\top R=I` (Schönemann 1966: the polar factor of the covariance);
- linear :math:`z'=Az+b`, the least-squares (Koopman) operator.

A rotation may leave alone what nothing predicts: singular values of the covariance below those of pairs torn apart are noise.
The family is the plainest whose held-out code length, :math:`\tfrac12\log_2(\text{error}/\text{scatter})` bits for each number,
is within one standard error of the best. Where the best explains less than half of the scatter held out, or no more than it does
with the pairs torn apart, or where sequences turn by angles of their own, the answer is ``no such structure``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from ._errors import DataError, ShapeError

FAMILIES = ("identity", "translation", "rotation", "linear")
NONE = "no such structure"
FLOOR = 1e-12  # an error this small a share of the scatter is rounding
FOLDS = 5
LUCK = 0.3  # a period that random angles would have as often is none


@dataclass(frozen=True)
class Plane:
    """A plane that the map turns: the angle (rad, up to pi), its standard error, its share of the scatter, turns in a period."""

    angle: float
    error: float
    share: float
    step: int | None = None


@dataclass(frozen=True)
class Discovery:
    """What :func:`discover` found. ``matrix`` and ``shift`` are the map :math:`z'=Az+b` of the family chosen."""

    family: str
    period: int | None
    planes: tuple[Plane, ...]
    r2: float
    bits: dict[str, float]
    p: float
    luck: float
    closure: float | None
    mixed: bool
    rows: int
    matrix: Tensor
    shift: Tensor
    centre: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        """The map done to ``[n, d]``."""
        return z @ self.matrix.to(z).T + self.shift.to(z)

    @property
    def eigenvalues(self) -> Tensor:
        """Of the matrix; on the unit circle for a rotation."""
        return torch.linalg.eigvals(self.matrix)

    def to_dict(self) -> dict[str, Any]:
        """The figures, as JSON can hold them."""
        planes = [{"angle": p.angle, "error": p.error, "share": p.share, "step": p.step} for p in self.planes]
        return {"family": self.family, "period": self.period, "planes": planes, "r2": self.r2, "bits": self.bits, "p": self.p,
                "luck": self.luck, "closure": self.closure, "mixed": self.mixed, "rows": self.rows}  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.family}: explains {self.r2:.1%} of the scatter held out, p {self.p:.4f}, {self.rows} pairs"]
        lines.append("bits a number against the mean: " + ", ".join(f"{name} {bits:.2f}" for name, bits in self.bits.items()))
        if self.family == NONE:
            return "\n".join([*lines, "sequences turn by angles of their own: several deeds, mixed?"] if self.mixed else lines)
        for plane in self.planes:
            part = f" = {plane.step}/{self.period} turn" if plane.step is not None else ""
            degrees, error = math.degrees(plane.angle), math.degrees(plane.error)
            lines.append(f"a plane turns by {degrees:.3f}° ± {error:.3f}°{part}, {plane.share:.1%} of the scatter")
        if self.family in {"rotation", "linear"}:
            lucky = f"period {self.period}; an angle drawn at random would have one up to that with odds {self.luck:.2g}"
            lines.append(lucky if self.period else "no period that these figures' precision could tell from luck")
            seen = "not seen: every sequence is shorter than the period" if self.closure is None else f"error {self.closure:.2%}"
            lines += [f"closing after {self.period} steps: {seen}"] if self.period else []
        return "\n".join(lines)


def discover(z: Tensor, after: Tensor | None = None, *, longest: int = 48, draws: int = 199, seed: int = 0) -> Discovery:
    """What takes each latent to the next (sequences), or each of ``z`` to its partner in ``after`` (pairs).

    >>> turn = 2 * math.pi * torch.arange(24, dtype=torch.double) / 12
    >>> found = discover(torch.stack([torch.cos(turn), torch.sin(turn)], 1)[None])
    >>> found.family, found.period, found.planes[0].step
    ('rotation', 12, 1)

    Args:
        z: sequences ``[n, steps, d]``, each step one deed; or, with ``after``, pairs ``[n, d]`` of which nobody knows the period.
        longest: periods beyond it are not looked for.
        draws: how often the pairs are torn apart for the p-value.

    Raises:
        ShapeError: shapes that do not fit. DataError: fewer than eight pairs, NaN, or latents that do not vary.
    """
    before, then, group = _pairs(z, after)
    mean = torch.cat([before, then]).mean(0)
    rank = _basis(torch.cat([before, then]) - mean)
    x, y = (before - mean) @ rank, (then - mean) @ rank
    scatter = (y - y.mean(0)).square().sum(1).mean()
    generator = Generator().manual_seed(seed)
    errors, kept = _held_out(x, y, group, generator)
    errors = errors / scatter
    bits = {name: 0.5 * math.log2(max(float(each.mean()), FLOOR)) for name, each in zip(FAMILIES, errors, strict=True)}
    family = _plainest(errors)
    r2 = 1 - float(errors[FAMILIES.index(family)].mean())
    p = _p_value(x, y, family, generator, draws, kept)
    if r2 < 0.5 or p > 0.01:
        family = NONE
    a, b = _fit(family if family != NONE else "linear", x, y, kept)
    planes, centre, mixed, steady = _turns(family, a, b, x, y, group)
    family = NONE if mixed else family
    period, luck = _period(family, planes if steady else (), longest)
    planes = tuple(replace(each, step=round(each.angle / (2 * math.pi) * period) if period else None) for each in planes)
    matrix = rank @ a @ rank.T
    shift = mean + rank @ b - matrix @ mean
    closure = None if after is not None or not period else _closure(z.double(), period)
    return Discovery(family, period, planes, r2, bits, p, luck, closure, mixed, len(x), matrix, shift, mean + rank @ centre)


def _pairs(z: Tensor, after: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    if after is None:
        z = z[None] if z.ndim == 2 else z
        if z.ndim != 3:
            raise ShapeError(f"sequences are [n, steps, d]; this is {list(z.shape)}; for pairs give two tables [n, d]")
        if z.shape[1] < 2:
            raise DataError(f"the sequences have {z.shape[1]} step(s), so nothing is seen to move; give two steps or more")
        before, then = z[:, :-1].flatten(0, 1), z[:, 1:].flatten(0, 1)
        group = torch.arange(len(z)).repeat_interleave(z.shape[1] - 1)
        group = group if len(z) >= FOLDS else torch.arange(len(before))
    else:
        if z.ndim != 2 or z.shape != after.shape:
            raise ShapeError(f"pairs are two tables [n, d] of one shape; these are {list(z.shape)} and {list(after.shape)}")
        before, then, group = z, after, torch.arange(len(z))
    before, then = before.double(), then.double()
    if not bool(torch.isfinite(before).all() and torch.isfinite(then).all()):
        raise DataError("the latents hold NaN or infinity; leave those rows out, or mend what made them")
    if len(before) < 8:
        raise DataError(f"{len(before)} pairs cannot be told from chance; give 8 at least, better ten times the dimensions")
    for name, rows in (("before", before), ("after", then)):
        if float((rows - rows.mean(0)).square().sum()) <= 1e-18 * float(rows.square().sum()) + 1e-300:
            raise DataError(f"all {len(rows)} latents {name} the deed are the same: there is nothing to tell maps apart by")
    return before, then, group


def _basis(rows: Tensor) -> Tensor:
    """Orthonormal directions in which the rows vary at all, ``[d, r]``."""
    values, vectors = torch.linalg.eigh(rows.T @ rows)
    return vectors[:, values > 1e-16 * values[-1] * len(rows)].flip(1)


def _fit(family: str, x: Tensor, y: Tensor, kept: bool = False) -> tuple[Tensor, Tensor]:
    """Matrix and shift of a family's least-squares member; a ``kept`` rotation only turns what is predictable."""
    mx, my, d = x.mean(0), y.mean(0), x.shape[1]
    eye = torch.eye(d, dtype=x.dtype)
    if family in {"identity", "translation"}:
        return eye, my - mx if family == "translation" else torch.zeros_like(mx)
    if family == "rotation":
        u, s, v = torch.linalg.svd((y - my).T @ (x - mx))
        if kept:
            torn = torch.randperm(len(y), generator=Generator().manual_seed(0))
            noise = float(torch.linalg.matrix_norm((y - my)[torn].T @ (x - mx), 2))
            u = u * (s > min(noise, float(s[0]) * 0.999))
        a = u @ v
    else:
        gram = (x - mx).T @ (x - mx)
        a = torch.linalg.solve(gram + 1e-10 * torch.trace(gram) / d * eye, (x - mx).T @ (y - my)).T
    return a, my - a @ mx


def _held_out(x: Tensor, y: Tensor, group: Tensor, generator: Generator) -> tuple[Tensor, bool]:
    """Squared error of each family on every row, fitted on the other folds' groups, ``[families, n]``; which rotation it was."""
    names = group.unique()
    fold = torch.randperm(len(names), generator=generator)[torch.searchsorted(names, group)] % min(FOLDS, len(names))
    fitted = [(family, False) for family in FAMILIES] + [("rotation", True)]
    errors = torch.zeros(len(fitted), len(x), dtype=x.dtype)
    for each in fold.unique():
        rest = fold != each
        for row, (family, kept) in enumerate(fitted):
            a, b = _fit(family, x[rest], y[rest], kept)
            errors[row, ~rest] = (x[~rest] @ a.T + b - y[~rest]).square().sum(1)
    row, kept = FAMILIES.index("rotation"), bool(errors[-1].mean() < errors[FAMILIES.index("rotation")].mean())
    errors[row] = errors[-1] if kept else errors[row]
    return errors[:-1], kept


def _plainest(errors: Tensor) -> str:
    """The first family not surely worse than the best; errors below rounding are alike."""
    best = errors[errors.mean(1).argmin()]
    for family, each in zip(FAMILIES, errors, strict=True):
        gap = each - best
        if float(gap.mean()) <= float(gap.std() / math.sqrt(len(gap))) or float(each.mean()) <= 100 * FLOOR:
            return family
    return FAMILIES[-1]


def _p_value(x: Tensor, y: Tensor, family: str, generator: Generator, draws: int, kept: bool) -> float:
    """Share of random pairings that the family fits as well, after its own fit to them."""

    def error(y: Tensor) -> float:
        a, b = _fit(family, x, y, kept)
        return float((x @ a.T + b - y).square().sum())

    own = error(y)
    as_well = sum(error(y[torch.randperm(len(y), generator=generator)]) <= own * (1 + 1e-9) for _ in range(draws))
    return (1 + as_well) / (1 + draws)


def _turns(family: str, a: Tensor, b: Tensor, x: Tensor, y: Tensor, group: Tensor) -> tuple[tuple[Plane, ...], Tensor, bool, bool]:
    """Planes that the map turns and predicts, the point that stays, whether groups turn by their own angles, and lengths stay."""
    centre = torch.linalg.lstsq(torch.eye(len(a), dtype=a.dtype) - a, b[:, None], driver="gelsd").solution[:, 0]
    if family not in {"rotation", "linear"}:
        return (), centre, False, True
    values, right = torch.linalg.eig(a)
    left = torch.linalg.pinv(right)
    w, v = (x - centre).to(left) @ left.T, (y - centre).to(left) @ left.T
    whole = (x - centre).square().sum()
    planes, mixed, steady = [], False, True
    for k, value in enumerate(values):
        angle, share = float(torch.angle(value)), float(w[:, k].abs().square().sum() * right[:, k].abs().square().sum() / whole)
        missed = float((v[:, k] - value * w[:, k]).abs().square().sum()) > 0.5 * float(v[:, k].abs().square().sum())
        if share < 0.005 or missed:
            continue
        steady &= 0.9 < float(value.abs()) < 1.1
        if value.imag < -1e-9 or abs(angle) < 1e-9 or not 0.9 < float(value.abs()) < 1.1:
            continue
        off = v[:, k] * (w[:, k] * value / value.abs()).conj()
        power = w[:, k].abs().square()
        error = float(off.imag.square().sum().sqrt() / power.sum())
        planes.append(Plane(abs(angle), error, share * (2 if value.imag > 1e-9 else 1)))
        mixed |= value.imag > 1e-9 and _apart(off, power, group)
    return tuple(sorted(planes, key=lambda plane: -plane.share)), centre, bool(mixed), steady


def _apart(off: Tensor, power: Tensor, group: Tensor) -> bool:
    """Whether groups' mean angles differ by more than their own errors and a tenth of a degree."""
    names, index = group.unique(return_inverse=True)
    if len(names) < 2 or len(names) == len(group):
        return False
    total = torch.zeros(len(names), dtype=off.dtype).index_add_(0, index, off)
    square = torch.zeros(len(names), dtype=power.dtype)
    mine = torch.angle(total)
    error = square.index_add(0, index, (off * torch.exp(-1j * mine[index])).imag.square()).sqrt()
    error = error / square.index_add(0, index, power).clamp_min(1e-300)
    return float((mine.abs() / (error + math.radians(0.1))).median()) > 4


def _period(family: str, planes: tuple[Plane, ...], longest: int) -> tuple[int | None, float]:
    """The least n after which every plane is back where it was, and how likely random angles had one up to that.

    None where the angles are not known well enough to tell a period from luck.
    """
    if family == "identity":
        return 1, 0.0
    luck = 0.0
    for n in range(2, longest + 1) if planes else ():
        near, fits = 1.0, True
        for plane in planes:
            turns, tolerance = plane.angle / (2 * math.pi) * n, max(3 * n * plane.error / (2 * math.pi), 1e-6)
            near *= min(2 * tolerance, 1.0) if plane.angle < math.pi - 1e-9 else 1.0  # a mirror has no angle to be lucky with
            fits &= abs(turns - round(turns)) <= tolerance
        luck += near if any(plane.angle < math.pi - 1e-9 for plane in planes) else 0.0
        if luck > LUCK:
            break
        if fits:
            return n, luck
    return None, min(luck, 1.0)


def _closure(z: Tensor, period: int) -> float | None:
    z = z[None] if z.ndim == 2 else z
    if z.shape[1] <= period:
        return None
    gap = (z[:, period:] - z[:, :-period]).square().sum(-1).mean()
    return float((gap / (z - z.mean((0, 1))).square().sum(-1).mean()).sqrt())
