r"""What a space knows of an attribute, taken out; and the inner product in which independent attributes stand at right angles.

Everything is computed in float64. Probes are rows w that read an attribute, :math:`w^\top z`; directions are rows v along which a
latent is moved, :math:`z+av`. The covariance of the latents turns one into the other, :math:`v=Cw`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .._errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Erasure:
    r"""The affine map :math:`r(z)=z-L\,R\,(z-\mu)`, after which nothing linear tells the attribute.

    Shape:
        - mean: ``[d]`` · left: L, ``[d, k]`` · right: R, ``[k, d]``
        - call: ``[n, d] -> [n, d]``
    """

    mean: Tensor
    left: Tensor
    right: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        return z - ((z - self.mean.to(z)) @ self.right.to(z).T) @ self.left.to(z).T

    def within(self, directions: Tensor) -> Tensor:
        """Directions ``[k, d]`` without what they would move of the attribute: the linear part alone."""
        return directions - (directions @ self.right.to(directions).T) @ self.left.to(directions).T


def moments(z: Tensor, y: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Mean ``[d]`` and covariance ``[d, d]`` of the latents, and their covariance with the attributes ``[d, m]``.

    Args:
        weight: ``[n]``, how much each row counts; default all alike.
    """
    z, y = z.double(), (y[:, None] if y.ndim == 1 else y).double()
    if len(z) != len(y) or z.ndim != 2:
        raise ShapeError(f"latents {list(z.shape)} and attributes {list(y.shape)} do not go together; give one row of each an item")
    if not (bool(torch.isfinite(z).all()) and bool(torch.isfinite(y).all())):
        raise DataError("latents or attributes hold NaN or infinity; leave those rows out")
    share = torch.full((len(z), 1), 1 / len(z), dtype=z.dtype) if weight is None else (weight / weight.sum()).double()[:, None]
    mean = (share * z).sum(0)
    centred = z - mean
    return mean, centred.T @ (share * centred), centred.T @ (share * (y - (share * y).sum(0)))


