"""A move is a step of one size in one direction; and what was moved is still told from all else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..actions.base import Action
from ..functional.moves import still
from ..functional.spread import covariance
from ..operators.translation import Translation
from .base import Law, Seen
from .equivariance import Equivariance
from .views import Batch, Term


class Step(Equivariance):
    r""":math:`z'=z+\theta v`, the residual in units of the step itself: its mean square is the squared translation error.

    .. math:: r=\sqrt d\,\frac{z'-z-\theta v}{\operatorname{rms}|z'-z|},\qquad v=\frac{\sum\theta(z'-z)}{\sum\theta^2}

    While it is learned v is the batch's own least-squares direction, in closed form; the operator keeps the last. An
    ``Equivariance`` in units of each dimension's deviation is met by a space in which nothing moves; here that leaves 1.
    """

    operator: Translation

    def __init__(self, action: Action, operator: Translation, weight: float = 1.0) -> None:
        super().__init__(action, operator, weight)

    def residual(self, seen: Seen) -> Tensor:
        z, theta = seen.before.sum(1), seen.trials.theta.sum(1, keepdim=True).to(seen.after.dtype)
        moved = seen.after - z
        if self.training:
            v = (theta * moved).sum(0) / theta.square().sum().clamp_min(1e-12)
            with torch.no_grad():
                self.operator.direction.copy_(v)
        else:
            v = self.operator.direction.detach()
        return (moved - theta * v) / (moved.square().mean() + 1e-12).sqrt()


class UnitVariance(Law):
    r"""Every dimension's standard deviation is 1, in logarithms: :math:`r_j=\log\operatorname{std}z_j`.

    Laws that know no unit, such as :class:`Step`, leave a space free to shrink or to grow; far from 1 this one still pulls.
    """

    of_batch = True

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def residual(self, seen: Seen) -> Tensor:
        return 0.5 * (seen.latents.var(0) + 1e-8).log()


class Whitened(Law):
    r"""The same along every principal axis, so that none repeats another: :math:`r_j=\tfrac12\log\lambda_j` of the covariance.

    The mean square is the squared distance of the covariance from the identity by the metric of Förstner & Moonen (1999, *A metric
    for covariance matrices*), over 4d. A decorrelation hardly sees an axis that has died; here its pull grows as it shrinks.
    """

    of_batch = True

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def residual(self, seen: Seen) -> Tensor:
        values = torch.linalg.eigvalsh(covariance(seen.latents.double())).clamp_min(0)  # a dead axis may come out below 0
        return (0.5 * (values + 1e-6).log()).to(seen.latents.dtype)


class Recognised(Term):
    r"""A thing is known again from any view of it, pitch and time projected out, among all things of the batch.

    With :math:`c=(1-P)z`, P the projection on the operators' directions, and :math:`s^2=\overline{|c-\bar c|^2}`: the
    cross-entropy of :math:`-|c_i-c'_j|^2/(2\tau s^2)` over j, both ways (InfoNCE; van den Oord et al. 2018,
    https://arxiv.org/abs/1807.03748). It makes what is left of z tell of shape, and fills it.

    Args:
        operators: the translations whose directions are projected out.
        temperature: tau; things are asked to lie apart by a few times its root, in units of s.
    """

    def __init__(self, operators: Sequence[Translation], temperature: float = 0.05, weight: float = 1.0) -> None:
        super().__init__()
        self.operators, self.temperature, self.weight = nn.ModuleList(operators), temperature, weight

    @property
    def _moves(self) -> list[Translation]:
        return [each for each in self.operators if isinstance(each, Translation)]

    def forward(self, batch: Batch) -> Tensor:
        c = still(batch.z, torch.stack([each.direction.detach() for each in self._moves]))
        c = c - c.mean((0, 1))
        c = c / (c.square().sum(-1).mean() + 1e-12).sqrt()
        truth = torch.arange(len(c), device=c.device)
        pairs = [(i, j) for i in range(c.shape[1]) for j in range(i)]
        logits = [-torch.cdist(c[:, i], c[:, j]).square() / (2 * self.temperature) for i, j in pairs]
        return torch.stack([cross_entropy(each, truth) + cross_entropy(each.T, truth) for each in logits]).mean() / 2
