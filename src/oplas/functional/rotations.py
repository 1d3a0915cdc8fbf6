r"""Rotations in closed form: tensors in, tensors out, O(d) a vector, no d × d matrix unless one is asked for.

Conventions: a plane is spanned by two vectors a, b; its generator is :math:`L=ab^\top-ba^\top`, which turns b towards a at the
rate :math:`s=\sqrt{|a|^2|b|^2-(a\cdot b)^2}` radians a unit of t. Leading dimensions broadcast.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SIGNS = torch.tensor([1.0, -1.0])
_NEAR = 1e-2  # below it five terms of the series are exact to the last bit of float64


def sinc(v: Tensor) -> Tensor:
    r""":math:`\sin\sqrt v/\sqrt v` for :math:`v\ge0`: smooth at 0 too, in value and in every derivative.

    >>> sinc(torch.tensor([0.0, torch.pi**2 / 4])).tolist()
    [1.0, 0.6366197466850281]
    """
    near = v < _NEAR
    root, small = v.masked_fill(near, 1.0).sqrt(), v.masked_fill(~near, 0.0)
    one = torch.ones_like(v)
    series = one
    for k in range(5, 0, -1):
        series = torch.addcmul(one, small, series, value=-1 / (2 * k * (2 * k + 1)))
    return torch.where(near, series, root.sin() / root)


def upright(a: Tensor, b: Tensor) -> Tensor:
    """The part of b at right angles to a, ``[..., d]``: the same plane, the same generator, no cancellation left in it."""
    for _ in range(2):  # twice is enough: what rounding leaves along a the second pass takes away
        b = b - a * ((a * b).sum(-1, keepdim=True) / (a * a).sum(-1, keepdim=True).clamp_min(torch.finfo(a.dtype).tiny))
    return b


def rate(a: Tensor, b: Tensor) -> Tensor:
    """Radians a unit of t, ``[...]``: the area of the parallelogram of a and b.

    >>> rate(torch.tensor([2.0, 0.0]), torch.tensor([5.0, 0.25])).item()
    0.5
    """
    return a.norm(dim=-1) * upright(a, b).norm(dim=-1)


def turn(z: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    r""":math:`e^{tL}z=z+\frac{\sin ts}{s}Lz+\frac{1-\cos ts}{s^2}L^2z` by four dot products a vector, for any real t.

    The rank-2 form of GRAPE (Zhang et al. 2025, https://arxiv.org/abs/2512.07805). Written with the entire functions
    :math:`\sin\sqrt v/\sqrt v` of :math:`v=t^2s^2`, it has value and gradient where a and b are parallel, too.

    Shape:
        - z: ``[..., d]`` · t: ``[...]`` · a, b: ``[..., d]`` · returns ``[..., d]``

    >>> turn(torch.tensor([0.0, 1.0]), torch.tensor(torch.pi / 2), *torch.eye(2)).round(decimals=6).abs().tolist()
    [1.0, 0.0]
    """
    pair = torch.stack([a, upright(a, b)], -2)
    squares = (pair * pair).sum(-1)
    along = (pair @ z[..., None]).squeeze(-1) if a.dim() > 1 else z @ pair.mT
    t = t.to(z.dtype)[..., None]
    v = t * t * squares.prod(-1, keepdim=True)
    crossed = along.flip(-1)
    first, half = sinc(torch.stack([v, v / 4])).unbind(0)
    move = t * first * crossed * _SIGNS.to(z) - (t * half).square() / 2 * along * squares.flip(-1)
    return z + ((move[..., None, :] @ pair).squeeze(-2) if a.dim() > 1 else move @ pair)


def turn_planes(z: Tensor, angle: Tensor, frame: Tensor) -> Tensor:
    r"""Turn several planes at once: :math:`z+\sum_p(\cos\alpha_p-1)(x_pe_p+y_pf_p)+\sin\alpha_p\,(y_pe_p-x_pf_p)`.

    Shape:
        - z: ``[..., d]`` · angle: ``[..., p]`` radians · frame: ``[2p, d]`` orthonormal rows e, f of each plane in turn
    """
    x, y = (z @ frame.mT).unflatten(-1, (-1, 2)).unbind(-1)
    angle = angle.to(z.dtype)
    less, sin = -2 * (angle / 2).sin().square(), angle.sin()
    return z + torch.stack([less * x + sin * y, less * y - sin * x], -1).flatten(-2) @ frame


def frame(vectors: Tensor) -> Tensor:
    r"""Orthonormal rows from k free vectors by Gram–Schmidt, ``[..., k, d]``: the continuous parametrisation of a Stiefel manifold.

    Two vectors in three dimensions are the 6-D rotation of Zhou et al. (2019, https://arxiv.org/abs/1812.07035). Continuous
    wherever the vectors are independent.
    """
    rows: list[Tensor] = []
    for vector in vectors.unbind(-2):
        for _ in range(2):
            for row in rows:
                vector = vector - row * (row * vector).sum(-1, keepdim=True)
        rows.append(vector / vector.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(vector.dtype).tiny))
    return torch.stack(rows, -2)


def reflect(z: Tensor, vectors: Tensor) -> Tensor:
    r"""Householder's product :math:`\prod_i(I-2v_iv_i^\top/|v_i|^2)\,z`, the last of ``vectors [k, d]`` first; O(kd).

    Any rotation of d dimensions is an even number, at most d, of reflections.
    """
    for v in reversed(vectors.unbind(-2)):
        z = z - v * (2 * (z * v).sum(-1, keepdim=True) / (v * v).sum(-1, keepdim=True).clamp_min(torch.finfo(v.dtype).tiny))
    return z


def kabsch(before: Tensor, after: Tensor) -> Tensor:
    r"""The rotation, determinant +1, that minimises :math:`\sum_i|z'_i-Rz_i|^2`, ``[..., d, d]`` from ``[..., n, d]``.

    Kabsch (1976): with :math:`\sum_i z'_iz_i^\top=USV^\top`, :math:`R=U\,\mathrm{diag}(1,\dots,1,\det UV^\top)\,V^\top`.
    """
    u, _, vh = torch.linalg.svd(after.mT @ before)
    sign = torch.linalg.det(u @ vh).sign()
    last = torch.cat([torch.ones_like(u[..., 0, :-1]), sign[..., None]], -1)
    return (u * last[..., None, :]) @ vh


def angle_in(plane: Tensor, before: Tensor, after: Tensor) -> Tensor:
    r"""The least-squares angle of one turn of a plane, radians ``[...]``; b towards a counts as positive, as in :func:`turn`.

    .. math:: \alpha=\operatorname{atan2}\Big(\sum_i(x'_iy_i-y'_ix_i),\ \sum_i(x'_ix_i+y'_iy_i)\Big)

    Shape:
        - plane: ``[..., 2, d]`` orthonormal · before, after: ``[..., n, d]``
    """
    (x, y), (p, q) = ((z @ plane.mT).unbind(-1) for z in (before, after))
    return torch.atan2((p * y - q * x).sum(-1), (p * x + q * y).sum(-1))


def centre_of(before: Tensor, after: Tensor, plane: Tensor, angle: Tensor) -> Tensor:
    r"""The point about which a turn takes one mean to another: :math:`(I-R)c=\bar z'-R\bar z` in the plane, ``[..., d]``.

    Exact from any part of a cycle, where the mean of what was seen is not the centre; outside the plane, the mean of both.
    """
    (x, y), (p, q) = ((plane @ each[..., None]).squeeze(-1).unbind(-1) for each in (before, after))
    here, there = torch.complex(y, x), torch.complex(q, p)
    spin = torch.polar(torch.ones_like(angle), angle)
    still = angle.abs() < 1e-9
    middle = torch.where(still, here, (there - spin * here) / torch.where(still, -torch.ones_like(spin), 1 - spin))
    mean = (before + after) / 2
    inside = torch.stack([middle.imag, middle.real], -1) - (plane @ mean[..., None]).squeeze(-1)
    return mean + (inside[..., None, :] @ plane).squeeze(-2)


def one_plane(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    r"""The plane that turns most, and the least-squares angle in it, ``[..., 2, d]`` and radians ``[...]``, never negative.

    The plane belongs to the largest singular value of the antisymmetric part of :math:`\sum_i z'_iz_i^\top`: cheap, steady under
    noise, and the least-squares plane where what turns is a circle. :func:`nearest_turn` goes on from here for clouds of any shape.

    Shape:
        - before, after: ``[..., n, d]`` centred on the axis of the turn
    """
    n, d = before.shape[-2:]
    basis = torch.linalg.qr(torch.cat([before, after], -2).mT).Q if d > 2 * n else None  # what moves lies in their span
    x, y = (before, after) if basis is None else (before @ basis, after @ basis)
    plane = _top(y.mT @ x)
    plane = plane if basis is None else plane @ basis.mT
    return plane, angle_in(plane, before, after)


def nearest_turn(before: Tensor, after: Tensor, rounds: int = 200) -> tuple[Tensor, Tensor]:
    r"""The one-plane rotation that minimises :math:`\sum_i|z'_i-R_\alpha z_i|^2`: plane ``[2, d]`` and radians ``[]``.

    Starts from :func:`one_plane` and from the plane of :func:`kabsch` that turns most, goes on from the better by
    majorisation, in turn: the plane becomes the polar factor of the gradient shifted to be convex, the angle is solved for.
    Exact where an exact turn exists.

    Shape:
        - before, after: ``[n, d]`` centred on the axis of the turn
    """
    cross = after.mT @ before
    whole, skew = (cross + cross.mT) / 2, (cross - cross.mT) / 2
    gram = torch.linalg.matrix_norm(cross, 2)

    def gain(plane: Tensor) -> Tensor:
        angle = angle_in(plane, before, after)
        return (angle.cos() - 1) * torch.trace(plane @ whole @ plane.mT) + 2 * angle.sin() * (plane[0] @ skew @ plane[1])

    plane = max((_top(cross), _top(kabsch(before, after))), key=gain)
    for _ in range(rounds):
        angle = angle_in(plane, before, after)
        swapped = torch.stack([plane[1], -plane[0]])
        slope = (angle.cos() - 1) * plane @ whole + angle.sin() * swapped @ skew.mT
        u, _, vh = torch.linalg.svd(slope + gram * (1 - angle.cos() + angle.sin().abs()) * plane, full_matrices=False)
        plane = u @ vh
    return plane, angle_in(plane, before, after)


def _top(matrix: Tensor) -> Tensor:
    """The plane of the largest singular value of the antisymmetric part, oriented so that it turns forwards."""
    skew = matrix - matrix.mT
    first = torch.linalg.svd(skew).U[..., 0]
    second = (first[..., None, :] @ skew).squeeze(-2)
    return frame(torch.stack([first, second], -2))
