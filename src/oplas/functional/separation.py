r"""How well sources were told apart: scale-invariant ratios (dB) of target, interference and artefacts.

Conventions: ``sources`` and ``estimates`` are waveforms ``[..., n, samples]``, row i of one meant for row i of the other, at any
level: a scaled estimate scores as the estimate does.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from .._errors import DataError, ShapeError

#: More sources than this are not put in order by trying every order.
MOST = 8


class Ratios(NamedTuple):
    """Each ``[..., n]``, dB, infinite where what it divides by is nothing."""

    sdr: Tensor
    sir: Tensor
    sar: Tensor


def si_sdr(sources: Tensor, estimates: Tensor) -> Tensor:
    r"""Scale-invariant signal-to-distortion ratio, ``[..., samples] -> [...]``, dB.

    .. math:: t=\frac{\langle\hat s,s\rangle}{\|s\|^2}s,\qquad \mathrm{SI\text{-}SDR}=10\log_{10}\frac{\|t\|^2}{\|\hat s-t\|^2}

    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR – half-baked or well done?", 2019, https://arxiv.org/abs/1811.02508.

    Raises:
        ShapeError, DataError: shapes differ, a source is silent, or a number is not finite.

    >>> s = torch.tensor([1.0, -1.0, 1.0, -1.0])
    >>> si_sdr(s, 5 * s + torch.tensor([1.0, 1.0, 1.0, 1.0]))
    tensor(13.9794)
    """
    _check(sources, estimates)
    target = _onto(sources, estimates)
    return _decibels(target, estimates - target)


def ratios(sources: Tensor, estimates: Tensor) -> Ratios:
    r"""SI-SDR, SI-SIR and SI-SAR, where P projects on the span of all sources and t on the estimate's own:

    .. math:: \mathrm{SIR}=10\log_{10}\frac{\|t\|^2}{\|P\hat s-t\|^2},\qquad
        \mathrm{SAR}=10\log_{10}\frac{\|P\hat s\|^2}{\|\hat s-P\hat s\|^2}

    The decomposition is that of E. Vincent, R. Gribonval, C. Févotte, "Performance measurement in blind audio source separation",
    2006, https://doi.org/10.1109/TSA.2005.858005, with a gain as the only distortion allowed.

    Raises:
        ShapeError, DataError: as :func:`si_sdr`; or sources that are multiples of each other.
    """
    _check(sources, estimates)
    target = _onto(sources, estimates)
    gram = sources @ sources.mT
    if bool((torch.linalg.matrix_rank(gram, hermitian=True) < sources.shape[-2]).any()):
        raise DataError("the sources are not independent of each other, so interference cannot be told; give different sources")
    span = torch.linalg.solve(gram, sources @ estimates.mT).mT @ sources
    return Ratios(
        _decibels(target, estimates - target), _decibels(target, span - target), _decibels(span, estimates - span)
    )  # fmt: skip


def best_order(sources: Tensor, estimates: Tensor) -> Tensor:
    r"""The order :math:`\pi` of estimates with the highest mean SI-SDR, ``[..., n]``; estimate :math:`\pi_i` is of source i.

    There may be more estimates than sources; those in no place are left over.

    Raises:
        ShapeError, DataError: fewer estimates than sources, more than 8, or as :func:`si_sdr`.
    """
    n, m = sources.shape[-2], estimates.shape[-2]
    if not n <= m <= MOST:
        raise ShapeError(f"{m} estimates for {n} sources; give at least as many as sources, at most {MOST}")
    each = si_sdr(
        sources.unsqueeze(-2).expand(*sources.shape[:-1], m, -1), estimates.unsqueeze(-3).expand(*sources.shape[:-1], m, -1)
    ).clamp(-300, 300)
    every = orders(m, n).to(sources.device)
    means = torch.stack([each[..., i, every[:, i]] for i in range(n)]).mean(0)
    return every[means.argmax(-1)]


def orders(m: int, n: int) -> Tensor:
    """Every way to give n sources one of m estimates each, ``[m! / (m - n)!, n]``."""
    return torch.tensor(list(itertools.permutations(range(m), n)))


def reorder(estimates: Tensor, order: Tensor) -> Tensor:
    """Estimates ``[..., m, samples]`` in the order of :func:`best_order`, ``[..., n, samples]``."""
    return estimates.gather(-2, order.unsqueeze(-1).expand(*order.shape, estimates.shape[-1]))


def _onto(sources: Tensor, estimates: Tensor) -> Tensor:
    return (estimates * sources).sum(-1, keepdim=True) / sources.square().sum(-1, keepdim=True) * sources


def _decibels(of: Tensor, against: Tensor) -> Tensor:
    return 10 * torch.log10(of.square().sum(-1) / against.square().sum(-1))


def _check(sources: Tensor, estimates: Tensor) -> None:
    if sources.shape != estimates.shape or not sources.numel():
        raise ShapeError(f"sources {tuple(sources.shape)} and estimates {tuple(estimates.shape)} must have one shape, not empty")
    if not bool(sources.isfinite().all() and estimates.isfinite().all()):
        raise DataError("a source or an estimate holds numbers that are not finite; look at what made it")
    if bool((sources == 0).all(-1).any()):
        raise DataError("a source is silent, so no estimate of it can be judged; leave such windows out")
    if bool((estimates == 0).all(-1).any()):
        raise DataError("an estimate is silent, which has no ratio to anything; count such windows as failed")
