r"""Soft factorisation: moves along one axis are parallel in the space, moves along two are orthogonal.

With :math:`d_1=z_1-z` and :math:`d_2=z_2-z`, what two deeds each did to the latent z of the same thing, the cosine
:math:`\cos(d_1,d_2)` shall be 1, -1 or 0 (S. H. Hawley, Can a simple encoder learn "soft-separable" pitch vs time directions in
latent space?, 2026). A cosine leaves the length of a step open: ``Equivariance(Transpose(), Translation(dim))`` gives it its size.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity

from ..actions.base import Action
from ..actions.twice import Twice
from .base import Law, Seen


class _Cosine(Law):
    """The cosine of two displacements of one latent, less what it should be."""

    target: float

    def residual(self, seen: Seen) -> Tensor:
        rest, first = seen.before[:, 0], seen.before[:, 1]
        return cosine_similarity(first - rest, seen.after - rest, dim=1, eps=1e-6) - self.target


class Parallel(_Cosine):
    r""":math:`\cos(d_s,d_t)=1` for two moves along one axis the same way, :math:`st>0`."""

    target = 1.0

    def __init__(self, action: Action, weight: float = 1.0) -> None:
        super().__init__()
        self.action, self.weight = Twice(action, action, same=True), weight


class AntiParallel(_Cosine):
    r""":math:`\cos(d_s,d_t)=-1` for two moves along one axis opposite ways, :math:`st<0`."""

    target = -1.0

    def __init__(self, action: Action, weight: float = 1.0) -> None:
        super().__init__()
        self.action, self.weight = Twice(action, action, same=False), weight


class Orthogonal(_Cosine):
    r""":math:`\cos(d_s,d_t)=0` for moves along two axes, whichever way."""

    target = 0.0

    def __init__(self, action: Action, other: Action, weight: float = 1.0) -> None:
        super().__init__()
        self.action, self.weight = Twice(action, other), weight


def factored(first: Action, second: Action, weight: float = 1.0) -> list[Law]:
    """The seed's loss as five laws, weighted as its pairs turn out: two equal moves are drawn anew, so of 22 pairs along one axis
    or two, 3 go the same way along each, 4 opposite ways, and 8 across.
    """
    along: list[Law] = [
        law(action, weight * share / 22) for action in (first, second) for law, share in ((Parallel, 3), (AntiParallel, 4))
    ]
    return [*along, Orthogonal(first, second, weight * 8 / 22)]
