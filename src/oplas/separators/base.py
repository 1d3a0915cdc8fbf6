"""The face of a separator, and that of those which share the mixture's spectrogram out among parts."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from .._errors import DataError, ShapeError
from .._spelled import Spelled
from ..functional import spectra


class Separator(Spelled, ABC):
    """Splits a mono mixture into parts that add up to it. Which part is which source is not told.

    Shape:
        - mix: ``[samples]`` at ``rate`` Hz · returns ``[parts, samples]``
    """

    parts: int = 2

    def __call__(self, mix: Tensor, rate: int) -> Tensor:
        """The parts; silence has silent parts.

        Raises:
            ShapeError: the mixture is not one row of at least ``shortest`` samples.
            DataError: it holds numbers that are not finite.
        """
        least = self.shortest(rate)
        if mix.ndim != 1 or len(mix) < least:
            raise ShapeError(f"{self!r} splits one row of at least {least} samples at {rate} Hz, not {tuple(mix.shape)}")
        if not bool(mix.isfinite().all()):
            raise DataError("the mixture holds numbers that are not finite; look at the file it came from")
        if not bool(mix.any()):
            return mix.new_zeros(self.parts, len(mix))
        return self.split(mix, rate)

    def shortest(self, rate: int) -> int:
        """Samples needed."""
        return 1

    @abstractmethod
    def split(self, mix: Tensor, rate: int) -> Tensor:
        """The parts of a mixture that is not silent."""


class Masking(Separator):
    r"""Parts that share the mixture's short-time spectrum X out: :math:`\hat X_i = \frac{M_i}{\sum_j M_j} X`.

    Frames of 85 ms (a power of two of samples), a quarter apart, Hann window.
    """

    def shortest(self, rate: int) -> int:
        return frame(rate)

    def split(self, mix: Tensor, rate: int) -> Tensor:
        spectrum = stft(mix, rate)
        weights = self.masks(spectrum.abs(), rate).clamp_min(0)
        total = weights.sum(0)
        shares = torch.where(total > 0, weights / total.clamp_min(torch.finfo(total.dtype).tiny), 1 / len(weights))
        return istft(shares * spectrum, rate, len(mix))

    @abstractmethod
    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        """Weights of the parts, not negative, ``[bins, frames] -> [parts, bins, frames]``."""


def frame(rate: int) -> int:
    """Samples of a frame: the power of two nearest to 85 ms.

    >>> frame(24_000), frame(16_000), frame(44_100)
    (2048, 1024, 4096)
    """
    return int(2 ** round(torch.log2(torch.tensor(0.0853 * rate)).item()))


def stft(x: Tensor, rate: int) -> Tensor:
    """``[..., samples] -> [..., bins, frames]``, complex."""
    return spectra.stft(x, frame(rate), frame(rate) // 4)


def istft(spectrum: Tensor, rate: int, samples: int) -> Tensor:
    """The inverse of :func:`stft`, exact where the spectrum is one."""
    return spectra.istft(spectrum, frame(rate), frame(rate) // 4, samples)
