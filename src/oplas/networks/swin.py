"""A hierarchical patch network on piano rolls."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled
from .blocks import PATCH, SIDE, TOKENS, Block, Rows, WindowBlock, still

FINE = 8


class Swin(Spelled, nn.Module):
    r"""Rolls to one code a patch, in two stages: patches of 8 x 8 cells hear their neighbours within shifted windows, then four
    become one, and the 64 hear one another (after Liu et al. 2021, *Swin Transformer*, https://arxiv.org/abs/2103.14030).

    Shape:
        - rolls: ``[n, 2, 128, 128]`` (onset and sustain; pitch; steps)
        - heard: ``[n, 64]`` bool, patches of 16 x 16 that may be seen (all by default): the others keep only their place
        - returns: ``[n, dim]``, ``code`` numbers for each pitch in each bar, patch by patch (:data:`blocks.TOKENS`)

    >>> Swin(code=4, depths=(1, 1))(torch.zeros(3, 2, 128, 128)).shape
    torch.Size([3, 4096])
    """

    def __init__(self, code: int = 8, depths: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        side, narrow = SIDE // FINE, FINE * code // 2
        self.width = PATCH * code
        self.dim = TOKENS * self.width
        self.rows = Rows(FINE, code // 2)
        self.place = nn.Parameter(torch.randn(side**2, narrow) * 0.1)
        self.near = nn.Sequential(*(WindowBlock(narrow, side, 4, 2 * (index % 2)) for index in range(depths[0])))
        self.merge = nn.Linear(4 * narrow, self.width)
        self.far_place = nn.Parameter(torch.randn(TOKENS, self.width) * 0.1)
        self.far = nn.Sequential(*(Block(self.width) for _ in range(depths[1])))
        self.head = still(self.width, self.width)

    def forward(self, rolls: Tensor, heard: Tensor | None = None) -> Tensor:
        told: Tensor = self.rows(rolls)
        if heard is not None:
            told = told * spread(heard).unsqueeze(-1)
        merged = self.merge(gather(self.near(told + self.place)).flatten(2))
        detail = gather(told).unflatten(3, (FINE, -1)).transpose(3, 4)  # both halves of a row side by side, rows in order
        detail = detail.unflatten(2, (2, 2)).permute(0, 1, 2, 5, 3, 4).flatten(2)
        return (detail + self.head(self.far(merged + self.far_place))).flatten(1)


def gather(tokens: Tensor) -> Tensor:
    """The four fine patches of every patch, ``[n, 256, d]`` to ``[n, 64, 4, d]``: low early, low late, high early, high late."""
    grid = tokens.unflatten(1, (SIDE // PATCH, 2, SIDE // PATCH, 2)).transpose(2, 3)
    return grid.flatten(3, 4).flatten(1, 2)


def spread(heard: Tensor) -> Tensor:
    """What holds for patches, for their fine patches: ``[n, 64]`` to ``[n, 256]``."""
    side = SIDE // PATCH
    return heard.unflatten(1, (side, side)).repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1)
