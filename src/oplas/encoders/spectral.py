"""Exact front ends: nothing is learned in them. Their powers are additive for independent sources, so they are the
positive controls of every mixing experiment, and they need no weights."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from .._errors import ShapeError
from ..functional.constant_q import Octave, constant_q_filters, constant_q_power
from ..functional.spectra import chroma_filters, decibels, mel_filters, pool, power_spectrogram
from .base import Encoder, freeze, portions


class Spectral(Encoder):
    r"""Mean power in bands, over ``segments`` equal stretches of the window; optionally in dB.

    .. math:: y_{sb} = \frac{1}{|T_s|} \sum_{t \in T_s} P_{bt} \qquad\text{or}\qquad 10 \log_{10} \max(y_{sb}, 10^{-10})

    Shape:
        - y: ``[batch, segments * bands]``, all bands of the first segment first
    """

    def __init__(self, name: str, bands: int, seconds: float, segments: int, rate: int, in_decibels: bool) -> None:
        super().__init__()
        self.samples = round(seconds * rate)
        if min(bands, segments, self.samples) < 1:
            raise ShapeError(
                f"{name} needs at least one band, segment and sample; asked for {bands} bands, {segments} segments, {seconds} s"
            )
        self.name = f"{name}({bands} x {segments}{', dB' if in_decibels else ''})"
        self.rate, self.dim, self.segments, self.in_decibels = rate, bands * segments, segments, in_decibels

    @abstractmethod
    def power(self, x: Tensor) -> Tensor:
        """Mean power, ``[batch, bands, segments]``."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.power(part) for part in portions(x, 8)]).transpose(1, 2).flatten(1)
        return decibels(y) if self.in_decibels else y


class Filterbank(Spectral):
    """Weighted sums of a short-time power spectrum (Hann window); ``filters`` is ``[bands, n_fft // 2 + 1]``."""

    window: Tensor
    filters: Tensor

    def __init__(
        self, name: str, filters: Tensor, hop: int, seconds: float, segments: int, rate: int, in_decibels: bool = False
    ) -> None:
        super().__init__(name, len(filters), seconds, segments, rate, in_decibels)
        self.stride = hop
        n_fft = 2 * (filters.shape[1] - 1)
        if self.samples <= n_fft // 2 or self.samples // hop + 1 < segments:
            raise ShapeError(
                f"{seconds} s at {rate} Hz are {self.samples} samples: too few for {segments} segments of frames of {n_fft}; "
                "ask for longer windows or fewer segments"
            )
        self.register_buffer("window", torch.hann_window(n_fft))
        self.register_buffer("filters", filters)

    def power(self, x: Tensor) -> Tensor:
        # Filters are linear: pooling the spectrum first gives the same power for far fewer products.
        return self.filters @ pool(power_spectrogram(x, self.window, self.stride), self.segments)


class ConstantQ(Spectral):
    """Power in constant-Q filters, pooled at full time resolution."""

    def __init__(self, octaves: list[Octave], seconds: float, segments: int, rate: int, in_decibels: bool = False) -> None:
        super().__init__("cqt", sum(len(octave.response) for octave in octaves), seconds, segments, rate, in_decibels)
        self._places = [(octave.start, octave.length) for octave in octaves]
        for index, octave in enumerate(octaves):
            self.register_buffer(f"octave{index}", octave.response)

    def power(self, x: Tensor) -> Tensor:
        octaves = [Octave(getattr(self, f"octave{index}"), *place) for index, place in enumerate(self._places)]
        return constant_q_power(x, octaves, self.segments)


def power_mel(bands: int = 96, seconds: float = 3.0, segments: int = 3, rate: int = 16000) -> Encoder:
    """Mel power (HTK scale, 0 Hz to ``rate / 2``, frames of 1024 samples every 512): silence is exactly the origin.

    >>> power_mel().dim
    288
    """
    return freeze(Filterbank("power_mel", mel_filters(rate, 1024, bands), 512, seconds, segments, rate))


def log_mel(bands: int = 96, seconds: float = 3.0, segments: int = 3, rate: int = 16000) -> Encoder:
    """:func:`power_mel` in dB, not below -100: what most audio networks see first."""
    return freeze(Filterbank("log_mel", mel_filters(rate, 1024, bands), 512, seconds, segments, rate, in_decibels=True))


def chroma(seconds: float = 3.0, segments: int = 3, rate: int = 16000, in_decibels: bool = False) -> Encoder:
    """Power by pitch class, C first (frames of 4096 samples every 1024); not normalised, so that it adds."""
    return freeze(Filterbank("chroma", chroma_filters(rate, 4096), 1024, seconds, segments, rate, in_decibels))


def cqt(
    bins: int = 84, low: float = 32.703, seconds: float = 3.0, segments: int = 3, rate: int = 16000, in_decibels: bool = False
) -> Encoder:
    """Power by semitone, ``bins`` of them from ``low`` Hz (default C1 to B7)."""
    octaves = constant_q_filters(rate, round(seconds * rate), low, bins)
    return freeze(ConstantQ(octaves, seconds, segments, rate, in_decibels))
