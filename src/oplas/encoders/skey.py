"""S-KEY's ChromaNet: a public network of musical keys whose two rings of twelve turn when the music is transposed, by design.

- Y. Kong, V. Lostanlen, G. Meseguer-Brocal, S. Wong, M. Lagrange, R. Hennequin, "STONE: Self-supervised tonality estimator",
  2024, https://arxiv.org/abs/2407.07408
- Y. Kong, G. Meseguer-Brocal, V. Lostanlen, M. Lagrange, R. Hennequin, "S-KEY: Self-supervised learning of major and minor keys
  from audio", 2025, https://arxiv.org/abs/2501.12907 (weights, MIT: https://github.com/deezer/skey)

The network is written anew; a positive control for whatever claims to find a ring of keys.
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ._weights import load_weights
from .base import Encoder, freeze

_CHANNELS = (1, 2, 3, 40, 40, 30, 10, 3)
_WIDTHS = (7, 7, 7, 7, 7, 5, 5)
BINS, KEPT, OCTAVES, HOP = 99, 84, 9, 512


class ChromaNet(Encoder):
    """Fifteen seconds at 22.05 kHz to 24 shares that add up to one: the major keys and the minor keys, each a ring of semitones.

    Front end: magnitudes of 99 filters from 27.5 Hz, 12 an octave, every 512 samples, in dB over a range of 80; the lowest 84.
    """

    name, rate, samples, dim = "skey", 22050, 15 * 22050, 24
    lowpass: Tensor
    lengths: Tensor
    #: The weight file's names of modules, in ours.
    names: ClassVar[dict[str, str]] = {
        "chromanet.": "",
        "hcqt.cqt_kernels_": "",
        "hcqt.lenghts": "lengths",
        "hcqt.lowpass_filter": "lowpass",
    }

    def __init__(self) -> None:
        super().__init__()
        for octave in range(OCTAVES):
            for part in ("real", "imag"):
                self.register_buffer(f"{part}_{octave}", torch.zeros(12, 1, 128))
        self.register_buffer("lowpass", torch.zeros(1, 1, 256))
        self.register_buffer("lengths", torch.ones(BINS))
        pairs = list(pairwise(_CHANNELS))
        self.time_downsampling_blocks = nn.ModuleList(_Downsampling(given, made) for given, made in pairs)
        self.convnext_blocks = nn.ModuleList(_ConvNext(made, width) for (_, made), width in zip(pairs, _WIDTHS, strict=True))
        self.classifier = nn.Conv2d(_CHANNELS[-1], 2, 1)
        self.batch_norm = nn.BatchNorm2d(2, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.front(x)[:, None, :KEPT]
        for shorter, block in zip(self.time_downsampling_blocks, self.convnext_blocks, strict=True):
            x = block(shorter(x))
        x = x.unflatten(2, (-1, 12)).mean(2).mean(-1, keepdim=True)
        return torch.softmax(self.batch_norm(self.classifier(x)).flatten(1), 1)

    def front(self, x: Tensor) -> Tensor:
        """Levels between 0 and 1 over the loudest bin's 80 dB, ``[batch, 99, frames]``: an octave at a time, halving the rate."""
        rows, hop, wave = [], HOP, x[:, None]
        for octave in range(OCTAVES):
            padded = nn.functional.pad(wave, (64, 64), mode="reflect")
            real, imag = (nn.functional.conv1d(padded, getattr(self, f"{part}_{octave}"), stride=hop) for part in ("real", "imag"))
            rows.append((real.square() + imag.square()).sqrt())
            wave, hop = nn.functional.conv1d(wave, self.lowpass, stride=2, padding=127), hop // 2
        frames = min(row.shape[-1] for row in rows)
        magnitude = torch.cat([row[..., :frames] for row in reversed(rows)], 1)[:, -BINS:] * self.lengths[:, None].sqrt()
        level = 20 * torch.log10(magnitude.clamp_min(1e-5))
        top = level.amax((1, 2), keepdim=True)
        return (torch.maximum(level, top - 80) - top) / 80 + 1


def _still(x: Tensor) -> Tensor:
    return nn.functional.layer_norm(x, x.shape[1:])


class _Downsampling(nn.Module):
    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, made, (1, 2), (1, 2))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.gelu(self.conv(_still(x)))


class _ConvNext(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, width, padding=width // 2, padding_mode="replicate", groups=channels)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        made = _still(self.dwconv(x)).movedim(1, -1)
        made = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(made)))
        return x + made.movedim(-1, 1)


def skey(weights: str | os.PathLike[str]) -> ChromaNet:
    """The trained network, frozen, from its state dict (torch or safetensors).

    Raises:
        ArtefactError: the weights are missing, damaged, or made for another network.
    """
    network = ChromaNet()

    def rename(key: str) -> str:
        for theirs, ours in network.names.items():
            if key.startswith(theirs):
                return ours + key[len(theirs) :]
        return key

    load_weights(network, weights, rename)
    freeze(network)
    return network
