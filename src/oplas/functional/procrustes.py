r"""Orthonormal maps in closed form, and where there is none, by an iteration that only falls."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .maps import least_squares
from .pairs import PairStatistics


def polar(m: Tensor) -> Tensor:
    r"""The nearest matrix whose shorter side is orthonormal: :math:`UV^\top` of the singular value decomposition of m.

    Well-conditioned ones go by :math:`m(m^\top m)^{-1/2}`, which is cheaper; others get a step of Newton and Schulz besides,
    or the decomposition itself.
    """
    if m.shape[0] < m.shape[1]:
        return polar(m.T).T
    values, axes = torch.linalg.eigh(m.T @ m)
    if values[0] > 1e-8 * values[-1]:
        made = m @ ((axes / values.sqrt()) @ axes.T)
        return made if values[0] > 1e-4 * values[-1] else 1.5 * made - 0.5 * made @ (made.T @ made)
    u, _, vt = torch.linalg.svd(m, full_matrices=False)
    return u @ vt


def scale_of(turn: Tensor, statistics: PairStatistics) -> float:
    r"""The number s that makes :math:`\|Y - sXR\|^2` least for a given R."""
    s = statistics
    size = s.xx.trace() if len(turn) <= turn.shape[1] else (turn * (s.xx @ turn)).sum()
    return float((turn * s.xy).sum() / size)


def procrustes(statistics: PairStatistics, *, scale: bool = True, steps: int = 500) -> tuple[Tensor, float]:
    r"""The orthonormal R and the number s that make :math:`\|Y - sXR\|^2` least.

    Where :math:`d\le e`, :math:`\|XR\|` does not depend on R, and :math:`R=\operatorname{polar}(S_{xy})` (Schönemann 1966,
    https://doi.org/10.1007/BF02289451). A wider source leaves part of x out, and which part matters; see :func:`fill_in`.

    Returns:
        R ``[d, e]``, rows orthonormal where :math:`d\le e`, else columns; and s, 1 where ``scale`` is false.
    """
    s = statistics
    turn = polar(s.xy) if s.dims[0] <= s.dims[1] else fill_in(s, scale=scale, steps=steps)
    return turn, scale_of(turn, s) if scale else 1.0


def fill_in(statistics: PairStatistics, *, scale: bool = True, steps: int = 500, tolerance: float = 1e-10) -> Tensor:
    r"""The orthonormal R, ``[d, e]`` with d > e, that makes :math:`\|Y - sXR\|^2` least: no start near it, no padding with zeros.

    The target is completed by what R leaves out of the source, :math:`X N` with N the orthonormal complement of R, so that
    the problem is a square one with a closed solution, and N moves with it (ten Berge & Knol 1984,
    https://doi.org/10.1007/BF02294173; a majorisation, as in Kiers 1990, https://doi.org/10.1007/BF02294758):

    .. math:: [R\ N] \leftarrow \operatorname{polar}\big([\,S_{xy}/s\quad S_{xx}N\,]\big).

    The error never rises: steps are extrapolated (Nesterov 1983), and one that went too far is taken again without. The start
    is the polar factor of least squares, or of :math:`S_{xy}` where that is better. Where the variances of x differ
    by orders this arrives, while the majorisation with :math:`\lambda_{\max}` in place of the completed target creeps.

    What is reached is a stationary point. With more pairs than dimensions every start tried led to the same one; with fewer,
    several maps fit, and this is one of them.
    """
    values, axes = torch.linalg.eigh(statistics.xx)
    values, cross = values.clamp_min(0)[:, None], axes.T @ statistics.xy
    e = cross.shape[1]

    def judged(turn: Tensor) -> tuple[float, float]:
        agreement, size = float((turn * cross).sum()), float((values * turn * turn).sum())
        factor = agreement / size if scale and agreement > 0 else 1.0
        return factor * (factor * size - 2 * agreement), factor

    turn = min((polar(axes.T @ least_squares(statistics)), polar(cross)), key=lambda start: judged(start)[0])
    best, rest = turn, torch.linalg.qr(turn, mode="complete").Q[:, e:]
    (cost, factor), before, pace, still = judged(best), rest, 1.0, 0
    for _ in range(steps):
        longer = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        ahead = rest + (pace - 1) / longer * (rest - before)
        whole = polar(torch.cat([cross / factor, values * ahead], 1))
        reached, moved = judged(whole[:, :e])
        if reached > cost and pace > 1:
            before, pace = rest, 1.0
            continue
        # where the anchors leave directions open, a step may lead along a plateau before the error falls again
        still = still + 1 if cost - reached <= tolerance * abs(cost) else 0
        best = whole[:, :e] if reached < cost else best
        cost, factor, before, rest, pace = min(cost, reached), moved, rest, whole[:, e:], longer
        if still == 3:
            break
    return axes @ best
