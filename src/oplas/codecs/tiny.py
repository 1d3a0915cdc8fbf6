r"""oplas-tiny: the small convolutional auto-encoder that ships inside the package, 128 numbers 75 times a second.

Where the mel codec keeps magnitudes only, this one keeps waveforms: codes are signed, and sound comes back without a mixture.
It is the stand-in for EnCodec where nothing can be downloaded; benchmarks/train_tiny.py trained it and ``tiny.json`` tells how.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv_transpose1d, leaky_relu, pad

from .. import _artefact
from .base import Codec

WEIGHTS = Path(__file__).with_name("tiny.safetensors")
SHA256 = "d5725988be98a522320c2ffe963590710ffdb2546d6a7785578bd414b747c063"


class Tiny(Codec):
    r"""A lapped transform (MDCT), then for each direction a straight way and one through residual convolutions.

    .. math:: z = A\,u + f(u),\quad \hat u = B\,z + g(z),\quad u = \mathrm{MDCT}(x)/s,\ \hat x = \mathrm{MDCT}^{-1}(s\,\hat u)

    with s the usual level of each of the 320 coefficients in music.

    Nothing has a bias and the only non-linearity is a leaky rectifier, so that a gain on the sound is the same gain on the code,
    exactly, and silence is zero. The lapped transform: J. P. Princen, A. W. Johnson, A. B. Bradley, "Subband/transform coding using
    filter bank designs based on time domain aliasing cancellation", 1987, https://doi.org/10.1109/ICASSP.1987.1169405.

    Built untrained, from PyTorch's global generator; :func:`tiny` is the trained one.
    """

    name, rate, hop = "tiny", 24_000, 320
    basis: Tensor
    usual: Tensor

    def __init__(self, channels: int = 128, width: int = 192, depth: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("basis", lapped(self.hop)[:, None], persistent=False)
        self.register_buffer("usual", torch.ones(self.hop, 1))
        self.encoder, self.decoder = Way(self.hop, width, channels, depth), Way(channels, width, self.hop, depth)

    def code(self, wav: Tensor) -> Tensor:
        return self.encoder(self.transform(wav) / self.usual)

    def transform(self, wav: Tensor) -> Tensor:
        """``[batch, samples] -> [batch, 320, T]``, orthonormal but for the outer 160 samples at both ends."""
        rest = -wav.shape[-1] % self.hop
        return conv1d(pad(wav.to(self.basis), (self.hop // 2, rest + self.hop // 2))[:, None], self.basis, stride=self.hop)

    def sound(self, z: Tensor, samples: int) -> Tensor:
        spectrum = self.usual * self.decoder(z.to(self.basis).reshape(-1, *z.shape[-2:]))
        wav = conv_transpose1d(spectrum, self.basis, stride=self.hop, padding=self.hop // 2)
        return wav[:, 0, :samples].reshape(*z.shape[:-2], samples)


class Way(nn.Module):
    """``[batch, inputs, T] -> [batch, outputs, T]``: what a matrix can do in one frame, and what convolutions add to it."""

    def __init__(self, inputs: int, width: int, outputs: int, depth: int) -> None:
        super().__init__()
        self.straight, self.enter = plain(inputs, outputs), plain(inputs, width, 3)
        self.blocks = nn.ModuleList(
            nn.Sequential(plain(width, width, 3, 3**i), nn.LeakyReLU(0.2), plain(width, width)) for i in range(depth)
        )
        self.leave = plain(width, outputs)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.enter(x)
        for block in self.blocks:
            hidden = hidden + block(leaky_relu(hidden, 0.2))
        return self.straight(x) + self.leave(leaky_relu(hidden, 0.2))


def plain(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Conv1d:
    """A convolution without bias that keeps the length."""
    return nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=dilation * (kernel // 2), bias=False)


def lapped(hop: int) -> Tensor:
    r"""The MDCT's basis with a sine window, ``[hop, 2 hop]``; shifted by whole hops, its rows are orthonormal."""
    n = torch.arange(2 * hop, dtype=torch.float64) + 0.5
    k = torch.arange(hop, dtype=torch.float64)[:, None] + 0.5
    window = torch.sin(math.pi * n / (2 * hop))
    return (math.sqrt(2 / hop) * window * torch.cos(math.pi / hop * (n + hop / 2) * k)).float()


def tiny() -> Tiny:
    """The trained oplas-tiny, frozen, from the weights shipped inside the package: no download.

    Raises:
        ArtefactError: the weights are missing, damaged, or of another version.
    """
    codec = Tiny()
    codec.load_state_dict(_artefact.shipped(WEIGHTS, SHA256))
    return codec.eval().requires_grad_(False)