def leace(z: Tensor, y: Tensor, weight: Tensor | None = None) -> Erasure:
    r"""The least-squares smallest affine change after which every linear probe for y is at chance.

    .. math:: r(z)=z-W^{+}PW(z-\mu),\quad W=(\Sigma_{zz}^{1/2})^{+},\quad P=\text{projection on the range of }W\Sigma_{zy}

    Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff & Biderman 2023 (https://arxiv.org/abs/2306.03819).

    Args:
        y: attributes ``[n]`` or ``[n, m]``: numbers, or one-hot labels.

    >>> z = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    >>> leace(z, z[:, 0])(z)[:, 0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    mean, spread, cross = moments(z, y, weight)
    values, axes = torch.linalg.eigh(spread)
    alive = values > values[-1].clamp_min(1e-300) * 1e-10
    size, axes = values[alive].sqrt(), axes[:, alive]
    u, s, _ = torch.linalg.svd((axes.T @ cross) / size[:, None], full_matrices=False)
    u = u[:, s > s[:1].clamp_min(1e-300) * 1e-10]
    return Erasure(mean, axes @ (size[:, None] * u), (axes @ (u / size[:, None])).T)


def causal_inner(a: Tensor, b: Tensor, spread: Tensor) -> Tensor:
    r""":math:`\langle a,b\rangle_C=a^\top C^{-1}b` between directions ``[k, d]`` and ``[l, d]``: ``[k, l]``.

    Attributes that vary independently have directions at right angles in it, whatever the space's own axes are: Park, Choe &
    Veitch 2023 (https://arxiv.org/abs/2311.03658).
    """
    return a.double() @ torch.linalg.solve(spread.double(), b.double().T)


def complement(directions: Tensor, probes: Tensor, spread: Tensor) -> Tensor:
    r"""Directions moved as little as can be, in the causal norm, so that the probes no longer see them.

    .. math:: v'=v-C\,W^\top(W\,C\,W^\top)^{+}\,W v,\qquad Wv'=0

    With least-squares probes W this is the linear part of :func:`leace`: to move inside LEACE's complement.

    Shape:
        - directions: ``[k, d]`` · probes: W, ``[m, d]`` · spread: C, ``[d, d]``
    """
    v, w, c = directions.double(), probes.double(), spread.double()
    return v - (v @ w.T) @ torch.linalg.pinv(w @ c @ w.T, hermitian=True) @ w @ c


def matrix_subspace(z: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""M, ``[m, d]``, of :math:`\min_M\|ZM^\top-Y\|^2+\|Z-YM\|^2`, centred: attributes read, and latents written, by one matrix.

    On frozen latents the minimum solves a Sylvester equation, :math:`S_{yy}M+MS_{zz}=2S_{yz}`. Li, Lin, Lin, Wu, Huang & Zhu 2020
    (https://arxiv.org/abs/1907.12385), who learn M together with the auto-encoder. The edit is
    :math:`z'=z+M^{+}(y'-Mz)`, after which M reads what was asked for.
    """
    _, spread, cross = moments(z, y, weight)
    y = (y[:, None] if y.ndim == 1 else y).double()
    own = moments(y, y, weight)[1]
    (a, u), (b, v) = torch.linalg.eigh(own), torch.linalg.eigh(spread)
    return u @ ((u.T @ (2 * cross.T) @ v) / (a[:, None] + b).clamp_min(1e-300)) @ v.T


def rlace(z: Tensor, label: Tensor, rank: int = 1, *, steps: int = 300, rate: float = 0.1, seed: int = 0) -> Erasure:
    r"""The orthogonal projection of rank ``d - rank`` that a linear classifier can do least with.

    .. math:: \min_\theta\max_{0\preceq P\preceq I,\ \operatorname{tr}P=d-k}\ \frac1n\sum_i\ell\big(y_i,\theta^\top Pz_i\big)

    Ravfogel, Twiton, Goldberg & Cotterell 2022 (https://arxiv.org/abs/2201.12091): the rank is relaxed to the trace, both players
    take gradient steps, and in the end the ``rank`` directions of which P keeps least are removed. A number instead of a label
    (``label`` of floating point, least squares as the loss) has the closed form they give: the span of :math:`\Sigma_{zy}`.

    Args:
        label: ``[n]``: classes as integers, or a number of floating point.
    """
    mean, spread, cross = moments(z, label.double())
    if label.is_floating_point():
        axis = torch.linalg.qr(cross)[0]
        return Erasure(mean, axis, axis.T)
    x = (z.double() - mean) / spread.trace().div(len(spread)).sqrt().clamp_min(1e-300)
    classes, target = label.unique(return_inverse=True)
    d, kept = x.shape[1], x.shape[1] - rank
    if not 0 < rank < d or len(classes) < 2:
        raise DataError(
            f"{rank} of {d} directions cannot be removed for {len(classes)} class(es); give 2 classes, fewer directions"
        )
    generator = torch.Generator().manual_seed(seed)
    theta = (0.01 * torch.randn(d, len(classes), generator=generator, dtype=x.dtype)).requires_grad_()
    p = (torch.eye(d, dtype=x.dtype) * kept / d).requires_grad_()
    learner = torch.optim.Adam([theta], lr=rate)
    found = torch.zeros_like(p)
    for step in range(steps):
        for _ in range(3):
            learner.zero_grad()
            (torch.nn.functional.cross_entropy(x @ (p.detach() @ theta), target) + 1e-4 * theta.square().sum()).backward()
            learner.step()
        loss = torch.nn.functional.cross_entropy(x @ (p @ theta.detach()), target)
        (up,) = torch.autograd.grad(loss, p)
        with torch.no_grad():
            up = (up + up.T) / 2
            p.copy_(_fantope(p + 2 / (1 + step) ** 0.5 * up / up.norm().clamp_min(1e-300), kept))
            found += (step >= steps // 2) * p  # the mean of the later moves: the players go round each other
    axes = torch.linalg.eigh(found)[1][:, :rank]
    return Erasure(mean, axes, axes.T)


def _fantope(p: Tensor, trace: int) -> Tensor:
    r"""The nearest matrix with eigenvalues in [0, 1] of that sum: the eigenvalues shifted by one number, then clipped."""
    values, axes = torch.linalg.eigh(p)
    low, high = values.min() - 1, values.max()
    for _ in range(60):
        middle = (low + high) / 2
        more = (values - middle).clamp(0, 1).sum() > trace
        low, high = (middle, high) if more else (low, middle)
    return (axes * (values - low).clamp(0, 1)) @ axes.T
