"""What soft factorisation is compared with: a picture laid on its centroid, and a painter that puts it back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled
from ..functional.moves import still
from .convnet import centroid

#: Centroids are fractions with small denominators; a cell's edge at an odd place is never one of them.
EDGE = 0.48631


class CentredNet(Spelled, nn.Module):
    r"""Factored by construction: :math:`z=(\text{centroid}/u,\ g(x\text{ laid on its centroid}))`, g a perceptron of two layers.

    A move of a picture that loses nothing moves the first two dimensions by a step and leaves all others bit for bit as they are:
    canonicalisation (Kaba et al. 2023, https://arxiv.org/abs/2211.06489). Nothing of it has to be learned.

    Args:
        side: cells along each side of the picture.
        unit: u, cells; about the deviation of where things are.

    >>> CentredNet()(torch.zeros(5, 24, 24)).shape
    torch.Size([5, 16])
    """

    def __init__(self, dim: int = 16, side: int = 24, hidden: int = 512, unit: float = 4.0) -> None:
        super().__init__()
        self.dim, self.unit = dim, unit
        self.what = nn.Sequential(
            nn.Linear(side * side, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, dim - 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        where = centroid(x)
        laid = rolled(x, -(where + EDGE).floor().long())
        return torch.cat([where / self.unit, self.what(laid.flatten(1).to(where))], 1)

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Scale the last layer so that what it says of x has mean 0 and deviation 1."""
        head, z = self.what[-1], self(x)[:, 2:]
        assert isinstance(head, nn.Linear)
        head.weight.div_(z.std(0)[:, None])
        head.bias.copy_((head.bias - z.mean(0)) / z.std(0))


class Painter(Spelled, nn.Module):
    r"""Latents to pictures, ``[n, dim] -> [n, side, side]`` logits: what is read with the moves projected out, where along them.

    With the rows of V one step each, :math:`p=zV^+` says where, to a whole cell k and a fraction; a perceptron draws the picture as
    it lies at rest from :math:`z-pV` and the fraction, and it is rolled by k. So :math:`z+sV` is redrawn s cells further, exactly.

    >>> painter = Painter(4, side=8, hidden=16)
    >>> z, step = torch.randn(3, 4), torch.eye(2, 4)
    >>> torch.allclose(painter(z + 2 * step[0], step), painter(z, step).roll(2, 1), atol=1e-4)
    True
    """

    def __init__(self, dim: int = 16, side: int = 24, hidden: int = 512) -> None:
        super().__init__()
        self.side = side
        last = nn.Linear(hidden, side * side)
        nn.init.constant_(last.bias, -3.0)  # most cells are empty
        self.draws = nn.Sequential(nn.Linear(dim + 2, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), last)

    def at_rest(self, z: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """The picture before it is rolled, ``[n, side, side]``, and the cells to roll it by, ``[n, 2]``."""
        where = z @ torch.linalg.pinv(steps)
        cells = (where.detach() + EDGE).floor()
        drawn = self.draws(torch.cat([still(z, steps), where - cells], 1))
        return drawn.unflatten(1, (self.side, self.side)), cells.long()

    def forward(self, z: Tensor, steps: Tensor) -> Tensor:
        return rolled(*self.at_rest(z, steps))


def rolled(x: Tensor, cells: Tensor) -> Tensor:
    """Each picture rolled by its own whole numbers of rows and columns: ``x [n, h, w]``, ``cells [n, 2]``."""
    rows, columns = (
        (torch.arange(length, device=x.device) - cells[:, axis : axis + 1]) % length for axis, length in enumerate(x.shape[1:])
    )
    return x[torch.arange(len(x), device=x.device)[:, None, None], rows[:, :, None], columns[:, None, :]]
