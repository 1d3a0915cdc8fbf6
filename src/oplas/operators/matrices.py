"""Operators that are a matrix: the general linear flow, Koopman's, a product of reflections, a shear."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._errors import DataError
from ..functional.rotations import reflect, upright
from .composed import Pointwise, unit


class Linear(Pointwise):
    r""":math:`z'=e^{\theta A}z` with any generator A, ``[d, d]``, learned from the identity: the widest linear flow, O(d³)."""

    flow = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.generator = nn.Parameter(torch.zeros(dim, dim))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        each = torch.linalg.matrix_exp(theta[:, None, None] * self.generator)
        return (each @ z[..., None]).squeeze(-1)


class Koopman(Pointwise):
    r""":math:`z'=Kz`: one step of any linear dynamics, whatever theta; powers of it are ``koopman ** k``.

    Koopman (1931, https://doi.org/10.1073/pnas.17.5.315); the least-squares fit is dynamic mode decomposition (Schmid 2010,
    https://doi.org/10.1017/S0022112010001217).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(dim))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        return z @ self.matrix.T

    def undo(self, z: Tensor, theta: Tensor) -> Tensor:
        return torch.linalg.solve(self.matrix, z.T).T

    @torch.no_grad()
    def fit(self, z: Tensor, after: Tensor, ridge: float = 0.0) -> Koopman:
        r""":math:`K=\arg\min\sum|z'_i-Kz_i|^2+\lambda|K|^2`, λ in units of z's mean variance; least norm where ambiguous.

        Raises:
            DataError: numbers that are not finite.
        """
        x, y = z.double(), after.double()
        if not (torch.isfinite(x).all() and torch.isfinite(y).all()):
            raise DataError("the steps hold numbers that are not finite; remove those rows, then fit again")
        gram = x.T @ x
        gram = gram + ridge * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        self.matrix.copy_((torch.linalg.pinv(gram, hermitian=True) @ (x.T @ y)).T)
        return self

    def eigenvalues(self) -> Tensor:
        """Complex ``[d]``, largest modulus first: the modulus is the growth a step, the argument the radians a step."""
        values = torch.linalg.eigvals(self.matrix.detach().double())
        return values[values.abs().argsort(descending=True)]


class Householder(Pointwise):
    r""":math:`z'=\prod_i(I-2v_iv_i^\top/|v_i|^2)\,z`, whatever theta: any orthogonal map by learned reflections, O(d·count).

    An even count is a rotation. Householder (1958, https://doi.org/10.1145/320941.320947).
    """

    def __init__(self, dim: int, count: int = 2) -> None:
        super().__init__()
        self.vectors = nn.Parameter(unit(dim, count))

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        return reflect(z, self.vectors)

    def undo(self, z: Tensor, theta: Tensor) -> Tensor:
        return reflect(z, self.vectors.flip(0))


class Unipotent(Pointwise):
    r""":math:`z'=(I+\theta A)z` with :math:`A=bc^\top`, :math:`c\perp b`, so that :math:`A^2=0`: a shear.

    The additive case of GRAPE (Zhang et al. 2025, https://arxiv.org/abs/2512.07805).
    """

    flow = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.b, self.c = nn.Parameter(unit(dim, 1)[0]), nn.Parameter(unit(dim, 1)[0])

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        return z + (theta * (z @ upright(self.b, self.c)))[:, None] * self.b
