"""Coordinates in which a linear law holds best: closed form."""

from __future__ import annotations

import torch
from torch import Tensor


def lawful_components(residual: Tensor, spread: Tensor, shrink: float = 1e-3) -> tuple[Tensor, Tensor]:
    r"""Directions along which the law's error is least in units of what varies there.

    An operator that commutes with every linear map, such as the sum, leaves the choice of coordinates free. Of all
    :math:`v` with :math:`v^\top C v=1` the best in turn solve the generalised eigenproblem

    .. math:: (C-R)\,v = \rho\,C\,v,\qquad R=\tfrac1n\sum_i r_i r_i^\top,\quad C=\operatorname{Cov}(z'),

    and :math:`\rho_j` is the law's :math:`R^2` along the j-th. In these coordinates the space is white, so its
    effective rank is as large as its width allows. The same algebra as slow feature analysis (Wiskott & Sejnowski 2002,
    https://doi.org/10.1162/089976602317318938), with the law's residual in the place of the temporal difference.

    Args:
        residual: R, ``[d, d]``, second moment of the law's residuals.
        spread: C, ``[d, d]``, covariance of what came out.
        shrink: share of each dimension's variance that is added on the right, so that a direction in which nothing varies has
            an R² of 0 at most.

    Returns:
        the directions as columns, ``[d, d]``, most lawful first, and their R², ``[d]``; float64.
    """
    r, c = residual.double(), spread.double()
    unit = torch.diagonal(c).clamp_min(torch.diagonal(c).max() * 1e-12).sqrt()
    r, c = r / unit[:, None] / unit, c / unit[:, None] / unit
    lower = torch.linalg.cholesky(c + shrink * torch.eye(len(c), dtype=c.dtype, device=c.device))
    whitener = torch.linalg.inv(lower)
    share, axes = torch.linalg.eigh(whitener @ (c - r) @ whitener.T)
    return (whitener.T @ axes.flip(1)) / unit[:, None], share.flip(0)
