"""Moves along both axes at once: is the grid of a thing's latents a sum of its rows and its columns?

Shape of every ``grid``: ``[g, P, T, d]``, things by moves in pitch by moves in time.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .moved import Moved


def leading_share(grid: Tensor, *, centred: bool = False) -> tuple[float, float]:
    """First singular value over the sum of all, mean over things, of the grid as pitch × (time · latent) and the other way round.

    Not centred, it is large wherever a thing's mean latent is large beside what the moves change: in an untrained network it is
    nearly 1, and says nothing of moves. Centred, the thing's mean over the grid is taken off first.
    """
    if centred:
        grid = grid - grid.mean((1, 2), keepdim=True)
    shares = []
    for matrix in (grid.flatten(2), grid.transpose(1, 2).flatten(2)):
        values = torch.linalg.svdvals(matrix)
        shares.append(float((values[:, 0] / values.sum(1).clamp_min(1e-300)).mean()))
    return shares[0], shares[1]


def additive_share(grid: Tensor) -> float:
    """Share of the variance within a thing's grid that an effect of its row plus one of its column explain."""
    z = grid - grid.mean((1, 2), keepdim=True)
    rest = z - z.mean(1, keepdim=True) - z.mean(2, keepdim=True)
    return 1 - _ratio(rest, z)


def linear_share(grid: Tensor, pitches: Tensor, times: Tensor) -> float:
    """Share of the same variance that one vector per semitone and one per time step explain, the same for all things."""
    z = grid - grid.mean((1, 2), keepdim=True)
    a, b = (steps.to(z) - steps.to(z).mean() for steps in (pitches, times))
    mean = z.mean(0)
    vp, vt = torch.einsum("p,ptd->d", a, mean) / a.square().sum(), torch.einsum("t,ptd->d", b, mean) / b.square().sum()
    fit = a[:, None, None] * vp / len(b) + b[None, :, None] * vt / len(a)
    return 1 - _ratio(z - fit, z)


def order_error(grid: Tensor, rest: tuple[int, int]) -> float:
    r"""Pitch then time is time then pitch: :math:`|z_{pt}-z_{p0}-z_{0t}+z_{00}|/|z_{pt}-z_{00}|`, root-mean-square; 0 where each
    move changes the same wherever it starts."""
    p, t = rest
    mixed = grid - grid[:, :, t : t + 1] - grid[:, p : p + 1] + grid[:, p : p + 1, t : t + 1]
    far = grid - grid[:, p : p + 1, t : t + 1]
    both = torch.ones(grid.shape[1:3], dtype=torch.bool)
    both[p], both[:, t] = False, False
    return _ratio(mixed[:, both], far[:, both]) ** 0.5


def composed_error(moved: Moved, v: Tensor) -> float:
    r""":math:`|z+pv_p+tv_t-z_{pt}|/|z_{pt}-z|` over moves along both axes, root-mean-square."""
    grid, (p, t) = moved.grid, home(moved)
    pitches, times = axes(moved)
    moves = torch.stack(torch.meshgrid(pitches, times, indexing="ij"), -1).to(v)
    far = grid - grid[:, p : p + 1, t : t + 1]
    both = (moves != 0).all(-1)
    return _ratio((far - moves @ v)[:, both], far[:, both]) ** 0.5


def kernel_axes(moved: Moved, *, things: int = 30) -> tuple[float, float]:
    r"""Held-out R² of the moves (mean of pitch and time), linear in the first and second, and in the third and fourth kernel
    principal components of the latents (Schölkopf et al. 1998; RBF, :math:`\gamma=1/\text{median}|z-z'|^2`).

    Components and regression are learned on half of ``things`` and judged on the other half; 0 or less is nothing.
    """
    grid = moved.grid[:things]
    half = len(grid) // 2
    moves = torch.cartesian_prod(*axes(moved)).to(grid)
    learn, judge = grid[:half].flatten(0, 2), grid[half:].flatten(0, 2)
    target, truth = moves.repeat(half, 1), moves.repeat(len(grid) - half, 1)
    square = torch.cdist(learn, learn).square()
    gamma = 1 / square[square > 0].median().clamp_min(1e-300) if (square > 0).any() else 1.0
    k, new = torch.exp(-gamma * square), torch.exp(-gamma * torch.cdist(judge, learn).square())
    mean = k.mean(0)
    centred, beside = k - mean - mean[:, None] + k.mean(), new - new.mean(1, keepdim=True) - mean + k.mean()
    values, vectors = torch.linalg.eigh(centred)
    basis = vectors[:, -4:].flip(1) / values[-4:].flip(0).clamp_min(1e-12).sqrt()
    shares = []
    for some in (basis[:, :2], basis[:, 2:]):
        known, asked = (torch.cat([m @ some, torch.ones(len(m), 1).to(m)], 1) for m in (centred, beside))
        answer = asked @ torch.linalg.lstsq(known, target).solution
        shares.append(1 - _ratio(answer - truth, truth - truth.mean(0)))
    return shares[0], shares[1]


def axes(moved: Moved) -> tuple[Tensor, Tensor]:
    """The grid's moves along each axis, zero among them."""
    zero = torch.zeros(1)
    return tuple(torch.cat([s[s < 0], zero.to(s), s[s > 0]]) for s in (moved.pitches, moved.times))  # type: ignore[return-value]


def home(moved: Moved) -> tuple[int, int]:
    """Where on the grid things rest."""
    return int((moved.pitches < 0).sum()), int((moved.times < 0).sum())


def _ratio(part: Tensor, whole: Tensor) -> float:
    return float(part.square().sum() / whole.square().sum().clamp_min(1e-300))
