"""What a thing looks like can be told from its latent, moved or not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..networks.centred import Painter, rolled
from ..operators.translation import Translation
from .views import Batch, Term


class Painted(Term):
    """Binary cross-entropy of each view, redrawn by a painter that learns as well; nats a sounding cell.

    Args:
        operators: the translations in pitch and in time, one step of each; learned by their own laws.
        painter: draws pictures at rest; every view is asked of it where it would rest, so that one move stands for all.
    """

    def __init__(self, painter: Painter, operators: Sequence[Translation], weight: float = 1.0) -> None:
        super().__init__()
        self.painter, self.operators, self.weight = painter, nn.ModuleList(operators), weight

    @property
    def steps(self) -> Tensor:
        """One step along each axis, ``[2, d]``."""
        return torch.stack([each.direction.detach() for each in self.operators if isinstance(each, Translation)])

    def forward(self, batch: Batch) -> Tensor:
        drawn, cells = self.painter.at_rest(batch.z.flatten(0, 1), self.steps)
        true = rolled(batch.views.flat.to(drawn), -cells)
        return binary_cross_entropy_with_logits(drawn, true, reduction="sum") / true.sum().clamp_min(1)
