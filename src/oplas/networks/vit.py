"""A small vision transformer on piano rolls."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled
from .blocks import PATCH, TOKENS, Block, Rows, still


class ViT(Spelled, nn.Module):
    r"""Rolls to one code a patch: what its rows say, and what attention among all patches adds (Dosovitskiy et al. 2021,
    *An Image is Worth 16x16 Words*, https://arxiv.org/abs/2010.11929).

    .. math:: c = e(x) + W\,\mathrm{blocks}(e(x) + \mathrm{place})

    Shape:
        - rolls: ``[n, 2, 128, 128]`` (onset and sustain; pitch; steps)
        - heard: ``[n, 64]`` bool, patches that may be seen (all by default): the others keep only their place
        - returns: ``[n, dim]``, ``code`` numbers for each pitch in each bar, patch by patch (:data:`blocks.TOKENS`)

    >>> ViT(code=2, depth=1)(torch.zeros(3, 2, 128, 128)).shape
    torch.Size([3, 2048])
    """

    def __init__(self, code: int = 8, depth: int = 2) -> None:
        super().__init__()
        self.width = PATCH * code
        self.dim = TOKENS * self.width
        self.rows = Rows(PATCH, code)
        self.place = nn.Parameter(torch.randn(TOKENS, self.width) * 0.1)
        self.blocks = nn.Sequential(*(Block(self.width) for _ in range(depth)))
        self.head = still(self.width, self.width)

    def forward(self, rolls: Tensor, heard: Tensor | None = None) -> Tensor:
        told: Tensor = self.rows(rolls)
        if heard is not None:
            told = told * heard.unsqueeze(-1)
        return (told + self.head(self.blocks(told + self.place))).flatten(1)
