"""Laws on views: which of them are a law's evidence, and losses that look at the views themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn

from .._errors import DataError
from .._spelled import Spelled
from .._types import Trials
from ..actions.base import Action
from ..actions.pianoroll import Shift, Transpose
from ..actions.twice import Twice
from ..data.views import Views
from .base import Law, Seeing, Seen

#: The deeds that views know, and which of their moves tells how far.
AXES: dict[type[Action], int] = {Transpose: 0, Shift: 1}


class Term(Spelled, nn.Module, ABC):
    """A loss that asks more of the views than a law does, such as to be drawn again; ``weight`` times it is minimised."""

    weight: float = 1.0

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """A scalar."""


@dataclass(frozen=True)
class Batch:
    """Views and what the network made of them.

    Shape:
        - z: ``[n, m, d]``, the latent of each view
    """

    network: nn.Module
    views: Views
    z: Tensor

    @classmethod
    def through(cls, network: nn.Module, views: Views) -> Batch:
        """Encode every view once."""
        return cls(network, views, network(views.flat).unflatten(0, views.x.shape[:2]))

    def loss(self, term: Law | Term) -> Tensor:
        """What ``weight`` is the weight of: a term's own value, or the mean square of a law's residual, 0 without evidence."""
        if isinstance(term, Term):
            value: Tensor = term(self)
            return value
        seen = self.seen(term.action)
        return term.residual(seen).square().mean() if len(seen.after) else self.z.new_zeros(())

    def seen(self, action: Action | None) -> Seen:
        """The evidence an action has here: every pair of views that differs from rest by that deed alone.

        ``Transpose`` has the moves in pitch, ``Shift`` those in time, ``Twice`` pairs of them, a law without an action every view.

        Raises:
            DataError: the action is none of these.
        """
        rest, moves = self.z[:, :1], self.views.moves
        if action is None:
            return self._seen(self.z[:, :-1], self.z[:, -1], moves.new_zeros(self.z.shape[0], self.z.shape[1] - 1))
        if isinstance(action, Twice):
            rows = []
            for i, j in combinations(range(1, moves.shape[1]), 2):
                one, other = _along(moves[:, i], action.first), _along(moves[:, j], action.second)
                good = action.admits(one, other)
                rows.append((torch.cat([rest, self.z[:, i : i + 1]], 1)[good], self.z[good, j], torch.stack([one, other], 1)[good]))
        else:
            rows = []
            for i in range(1, moves.shape[1]):
                far = _along(moves[:, i], action)
                rows.append((rest[far != 0], self.z[far != 0, i], far[far != 0, None]))
        return self._seen(*(torch.cat(each) for each in zip(*rows, strict=True)))

    def _seen(self, before: Tensor, after: Tensor, theta: Tensor) -> Seen:
        """The codes themselves are not kept: trials say what was done, latents what came of it."""
        n, k = before.shape[:2]
        blank = before.new_zeros(n, k, 0)
        where = torch.arange(n, device=before.device)
        trials = Trials(blank, torch.ones_like(theta, dtype=torch.bool), before.new_zeros(n, 0), theta.to(before.dtype),
                        where, torch.full_like(theta, -1, dtype=torch.long), before.new_zeros(1, 0))  # fmt: skip
        return Seen(_Unasked(), trials, before, after)


class _Unasked(Seeing):
    """Where no codes are kept there is no way to or from them."""

    def project(self, y: Tensor) -> Tensor:
        raise DataError("views keep no codes; a law that reads codes, such as RoundTrip, is no law on views: use a Term")

    def lift(self, z: Tensor) -> Tensor:
        return self.project(z)


def _along(moves: Tensor, action: Action) -> Tensor:
    """Steps along the action's axis, ``[n]``; 0 where the thing was moved along the other as well."""
    if type(action) not in AXES:
        raise DataError(f"views are moved in pitch and in time; {action!r} is neither Transpose nor Shift")
    axis = AXES[type(action)]
    return torch.where(moves[:, 1 - axis] == 0, moves[:, axis], 0)
