r"""Learning a ring by variable projection: the operator is solved for, never followed.

Every ``every`` steps the turn of one plane about the latents' mean c is the least-squares one of the current space; in between only
the projector moves, down the ring's law

.. math:: \frac{\sum_i|z'_i-c-R(z_i-c)|^2}{\sum_i|P(z_i-c)|^2},\qquad P\ \text{the projection on R's plane},

which no shrinking lowers: a point or a line makes it large, not small. Followed by gradient the angle gets stuck at other
windings; solved for, it starts small, as neighbours are near each other at first, and grows until the sequence closes. At the end
the projector's last layer is solved for, too. Golub & Pereyra (1973, https://doi.org/10.1137/0710036).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import gelu

from .._errors import DataError, ShapeError
from ..functional.rotations import angle_in, centre_of, one_plane, turn_planes
from ..operators import Rotation

RIDGES = (1e-9, 1e-6, 1e-4, 1e-3, 1e-2)


@dataclass(frozen=True)
class Rings:
    """Spaces learned side by side from many random starts; ``best`` is the one whose law is left with the least.

    Shape:
        - plane: ``[starts, 2, width]`` · angle, loss: ``[starts]``, radians a step, the law's value
    """

    layers: list[Tensor]
    middle: Tensor
    unit: Tensor
    plane: Tensor
    angle: Tensor
    loss: Tensor

    def __len__(self) -> int:
        return len(self.angle)

    @property
    def best(self) -> int:
        return int(self.loss.argmin())

    def project(self, y: Tensor, start: int | None = None) -> Tensor:
        """Codes ``[n, dim]`` to latents ``[n, width]`` of one start (by default the best), centre at zero."""
        return self.project_all(y)[self.best if start is None else start]

    @torch.no_grad()
    def project_all(self, y: Tensor) -> Tensor:
        """Codes ``[n, dim]`` to the latents of every start, ``[starts, n, width]``."""
        return _head(_features((y - self.middle) / self.unit, self.layers), self.layers)

    def turn(self, z: Tensor, times: float = 1.0) -> Tensor:
        """Latents of every start after so many steps, ``[starts, n, width]``."""
        return turn_planes(z, (times * self.angle)[:, None, None].to(z).expand(*z.shape[:2], 1), self.plane.to(z))

    def operator(self, start: int | None = None) -> Rotation:
        """The rotation of one start; theta counts steps."""
        chosen = self.best if start is None else start
        made = Rotation(self.plane.shape[2])
        with torch.no_grad():
            made.a.copy_(self.plane[chosen, :1])
            made.b.copy_(self.plane[chosen, 1:] * self.angle[chosen])
        return made


def learn_rings(
    before: Tensor, after: Tensor, *, width: int = 2, starts: int = 8, seed: int = 0, steps: int = 1024, hidden: int = 64,
    rate: float = 3e-3, every: int = 10, ridge: float | None = None, settle: bool = True,
) -> Rings:  # fmt: skip
    r"""Spaces in which each step of a deed, ``before`` to ``after`` ``[n, dim]``, is one rotation; no angle and no period is given.

    Args:
        starts: random starts, learned as one tensor program.
        every: how often the operator is solved for.
        ridge: share of the features' mean energy added where the last layer is solved for; by default the one of ``RIDGES``
            under which steps left out are foretold best.
        settle: whether the last layer is solved for at the end.

    Raises:
        DataError: fewer than three steps, NaN, codes that do not vary or never move. ShapeError: shapes that do not fit.
    """
    _check(before, after, width)
    codes = torch.cat([before, after]).float()
    middle = codes.mean(0)
    unit = (codes - middle).square().sum(1).mean().sqrt()
    x = (codes - middle) / unit
    layers = _fresh(x.shape[1], hidden, width, starts, Generator().manual_seed(seed))
    optimiser = torch.optim.Adam(layers, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    solved = (torch.empty(0), torch.empty(0))
    for step in range(steps):
        z, then = _split(_head(_features(x, layers), layers))
        if step % every == 0:
            solved = one_plane(z.detach(), then.detach())
        loss = ring_loss(z, then, *solved).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return _finish([each.detach().double() for each in layers], middle.double(), unit.double(), x.double(), ridge, settle)


def ring_loss(z: Tensor, then: Tensor, plane: Tensor, angle: Tensor) -> Tensor:
    """The law, ``[...]``, of centred latents ``[..., n, d]`` and where they went."""
    turned = turn_planes(z, angle[..., None, None].expand(*z.shape[:-1], 1), plane)
    return (then - turned).square().sum((-2, -1)) / (z @ plane.mT).square().sum((-2, -1)).clamp_min(1e-30)


def _finish(layers: list[Tensor], middle: Tensor, unit: Tensor, x: Tensor, ridge: float | None, settle: bool) -> Rings:
    features = _features(x, layers)
    z, then = _split(_head(features, layers))
    plane, angle = one_plane(z, then)
    if settle:
        ridge = _steadiest(features[:8], plane[:8], angle[:8]) if ridge is None else ridge
        layers[4], angle = _settle(features, plane, angle, ridge)
    z, then = _head(features, layers).chunk(2, 1)
    here, there = z - z.mean(1, keepdim=True), then - then.mean(1, keepdim=True)
    angle = angle_in(plane, here, there)
    centre = centre_of(z.mean(1), then.mean(1), plane, angle)[:, None]
    layers[5] = layers[5] - centre
    return Rings(layers, middle, unit, plane, angle, ring_loss(z - centre, then - centre, plane, angle))


def _settle(features: Tensor, plane: Tensor, angle: Tensor, ridge: float, rounds: int = 3) -> tuple[Tensor, Tensor]:
    r"""The last layer, in closed form: of complex coordinates :math:`q=f^\top w`, those that one step turns best.

    The least eigenvector of :math:`\sum|(f'-e^{i\alpha}f)^\top w|^2=\rho\sum|f^\top w|^2`, α being solved for in turn.
    """
    f, g = ((each - each.mean(1, keepdim=True)).to(torch.complex128) for each in features.chunk(2, 1))
    whole = f.mH @ f
    size = whole.diagonal(dim1=-2, dim2=-1).real.mean(-1)[:, None, None]
    damp = ridge * size * torch.eye(f.shape[-1], dtype=f.dtype)
    back = torch.linalg.inv(torch.linalg.cholesky(whole + damp))
    for _ in range(rounds):
        missed = g - torch.exp(1j * angle)[:, None, None] * f
        _, vectors = torch.linalg.eigh(back @ (missed.mH @ missed + damp) @ back.mH)
        w = back.mH @ vectors[..., :1]
        angle = torch.angle(((g @ w) * (f @ w).conj()).sum((-2, -1)))
    scale = math.sqrt(f.shape[1]) / (f @ w).abs().square().sum(1, keepdim=True).sqrt()  # radius one
    return torch.cat([w.imag, w.real], -1) * scale.real @ plane, angle


def _steadiest(features: Tensor, plane: Tensor, angle: Tensor, folds: int = 4) -> float:
    """The ridge whose last layer foretells steps left out best, in the median over starts; the least one among near equals."""
    f, g = features.chunk(2, 1)
    fold = torch.randperm(f.shape[1], generator=Generator().manual_seed(0)) % folds
    missed = torch.zeros(len(RIDGES), len(features), dtype=f.dtype)
    for each in range(folds):
        rest, out = fold != each, fold == each
        shift = f[:, rest].mean(1, keepdim=True), g[:, rest].mean(1, keepdim=True)
        for row, ridge in enumerate(RIDGES):
            head, turned = _settle(torch.cat([f[:, rest], g[:, rest]], 1), plane, angle, ridge, rounds=1)
            z, then = (f[:, out] - shift[0]) @ head, (g[:, out] - shift[1]) @ head
            missed[row] += ring_loss(z, then, plane, turned)
    median = missed.median(1).values
    return next(ridge for ridge, value in zip(RIDGES, median, strict=True) if value <= 1.1 * median.min())


def _fresh(dim: int, hidden: int, width: int, starts: int, generator: Generator) -> list[Tensor]:
    made = []
    for n, m, spread in ((dim, hidden, 1.0), (hidden, hidden, hidden**-0.5), (hidden, width, hidden**-0.5)):
        made.append(torch.randn(starts, n, m, generator=generator) * spread)
        made.append(2 * torch.rand(starts, 1, m, generator=generator) - 1)
    return [each.requires_grad_() for each in made]


def _features(x: Tensor, layers: list[Tensor]) -> Tensor:
    x = gelu(torch.matmul(x.to(layers[0]), layers[0]) + layers[1])
    return gelu(torch.matmul(x, layers[2]) + layers[3])


def _head(features: Tensor, layers: list[Tensor]) -> Tensor:
    return torch.matmul(features, layers[4]) + layers[5]


def _split(z: Tensor) -> tuple[Tensor, Tensor]:
    """Before and after, each about the mean of both, ``[starts, n, d]``."""
    before, after = (z - z.mean(1, keepdim=True)).chunk(2, 1)
    return before, after


def _check(before: Tensor, after: Tensor, width: int) -> None:
    if before.ndim != 2 or before.shape != after.shape or width < 2:
        raise ShapeError(
            f"steps are two tables [n, dim] of one shape and a ring needs a width of 2 or more; "
            f"these are {list(before.shape)} and {list(after.shape)}, width {width}"
        )
    if len(before) < 3:
        raise DataError(f"{len(before)} steps cannot show a ring, whose period is 3 at least; give more")
    if not bool(torch.isfinite(before).all() and torch.isfinite(after).all()):
        raise DataError("the codes hold NaN or infinity; leave those steps out, or mend what made them")
    if float((before - before.mean(0)).abs().max()) == 0 or torch.equal(before, after):
        raise DataError(f"the {len(before)} codes do not vary or no step moves one: there is nothing to turn")
