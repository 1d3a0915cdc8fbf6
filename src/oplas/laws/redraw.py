r"""Self-supervision of rolls: what a decoder must draw, what is hidden, and how near what is near in time shall lie.

The attraction together with ``Gaussian`` (SIGReg) is LeJEPA's objective (R. Balestriero, Y. LeCun, *LeJEPA: Provable and Scalable
Self-Supervised Learning Without the Heuristics*, 2025, https://arxiv.org/abs/2511.08544); hiding patches is masked auto-encoding
(K. He et al., *Masked Autoencoders Are Scalable Vision Learners*, 2022, https://arxiv.org/abs/2111.06377).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from ..networks.blocks import PATCH, SIDE, TOKENS
from ..networks.decoder import Decoder
from .views import Batch, Term

#: The share of silent rows that is drawn at a step; each then counts for as many as it stands for.
SILENT = 0.05


class Attraction(Term):
    r"""Views lie as near as their moves are small: the mean of :math:`e^{-|m|/\tau}\,\|z_m-z_0\|^2 / d` over moved views.

    :math:`|m|` is the sum of semitones and steps. A law of translation asks the opposite of far moves; near ones agree.
    """

    def __init__(self, reach: float = 4.0, weight: float = 1.0) -> None:
        super().__init__()
        self.reach, self.weight = reach, weight

    def forward(self, batch: Batch) -> Tensor:
        far = batch.views.moves[:, 1:].abs().sum(2)
        apart = (batch.z[:, 1:] - batch.z[:, :1]).square().mean(2)
        return (torch.exp(-far / self.reach) * apart).mean()


class Redraw(Term):
    r"""Binary cross-entropy of a roll's cells, drawn from its latent by a decoder that learns as well; nats per sounding row.

    One view of each thing is drawn. With ``hidden`` above 0 each of its patches is hidden from the network with that
    probability, and only the hidden ones count. A row is one pitch in one bar; of silent rows a twentieth is drawn, in their place.
    """

    def __init__(self, decoder: Decoder, hidden: float = 0.0, weight: float = 1.0) -> None:
        super().__init__()
        self.decoder, self.hidden, self.weight = decoder, hidden, weight

    def forward(self, batch: Batch) -> Tensor:
        n, m = batch.z.shape[:2]
        which = torch.arange(n), torch.randint(m, (n,))
        x, z = batch.views.x[which], batch.z[which]
        asked = torch.ones(n, TOKENS, dtype=torch.bool, device=z.device)
        if self.hidden:
            asked = (torch.rand(n, TOKENS) < self.hidden).to(z.device)
            z = batch.network(x, ~asked)
        said = self.decoder.amended(z)
        true = x.unflatten(2, (-1, PATCH)).unflatten(4, (-1, PATCH)).permute(0, 2, 4, 3, 1, 5).flatten(4)
        asked = asked.unflatten(1, (SIDE // PATCH, -1)).unsqueeze(3)
        sounds = true.any(-1)
        silent = asked & ~sounds & (torch.rand(sounds.shape) < SILENT).to(z.device)
        on = asked & sounds
        lost = binary_cross_entropy_with_logits(self.decoder.draw(said[on]), true[on], reduction="sum")
        return (lost + softplus(self.decoder.draw(said[silent])).sum() / SILENT) / on.sum().clamp_min(1)
