r"""oplas-mini: the small pretrained audio encoder that ships inside the package.

A log-mel image of three seconds is cut into 12 x 12 patches, which a small MLP-Mixer (Tolstikhin et al. 2021, *MLP-Mixer:
An all-MLP Architecture for Vision*, https://arxiv.org/abs/2105.01601) relates to one another before one dense layer reads
them all, so that where and when something sounds is kept. Level is kept too: nothing is normalised per window.
benchmarks/train_mini.py trained it; docs/mini.md says on what, how well, and what it cannot do.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .. import _artefact
from .._errors import ShapeError
from ..functional.spectra import mel_filters
from .base import Encoder, freeze

WEIGHTS = Path(__file__).with_name("mini.safetensors")
SHA256 = "ddf0e1ba51f4d20b22c42abfc654ac37a8a035631646fd9fef104835d55bcbe1"
FFT, HOP, BANDS, FRAMES, PATCH = 1024, 500, 96, 96, 8
FLOOR = 1e-8


class Mini(Encoder):
    r"""Three seconds at 16 kHz to one 256-d code.

    .. math:: y = W\,\mathrm{vec}\,\mathrm{Mixer}\big(\mathrm{patches}(10\log_{10}(P + 10^{-8}))\big), \quad
              P = \mathrm{mel}\,|\mathrm{STFT}(x)|^2

    Shape:
        - x: ``[batch, 48000]``, amplitude in [-1, 1]; a full-scale sine has a power of about 1 (0 dB), silence -80 dB
        - y: ``[batch, 256]``

    Built untrained, from PyTorch's global generator; :func:`mini` is the trained one.
    """

    name, rate, samples, dim = "mini-1", 16000, 48000, 256
    window: Tensor
    filters: Tensor

    def __init__(self, width: int = 64, depth: int = 3, tap: int = 24) -> None:
        super().__init__()
        grid = FRAMES // PATCH
        self.register_buffer("window", torch.hann_window(FFT), persistent=False)
        self.register_buffer("filters", mel_filters(self.rate, FFT, BANDS), persistent=False)
        self.embed = nn.Linear(PATCH * (PATCH + 2), width)
        self.place = nn.Parameter(torch.zeros(grid * grid, width).normal_(std=0.1))
        self.blocks = nn.Sequential(*(Block(grid * grid, width) for _ in range(depth)))
        self.tap = nn.Linear(width, tap)
        self.head = nn.Linear(grid * grid * tap, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        """Codes of windows ``[batch, 48000]``.

        Raises:
            ShapeError: x is not ``[batch, 48000]``.
        """
        return self.code(self.mel(x))

    def mel(self, x: Tensor) -> Tensor:
        """Mel power ``[batch, bands 96, frames 96]``, a frame every 500 samples (31.25 ms).

        Raises:
            ShapeError: x is not ``[batch, 48000]``.
        """
        if x.ndim != 2 or x.shape[1] != self.samples:
            raise ShapeError(f"mini reads [batch, {self.samples}] at {self.rate} Hz; this is {list(x.shape)}; cut or resample it")
        return self.power(x)

    def power(self, x: Tensor) -> Tensor:
        """Mel power ``[batch, 96, samples / 500]`` of a stretch of any whole number of hops; beyond its ends lies silence."""
        x = nn.functional.pad(x, ((FFT - HOP) // 2, (FFT - HOP) // 2))
        spectrum = torch.stft(x, FFT, HOP, window=self.window, center=False, return_complex=True)
        power = (spectrum.real.square() + spectrum.imag.square()) / (FFT / 4) ** 2
        return self.filters @ power

    def code(self, power: Tensor, heard: Tensor | None = None) -> Tensor:
        """Codes of mel powers; tokens where ``heard`` ``[batch, 144]`` is false keep only their place (used in training)."""
        tokens = self.embed(patches(power))
        if heard is not None:
            tokens = tokens * heard.unsqueeze(-1)
        return self.head(self.tap(self.blocks(tokens + self.place)).flatten(1))


class Block(nn.Module):
    """One mixer block: every token hears all others, then every token thinks for itself; both are residual."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norm_across, self.norm_within = nn.LayerNorm(width), nn.LayerNorm(width)
        self.across = nn.Sequential(nn.Linear(tokens, tokens // 2), nn.GELU(), nn.Linear(tokens // 2, tokens))
        self.within = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, tokens, width]`` to the same shape."""
        x = x + self.across(self.norm_across(x).mT).mT
        return x + self.within(self.norm_within(x))


def decibels(power: Tensor) -> Tensor:
    """``10 log10(power + 1e-8)``: smooth towards -80 dB, where silence lies."""
    return 10 * (power + FLOOR).log10()


def patches(power: Tensor) -> Tensor:
    """Tokens ``[batch, 144, 80]`` of 8 bands x 8 frames: level in every frame, of the patch's mean power, of its whole second's."""
    grid = power.unflatten(1, (-1, PATCH)).unflatten(3, (-1, PATCH)).transpose(2, 3)
    quarter = grid.mean(4, keepdim=True)
    second = quarter.unflatten(2, (3, -1)).mean(3, keepdim=True).expand(-1, -1, -1, FRAMES // PATCH // 3, -1, -1).flatten(2, 3)
    return decibels(torch.cat([grid, quarter, second], 4)).flatten(3).flatten(1, 2) / 20 + 2


def mini() -> Encoder:
    """The trained oplas-mini, frozen, from the weights shipped inside the package: no download.

    Raises:
        ArtefactError: the weights are missing, damaged, or of another version.
    """
    encoder = Mini()
    encoder.load_state_dict(_artefact.shipped(WEIGHTS, SHA256))
    return freeze(encoder)
