"""The codec that needs no training: a mel spectrum, and the mixture's own phase."""

from __future__ import annotations

import torch
from torch import Tensor

from ..functional.spectra import griffin_lim, interpolation, stft
from .base import FRAME, STEP, Codec


class Mel(Codec):
    r"""Compressed magnitudes of a short-time spectrum in bands, 46.9 frames a second.

    .. math:: z_{bt} = \Big(\frac{1}{r}\sum_k w_{bk} |X_{kt}|\Big)^{1/2}

    The weights w are triangles whose sum over a band is one, equally spaced on a mel scale; the reference r (46 dB below the peak
    of a sine of full scale) is such that codes of music at an ordinary level have a mean square of about one. Codes are not
    negative. Between the peaks of bands, magnitudes are interpolated; without a mixture, phases are those of
    :func:`oplas.functional.spectra.griffin_lim`.

    128 bands at 24 kHz are a trade: with more, the ideal mask is better and every model that works on codes larger.
    """

    name, rate, hop = "mel", 24_000, STEP
    triangles: Tensor

    def __init__(self, bands: int = 128) -> None:
        super().__init__()
        self.channels = bands
        self.register_buffer("triangles", interpolation(FRAME // 2 + 1, bands), persistent=False)

    #: Magnitude at which the code is one.
    reference = FRAME / 800

    def frames(self, samples: int) -> int:
        return 1 + samples // self.hop

    def samples(self, frames: int) -> int:
        return max((frames - 1) * self.hop, 1)

    def code(self, wav: Tensor) -> Tensor:
        weights = (self.triangles / self.triangles.sum(1, keepdim=True)).to(wav)
        return (weights @ stft(wav, FRAME, STEP).abs() / self.reference).sqrt()

    def magnitudes(self, z: Tensor, samples: int) -> Tensor:
        return self.reference * self.triangles.T.to(z) @ z.clamp_min(0).square()

    @torch.no_grad()
    def sound(self, z: Tensor, samples: int) -> Tensor:
        return griffin_lim(self.magnitudes(z, samples), FRAME, STEP, samples)
