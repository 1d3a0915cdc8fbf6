"""The two-dimensional mixer toy's given encoder: a fixed two-way nonlinearity, with its inverse for the positive control."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .base import Encoder, freeze


def bend(x: Tensor, steepness: float, slope: float = 0.1, scale: float = 0.9) -> Tensor:
    r""":math:`s\,(\tanh(a x) + b x)`, with `a` the steepness, `b` the slope and `s` the scale: steep at 0, never flat."""
    return scale * (torch.tanh(steepness * x) + slope * x)


class Mixer(Encoder):
    r"""A fixed map of the plane under which sums become something else (OpLaS mixer toy, Hawley et al. 2025).

    .. math:: p = (x_0 - \tfrac12 t_3(x_1),\; x_1 + 0.7\, t_{1.2}(x_0)), \qquad y = t_2(1.7\, p),

    with :math:`t_a` = :func:`bend` of steepness `a`. It is one to one: its Jacobian's determinant is positive everywhere.

    Shape:
        - x: ``[batch, 2]``, points; there is no sample rate (``rate`` is 0)
        - y: ``[batch, 2]``

    >>> encoder, x = mixer(), torch.tensor([[0.3, -0.8]], dtype=torch.float64)
    >>> torch.allclose(encoder.inverse(encoder(x)), x)
    True
    """

    name, rate, samples, dim = "mixer", 0, 2, 2

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.unbind(-1)
        bent = torch.stack([first - 0.5 * bend(second, 3.0), second + 0.7 * bend(first, 1.2)], -1)
        return bend(1.7 * bent, 2.0)

    @torch.no_grad()
    def inverse(self, y: Tensor) -> Tensor:
        """The point a code came from, by bisection of two rising functions, to the precision of y's type."""
        p = _solve(lambda x: bend(1.7 * x, 2.0), y)
        second = _solve(lambda x: x + 0.7 * bend(p[..., 0] + 0.5 * bend(x, 3.0), 1.2), p[..., 1])
        return torch.stack([p[..., 0] + 0.5 * bend(second, 3.0), second], -1)


def mixer() -> Mixer:
    """The mixer toy's encoder, frozen."""
    encoder = Mixer()
    freeze(encoder)
    return encoder


def _solve(rising: Callable[[Tensor], Tensor], target: Tensor) -> Tensor:
    """The x with ``rising(x) == target``, elementwise, for an increasing function that grows at least as 0.1 x."""
    reach = 10 * (target.abs() + 10)
    low, high = -reach, reach
    for _ in range(64 if target.dtype == torch.float64 else 40):
        middle = (low + high) / 2
        below = rising(middle) < target
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2
