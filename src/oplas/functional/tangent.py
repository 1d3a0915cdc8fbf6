"""Where a decoder changes most: the directions of a space at one of its points."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def local_basis(decode: Callable[[Tensor], Tensor], z: Tensor, count: int) -> tuple[Tensor, Tensor]:
    r"""The ``count`` orthonormal directions at z along which what is decoded changes most, and how much.

    The right singular vectors of the Jacobian :math:`J=\partial g/\partial z` and its singular values: Choi, Lee, Yoon, Park, Hwang
    & Kang 2022 (https://arxiv.org/abs/2106.06959). To walk along one of them, find it anew after each step.

    Shape:
        - decode: ``[d]`` to any shape · z: ``[d]``
        - returns: ``[count, d]`` and ``[count]``

    >>> axes, sizes = local_basis(lambda z: torch.stack([3 * z[1], z[0] ** 2]), torch.tensor([1.0, 0.0]), 2)
    >>> axes.abs().tolist(), sizes.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [3.0, 2.0])
    """
    jacobian = torch.func.jacrev(lambda point: decode(point).flatten())(z)
    _, sizes, axes = torch.linalg.svd(jacobian, full_matrices=False)
    return axes[:count], sizes[:count]
