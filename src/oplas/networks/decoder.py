"""The way back: codes of patches to piano rolls."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled
from .blocks import PATCH, SIDE, TOKENS, Block, still


class Decoder(Spelled, nn.Module):
    r"""Codes of patches to the logits of a roll's cells: the decoder of a representation auto-encoder (Zheng et al. 2025,
    *Diffusion Transformers with Representation Autoencoders*, https://arxiv.org/abs/2510.11690).

    Attention among the patches may amend each code; then every row is drawn from its own numbers alone.

    Shape:
        - z: ``[n, 64 * 16 * code]``
        - returns: ``[n, 2, 128, 128]`` logits; a cell is on where its logit is positive

    >>> Decoder(code=2, depth=1)(torch.zeros(3, 2048)).shape
    torch.Size([3, 2, 128, 128])
    """

    def __init__(self, code: int = 8, depth: int = 1, hidden: int = 128) -> None:
        super().__init__()
        width = PATCH * code
        self.place = nn.Parameter(torch.randn(TOKENS, width) * 0.1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.amend = still(width, width)
        last = nn.Linear(hidden, 2 * PATCH)
        nn.init.constant_(last.bias, -4.0)  # most cells are off
        self.draw = nn.Sequential(nn.Linear(code, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), last)

    def forward(self, z: Tensor) -> Tensor:
        return self.logits(self.amended(z))

    def amended(self, z: Tensor) -> Tensor:
        """What is drawn from: every pitch's numbers in every bar, ``[n, 8, 8, 16, code]``."""
        codes = z.unflatten(1, (TOKENS, -1))
        rows = codes + self.amend(self.blocks(codes + self.place))
        return rows.unflatten(1, (SIDE // PATCH, -1)).unflatten(3, (PATCH, -1))

    def logits(self, rows: Tensor) -> Tensor:
        """Rows ``[n, 8, 8, 16, code]`` drawn as rolls."""
        cells: Tensor = self.draw(rows).unflatten(4, (2, PATCH))
        return cells.permute(0, 4, 1, 3, 2, 5).flatten(4).flatten(2, 3)
