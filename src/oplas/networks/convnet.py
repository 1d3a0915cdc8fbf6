"""The soft factorisation toy's encoder: four convolutions, an average over the picture, a linear layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._spelled import Spelled


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
        for a, b, stride in ((1, 16, 1), (16, 32, 2), (32, 64, 2), (64, 64, 1)):
            layers += [nn.Conv2d(a, b, 3, stride, padding=1), nn.GELU()]
        self.features, self.head = nn.Sequential(*layers), nn.Linear(64, dim)
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None].to(self.head.weight).contiguous(memory_format=torch.channels_last)
        z: Tensor = self.head(self.features(x).mean((2, 3)))
        return z

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Scale the last layer so that the latents of x have mean 0 and deviation 1: the start, whatever is to be learned."""
        z = self(x)
        self.head.weight.div_(z.std(0)[:, None])
        self.head.bias.copy_((self.head.bias - z.mean(0)) / z.std(0))
