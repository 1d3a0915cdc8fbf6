"""The square commutes: act, then encode = encode, then operate."""

from __future__ import annotations

from torch import Tensor

from ..actions.base import Action
from ..operators.base import Operator
from .base import Law, Seen


class Equivariance(Law):
    r""":math:`h(f(a_\theta(x)))=O_\theta(h(f(x)))` for an action a and an operator O.

    The residual is divided by the standard deviation of each latent dimension over the batch (held constant), so that
    every dimension must obey, not only the one with the most energy:

    .. math:: r_j = \frac{O_\theta(z)_j - z'_j}{\operatorname{std}(z'_j)}.

    On its own it is met by a point; see :func:`oplas.laws.nondegenerate`. For Mix and Sum it is the invariance term of
    the mixing space of Operational Latent Spaces (Hawley & Tackett 2024, https://arxiv.org/abs/2406.02699).
    """

    def __init__(self, action: Action, operator: Operator, weight: float = 1.0) -> None:
        super().__init__()
        self.action, self.operator, self.weight = action, operator, weight

    def predict(self, seen: Seen) -> Tensor:
        """The operator's answer, ``[n, d]``."""
        answer: Tensor = self.operator(seen.before, seen.trials.theta)
        return answer

    def residual(self, seen: Seen) -> Tensor:
        return (self.predict(seen) - seen.after) / (seen.after.detach().var(0) + 1e-4).sqrt()
