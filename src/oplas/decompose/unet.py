"""A one-dimensional U-Net told two things: how noisy its input is, and, in every block, rows to render from."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .sizes import Shape


class UNet(nn.Module):
    r"""Frames in, frames out, over four resolutions or so; self-attention at the lowest.

    The noise level :math:`\alpha` enters by FiLM (Perez et al. 2018, https://arxiv.org/abs/1709.07871) from a sinusoidal embedding
    of :math:`1000\,\alpha`; the rows z enter every residual block as extra channels, resized to the nearest.

    Shape:
        - x: ``[batch, inputs, frames]``, any number of frames · alpha: ``[batch]`` · z: ``[batch, rows, frames]``
        - returns ``[batch, outputs, frames]``
    """

    def __init__(self, inputs: int, outputs: int, shape: Shape, rows: int = 0) -> None:
        super().__init__()
        widths, kernels = shape.widths, shape.kernels
        self.stride = 2 ** len(kernels)
        self.embedding = wide = shape.embedding
        self.level = nn.Sequential(nn.Linear(wide, wide), nn.SiLU(), nn.Linear(wide, wide))
        self.stem = nn.Conv1d(inputs, widths[0], kernels[0], padding=kernels[0] // 2)
        pairs = list(zip(widths[:-1], widths[1:], kernels, strict=True))
        self.down = nn.ModuleList(_Block(a, b, k, rows, shape) for a, b, k in pairs)
        self.coarser = nn.ModuleList(nn.Conv1d(b, b, k, stride=2, padding=k // 2) for _, b, k in pairs)
        self.bottom = _Block(widths[-1], widths[-1], kernels[-1], rows, shape)
        self.attention = _Attention(widths[-1])
        self.finer = nn.ModuleList(nn.Conv1d(b, b, k, padding=k // 2) for _, b, k in reversed(pairs))
        self.up = nn.ModuleList(_Block(2 * b, a, k, rows, shape) for a, b, k in reversed(pairs))
        self.norm = nn.GroupNorm(_groups(widths[0]), widths[0])
        self.head = nn.Conv1d(widths[0], outputs, kernels[0], padding=kernels[0] // 2)

    def forward(self, x: Tensor, alpha: Tensor, z: Tensor | None = None) -> Tensor:
        frames = x.shape[-1]
        short = -frames % self.stride
        x = functional.pad(x, (0, short), mode="replicate")
        z = z if z is None else functional.pad(z, (0, short), mode="replicate")
        level = self.level(sinusoids(1000 * alpha, self.embedding))
        h, kept = self.stem(x), []
        for block, coarser in zip(self.down, self.coarser, strict=True):
            h = block(h, level, z)
            kept.append(h)
            h = coarser(h)
        h = self.attention(self.bottom(h, level, z))
        for block, finer in zip(self.up, self.finer, strict=True):
            h = functional.interpolate(finer(h), scale_factor=2, mode="nearest")
            h = block(torch.cat([h, kept.pop()], 1), level, z)
        out: Tensor = self.head(functional.silu(self.norm(h)))
        return out[..., :frames]


def sinusoids(value: Tensor, dim: int) -> Tensor:
    r"""Sines and cosines of a number at ``dim / 2`` frequencies from 1 to 1/10000, ``[n] -> [n, dim]``."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=value.device) / (dim // 2))
    angles = value[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class _Block(nn.Module):
    """Norm, SiLU, convolution, twice, beside a shortcut; the rows z beside the first, the noise level between the two."""

    def __init__(self, inputs: int, outputs: int, kernel: int, rows: int, shape: Shape) -> None:
        super().__init__()
        self.first = nn.GroupNorm(_groups(inputs), inputs)
        self.into = nn.Conv1d(inputs + rows, outputs, kernel, padding=kernel // 2)
        self.film = nn.Linear(shape.embedding, 2 * outputs)
        self.second = nn.GroupNorm(_groups(outputs), outputs)
        self.out = nn.Sequential(nn.SiLU(), nn.Dropout(shape.dropout), nn.Conv1d(outputs, outputs, kernel, padding=kernel // 2))
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, level: Tensor, z: Tensor | None) -> Tensor:
        h = functional.silu(self.first(x))
        if z is not None:
            h = torch.cat([h, functional.interpolate(z, x.shape[-1], mode="nearest")], 1)
        gain, shift = self.film(level).unsqueeze(-1).chunk(2, 1)
        h = self.second(self.into(h)) * (1 + gain) + shift
        made: Tensor = self.shortcut(x) + self.out(h)
        return made


class _Attention(nn.Module):
    """Every frame looks at every other; added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(width // 64, 1)
        self.norm = nn.GroupNorm(_groups(width), width)
        self.ask = nn.Conv1d(width, 3 * width, 1)
        self.answer = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, width, frames = x.shape
        query, key, value = (
            self.ask(self.norm(x)).view(batch, 3, self.heads, width // self.heads, frames).transpose(-1, -2).unbind(1)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        told: Tensor = x + self.answer(seen.transpose(-1, -2).reshape(batch, width, frames))
        return told


def _groups(channels: int) -> int:
    return next(n for n in (8, 4, 2, 1) if channels % n == 0)
