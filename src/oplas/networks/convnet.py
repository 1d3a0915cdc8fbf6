"""The soft factorisation toy's encoder, and one that can do what is asked of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled

_WIDTHS = ((1, 16), (16, 32), (32, 64), (64, 64))


class ConvNet(Spelled, nn.Module):
    """Pictures to latents, ``[n, height, width] -> [n, dim]``, in 61 264 parameters (soft factorisation toy, Hawley 2026).

    3 × 3 convolutions 1-16, 16-32 and 32-64 of stride 2, 64-64, each with padding 1 and a GELU; the mean over all places; a linear
    layer. The average forgets where things are, but for what the zeros of the padding tell.

    >>> ConvNet()(torch.zeros(5, 16, 16)).shape
    torch.Size([5, 16])
    """

    def __init__(self, dim: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for (a, b), stride in zip(_WIDTHS, (1, 2, 2, 1), strict=True):
            layers += [nn.Conv2d(a, b, 3, stride, padding=1), nn.GELU()]
        self.features, self.head = nn.Sequential(*layers), nn.Linear(64, dim)
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.head(_mean(self.features, x, self.head.weight))
        return z

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Scale the last layer so that the latents of x have mean 0 and deviation 1: the start, whatever is to be learned."""
        _prepare(self, self.head, x)


class PlacedNet(Spelled, nn.Module):
    r"""The same four convolutions, blind to where a thing is, and beside them where it is: its centroid, two numbers.

    Convolutions wrap round instead of padding, and pictures are halved by averaging instead of stepping over cells: the mean over
    all places then barely changes when a thing moves (it does not at all when it moves by 4 cells). The features are brought to
    deviation 1, the centroid, in units of ``unit`` cells, is put beside them, and one linear layer makes z of both.

    >>> PlacedNet()(torch.zeros(5, 24, 24)).shape
    torch.Size([5, 16])
    """

    def __init__(self, dim: int = 16, unit: float = 4.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for (a, b), halved in zip(_WIDTHS, (True, True, False, False), strict=True):
            layers += [nn.Conv2d(a, b, 3, padding=1, padding_mode="circular"), nn.GELU()]
            layers += [nn.AvgPool2d(2)] if halved else []
        self.features, self.level, self.head = nn.Sequential(*layers), nn.BatchNorm1d(64, affine=False), nn.Linear(66, dim)
        self.dim, self.unit = dim, unit

    def forward(self, x: Tensor) -> Tensor:
        what = self.level(_mean(self.features, x, self.head.weight))
        z: Tensor = self.head(torch.cat([what, centroid(x) / self.unit], 1))
        return z

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """As :meth:`ConvNet.prepare`."""
        _prepare(self, self.head, x)


def centroid(x: Tensor) -> Tensor:
    """Mean row and column of a picture's cells, from its middle, ``[n, height, width] -> [n, 2]``; the middle where it is empty."""
    mass = x.sum((1, 2)).clamp_min(1e-6)
    middle = [torch.arange(length, device=x.device) - (length - 1) / 2 for length in x.shape[1:]]
    return torch.stack([x.sum(2) @ middle[0], x.sum(1) @ middle[1]], 1) / mass[:, None]


def _mean(features: nn.Module, x: Tensor, like: Tensor) -> Tensor:
    pictures = x[:, None].to(like).contiguous(memory_format=torch.channels_last)
    mean: Tensor = features(pictures).mean((2, 3))
    return mean


def _prepare(network: nn.Module, head: nn.Linear, x: Tensor) -> None:
    z = network(x)
    head.weight.div_(z.std(0)[:, None])
    head.bias.copy_((head.bias - z.mean(0)) / z.std(0))
