"""What patch networks are made of: rows of cells, attention among patches or within windows, and the way back."""

from __future__ import annotations

from torch import Tensor, nn

SIDE, PATCH = 128, 16
#: Patches of a roll: 8 x 8, each 16 semitones by 16 steps (a bar of sixteenths).
TOKENS = (SIDE // PATCH) ** 2


def thinking(first: int, middle: int, last: int) -> nn.Sequential:
    """Linear, GELU, Linear."""
    return nn.Sequential(nn.Linear(first, middle), nn.GELU(), nn.Linear(middle, last))


class Rows(nn.Module):
    """Patches of ``patch x patch`` cells as what their rows say: one pitch for ``patch`` steps is one row, all read alike.

    Shape:
        - rolls: ``[n, 2, 128, 128]`` · returns: ``[n, (128 / patch)², patch * code]``, lowest pitches first, then by time
    """

    def __init__(self, patch: int, code: int, hidden: int = 96) -> None:
        super().__init__()
        self.patch = patch
        self.read = thinking(2 * patch, hidden, code)

    def forward(self, rolls: Tensor) -> Tensor:
        grid = rolls.unflatten(2, (-1, self.patch)).unflatten(4, (-1, self.patch)).permute(0, 2, 4, 3, 1, 5).flatten(4)
        silent = ~grid.any(-1)  # most rows are; what they say need be worked out once
        said = self.read(grid[~silent])
        rows = self.read(grid.new_zeros(grid.shape[-1])).expand(*silent.shape, -1).clone()
        rows[~silent] = said
        return rows.flatten(3).flatten(1, 2)


def cut(rolls: Tensor) -> Tensor:
    """Rolls as patches, ``[n, 64, 2 * 16 * 16]``."""
    grid = rolls.unflatten(2, (-1, PATCH)).unflatten(4, (-1, PATCH)).permute(0, 2, 4, 1, 3, 5)
    return grid.flatten(3).flatten(1, 2)


class Block(nn.Module):
    """A pre-norm transformer block (Vaswani et al. 2017; Xiong et al. 2020): tokens hear one another, then each thinks alone.
    It starts as the identity.

    Shape:
        - x: ``[batch, tokens, width]``, and the same back
    """

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm_across, self.norm_within = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.answer = nn.Linear(width, 3 * width), still(width, width)
        self.within = thinking(width, 2 * width, width)
        nn.init.zeros_(self.within[2].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.ask(self.norm_across(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        heard = nn.functional.scaled_dot_product_attention(query, key, value)
        x = x + self.answer(heard.transpose(1, 2).flatten(2))
        return x + self.within(self.norm_within(x))


class WindowBlock(Block):
    """The same within windows of a grid, in every second block shifted by half a window.

    After Liu et al. 2021, *Swin Transformer*, https://arxiv.org/abs/2103.14030; windows reach around the edges unmasked, since
    the edges of a piano roll are nearly always empty.
    """

    def __init__(self, width: int, side: int, window: int, shift: int, heads: int = 4) -> None:
        super().__init__(width, heads)
        self.side, self.window, self.shift = side, window, shift

    def forward(self, x: Tensor) -> Tensor:
        grid = x.unflatten(1, (self.side, self.side)).roll((-self.shift, -self.shift), (1, 2))
        parts = grid.unflatten(1, (-1, self.window)).unflatten(3, (-1, self.window)).transpose(2, 3)
        heard = super().forward(parts.flatten(3, 4).flatten(0, 2)).view_as(parts)
        return heard.transpose(2, 3).flatten(3, 4).flatten(1, 2).roll((self.shift, self.shift), (1, 2)).flatten(1, 2)


def still(width: int, last: int) -> nn.Linear:
    """A linear layer that starts as zero: what is behind it speaks up as it learns."""
    layer = nn.Linear(width, last)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
