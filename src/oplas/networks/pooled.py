"""One small vector for a whole roll: a patch network, pooled, and the way back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled
from .blocks import TOKENS, Block, cut
from .decoder import Decoder
from .vit import ViT


class Pooled(Spelled, nn.Module):
    r"""Rolls to ``dim`` numbers: the patches of another network hear one another once more, and the mean of them is read out.

    Nothing in it knows of pitch or time beyond where a patch lies: what a move does to z is for a loss to teach. Patches in which
    nothing sounds are not counted.

    Shape:
        - rolls: ``[n, 2, 128, 128]`` · heard: ``[n, 64]`` bool · returns: ``[n, dim]``

    >>> Pooled(8, ViT(code=2, depth=1))(torch.zeros(3, 2, 128, 128)).shape
    torch.Size([3, 8])
    """

    def __init__(self, dim: int = 64, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = ViT(code=4, depth=1) if encoder is None else encoder
        width = int(self.encoder.width)  # type: ignore[arg-type]
        self.dim = dim
        self.place = nn.Parameter(torch.randn(TOKENS, width) * 0.5)
        self.block, self.head = Block(width), nn.Linear(width, dim)

    def forward(self, rolls: Tensor, heard: Tensor | None = None) -> Tensor:
        tokens = self.encoder(rolls, heard).unflatten(1, (TOKENS, -1))
        there = cut(rolls).any(2) if heard is None else cut(rolls).any(2) & heard
        said = self.block(tokens + self.place) * there.unsqueeze(2)
        z: Tensor = self.head(said.sum(1) / there.sum(1, keepdim=True).clamp_min(1))
        return z

    @torch.no_grad()
    def prepare(self, rolls: Tensor, floor: float = 0.05) -> None:
        """Let the last layer read principal axes, each scaled to about unit variance over these rolls: the start is not a line."""
        z = self(rolls).double()
        variance, axes = torch.linalg.eigh(torch.cov(z.T))
        turn = (axes / (variance + floor * variance.mean()).sqrt()).T
        self.head.bias.copy_(turn @ (self.head.bias.double() - z.mean(0)))
        self.head.weight.copy_(turn @ self.head.weight.double())


class Unpooled(Decoder):
    """A decoder that first spreads ``dim`` numbers over the patches.

    >>> Unpooled(8, code=2)(torch.zeros(3, 8)).shape
    torch.Size([3, 2, 128, 128])
    """

    def __init__(self, dim: int = 64, code: int = 4, depth: int = 2, hidden: int = 96) -> None:
        super().__init__(code, depth, hidden)
        self.spread = nn.Linear(dim, TOKENS * len(self.place[0]))

    def amended(self, z: Tensor) -> Tensor:
        return super().amended(self.spread(z))
