"""Moves along one axis: do they go one way, how far, and do they find what they should?"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..functional.spread import spectrum
from .moved import Moved
from .retrieval import ranks


def directions(moved: Moved) -> Tensor:
    r"""One vector per semitone and one per time step, by least squares: :math:`v=\sum_s s\,\bar d_s/\sum_s s^2`, ``[2, d]``."""
    axes = ((moved.pitch, moved.pitches), (moved.time, moved.times))
    return torch.stack([s.to(z) @ (z - moved.rest[:, None]).mean(0) / s.to(z).square().sum() for z, s in axes])


def cosines(moved: Moved) -> tuple[Tensor, Tensor, Tensor]:
    """Cosines of any two displacements of one thing: across the axes, along one the same way, along one opposite ways.

    No displacement, no direction: its cosines are 0.
    """
    unit = normalize(moved.displaced, dim=-1)
    p = len(moved.pitches)
    cross = unit[:, :p] @ unit[:, p:].mT
    same, opposite = [], []
    for d, steps in ((unit[:, :p], moved.pitches), (unit[:, p:], moved.times)):
        cosine, agree = d @ d.mT, torch.outer(steps.sign(), steps.sign())
        same.append(cosine[:, torch.triu(agree, 1) > 0].flatten())
        opposite.append(cosine[:, torch.triu(agree, 1) < 0].flatten())
    return cross.flatten(), torch.cat(same), torch.cat(opposite)


def angle(z: Tensor, rest: Tensor, steps: Tensor) -> float:
    """Degrees between the mean displacement of all moves forth and that of all moves back; 180 where one undoes the other."""
    there = z - rest[:, None]
    forth, back = there[:, steps > 0].mean((0, 1)), there[:, steps < 0].mean((0, 1))
    return _degrees(forth @ back / (forth.norm() * back.norm()).clamp_min(1e-300))


def cross_shape(moved: Moved) -> tuple[float, float]:
    """Do the displacements lie in a plane, as a cross?

    Returns:
        the share of their variance on the first two principal axes, and the degrees between the pitch moves' leading axis and the
        time moves' leading axis within that plane; 90 for a cross.
    """
    d = moved.displaced.flatten(0, 1)
    plane = torch.linalg.eigh(torch.cov(d.T)).eigenvectors[:, -2:]
    leading = [
        torch.linalg.eigh(flat.T @ flat).eigenvectors[:, -1]
        for z in (moved.pitch, moved.time)
        if (flat := (z - moved.rest[:, None]).flatten(0, 1) @ plane) is not None
    ]
    return float(spectrum(d)[:2].sum()), _degrees((leading[0] @ leading[1]).abs())


def errors(moved: Moved, v: Tensor) -> tuple[float, float]:
    r""":math:`|z+sv-z'|/|z'-z|`: root-mean-square over all moves, and the median; 1 is no better than not to move."""
    miss = (moved.displaced - moved.steps.to(v) @ v).norm(dim=-1)
    length = moved.displaced.norm(dim=-1)
    tiny = torch.finfo(v.dtype).tiny
    whole = miss.square().sum() / length.square().sum().clamp_min(tiny)
    return float(whole.sqrt()), float((miss / length.clamp_min(tiny)).median())


def found(moved: Moved, v: Tensor) -> tuple[float, float, float]:
    """How often z + s v is nearest to the thing's own moved view among those of all things, moved alike; averaged over moves.

    Returns:
        top-1 with the vector; without it; and with it where the others rest and only the thing itself is moved.
    """
    truth = torch.arange(len(moved.rest))
    shares = []
    for view, step in zip(moved.moved.unbind(1), moved.steps.to(v), strict=True):
        query = moved.rest + step @ v
        own = (query - view).norm(dim=1)
        others = torch.cdist(query, moved.rest)
        others[truth, truth] = math.inf
        shares.append([
            float((ranks(query, view, truth) == 0).double().mean()),
            float((ranks(moved.rest, view, truth) == 0).double().mean()),
            float((own < others.amin(1)).double().mean()),
        ])  # fmt: skip
    with_, without, resting = torch.tensor(shares).mean(0).tolist()
    return with_, without, resting


def own_move(moved: Moved, v: Tensor) -> float:
    """How often z + s v is nearest to the right one of the thing's own views, rest among them."""
    candidates = torch.cat([moved.rest[:, None], moved.moved], 1)
    query = moved.rest[:, None] + moved.steps.to(v) @ v
    nearest = torch.cdist(query, candidates).argmin(-1)
    return float((nearest == torch.arange(1, candidates.shape[1])).double().mean())


def _degrees(cosine: Tensor) -> float:
    return math.degrees(math.acos(min(max(float(cosine), -1.0), 1.0)))
