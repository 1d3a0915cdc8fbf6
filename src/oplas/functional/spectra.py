"""Spectra of windows of sound: power, mel and chroma, quadratic forms of the samples; the complex spectrum and its inverse.

Conventions: ``x`` is amplitude, ``[batch, samples]``; frequencies are in Hz, ``rate`` in samples per second, ``hop`` and
``n_fft`` in samples; powers are squared magnitudes, unscaled; decibels are relative to a power of 1.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from .._errors import ShapeError

MelScale = Literal["htk", "slaney"]

#: Slaney's scale: 3 mel per 200 Hz up to 1 kHz, then 27 mel per factor of 6.4.
_LINEAR, _KNEE, _STEP = 200.0 / 3.0, 1000.0, math.log(6.4) / 27.0


def hertz_to_mel(frequency: Tensor, scale: MelScale = "htk") -> Tensor:
    r"""Pitch on the mel scale: HTK's :math:`2595 \log_{10}(1 + f/700)`, or Slaney's, linear up to 1 kHz and then logarithmic.

    >>> hertz_to_mel(torch.tensor([1000.0]), "slaney")
    tensor([15.])
    """
    if scale == "htk":
        return 2595.0 * torch.log10(1.0 + frequency / 700.0)
    upper = _KNEE / _LINEAR + torch.log(frequency.clamp_min(_KNEE) / _KNEE) / _STEP
    return torch.where(frequency < _KNEE, frequency / _LINEAR, upper)


def mel_to_hertz(mel: Tensor, scale: MelScale = "htk") -> Tensor:
    """Inverse of :func:`hertz_to_mel`."""
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    upper = _KNEE * torch.exp(_STEP * (mel - _KNEE / _LINEAR))
    return torch.where(mel < _KNEE / _LINEAR, mel * _LINEAR, upper)


def mel_filters(
    rate: int,
    n_fft: int,
    bands: int,
    low: float = 0.0,
    high: float | None = None,
    scale: MelScale = "htk",
    norm: bool = False,
) -> Tensor:
    """Triangles, equally spaced on the mel scale between ``low`` and ``high`` Hz (default ``rate / 2``).

    Args:
        norm: divide every triangle by its area in Hz (Slaney's convention) instead of giving it a peak of 1.

    Shape:
        - returns ``[bands, n_fft // 2 + 1]``
    """
    high = rate / 2 if high is None else high
    ends = hertz_to_mel(torch.tensor([low, high], dtype=torch.float64), scale)
    corners = mel_to_hertz(torch.linspace(float(ends[0]), float(ends[1]), bands + 2, dtype=torch.float64), scale)
    bins = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = torch.minimum((bins - left) / (peak - left), (right - bins) / (right - peak)).clamp_min(0)
    return (triangles * 2 / (right - left) if norm else triangles).float()


def power_spectrogram(x: Tensor, window: Tensor, hop: int) -> Tensor:
    r"""Squared magnitude of the short-time Fourier transform, frames centred on multiples of ``hop``, ends mirrored.

    .. math:: P_{kt} = \Big|\sum_n w_n\, x_{n + t h - N/2}\, e^{-2\pi i k n / N}\Big|^2

    Shape:
        - x: ``[batch, samples]``; window: ``[n_fft]``
        - returns ``[batch, n_fft // 2 + 1, 1 + samples // hop]``

    Raises:
        ShapeError: x is too short to be mirrored by half a frame.
    """
    if x.shape[-1] <= len(window) // 2:
        raise ShapeError(f"a window of {x.shape[-1]} samples is shorter than half a frame of {len(window)}; use longer windows")
    frames = torch.stft(x, len(window), hop, window=window, center=True, pad_mode="reflect", return_complex=True)
    return frames.real.square() + frames.imag.square()


def pool(power: Tensor, segments: int) -> Tensor:
    """Mean over time in ``segments`` equal stretches (to a frame): ``[..., frames]`` to ``[..., segments]``."""
    return torch.stack([part.mean(-1) for part in power.tensor_split(segments, -1)], -1)


def decibels(power: Tensor, floor: float = 1e-10) -> Tensor:
    r"""Level in dB, :math:`10 \log_{10} \max(p, \text{floor})`.

    >>> decibels(torch.tensor([0.0, 1.0, 100.0]))
    tensor([-100.,    0.,   20.])
    """
    return 10.0 * torch.log10(power.clamp_min(floor))


def chroma_filters(rate: int, n_fft: int, classes: int = 12) -> Tensor:
    """Weights that fold a spectrum onto pitch classes, C first, A4 = 440 Hz (D. Ellis, "Chroma feature analysis", 2007).

    Every bin spreads as a Gaussian of its own width over the classes, weighted towards the octaves around 440 Hz.

    Shape:
        - returns ``[classes, n_fft // 2 + 1]``
    """
    bins = torch.arange(1, n_fft, dtype=torch.float64) * rate / n_fft
    steps = classes * torch.log2(bins / 27.5)
    steps = torch.cat([steps[:1] - 1.5 * classes, steps])  # the constant bin has no pitch: far below the first
    width = torch.cat([steps.diff().clamp_min(1.0), steps.new_ones(1)])
    half = round(classes / 2)
    distance = torch.remainder(steps - torch.arange(classes, dtype=torch.float64)[:, None] + half, classes) - half
    weights = torch.exp(-0.5 * (2 * distance / width) ** 2)
    weights = weights / weights.norm(dim=0, keepdim=True).clamp_min(1e-300)
    weights = weights * torch.exp(-0.5 * ((steps / classes - 5.0) / 2.0) ** 2)
    return weights.roll(-3 * (classes // 12), 0)[:, : n_fft // 2 + 1].float()


def interpolation(bins: int, bands: int) -> Tensor:
    r"""Triangles over the bins that sum to one in every bin: band values between which bins are interpolated linearly.

    Band j has its peak at bin :math:`c_j = k\big((1 + \tfrac{K-1}{k})^{j/(B-1)} - 1\big)`, K bins and B bands: a mel scale, linear
    below the corner k and logarithmic above, whose corner is such that the lowest two bands are one bin apart.

    Shape:
        - returns ``[bands, bins]``

    Raises:
        ShapeError: fewer than two bands, or more bands than bins.

    >>> interpolation(5, 3)
    tensor([[1.0000, 0.0000, 0.0000, 0.0000, 0.0000],
            [0.0000, 1.0000, 0.6667, 0.3333, 0.0000],
            [0.0000, 0.0000, 0.3333, 0.6667, 1.0000]])
    """
    if not 2 <= bands <= bins:
        raise ShapeError(f"{bands} bands of {bins} bins; ask for at least 2, at most as many as there are bins")
    low, high = math.log(1e-3), math.log(1e12 * bins)
    rise = torch.linspace(0, 1, bands, dtype=torch.float64)
    for _ in range(100):
        corner = math.exp((low + high) / 2)
        peaks = corner * torch.expm1(rise * math.log1p((bins - 1) / corner))
        low, high = (math.log(corner), high) if peaks[1] < 1 else (low, math.log(corner))
    peaks[-1] = bins - 1
    bin = torch.arange(bins, dtype=torch.float64)
    left = torch.searchsorted(peaks, bin + 1e-6, right=True).clamp(1, bands - 1) - 1
    share = ((bin - peaks[left]) / (peaks[left + 1] - peaks[left])).clamp(0, 1).round(decimals=6)
    one = torch.eye(bands, dtype=torch.float64)
    return (one[:, left] * (1 - share) + one[:, left + 1] * share).float()


def stft(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Short-time spectrum, Hann window, frames centred on multiples of ``hop``, silence beyond the ends.

    Shape:
        - x: ``[..., samples]`` · returns ``[..., n_fft // 2 + 1, 1 + samples // hop]``, complex
    """
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    flat = torch.stft(x.reshape(-1, x.shape[-1]), n_fft, hop, window=window, pad_mode="constant", return_complex=True)
    return flat.reshape(*x.shape[:-1], *flat.shape[1:])


def istft(spectrum: Tensor, n_fft: int, hop: int, samples: int) -> Tensor:
    """The inverse of :func:`stft`, exact where the spectrum is one; else the sound whose spectrum is nearest."""
    window = torch.hann_window(n_fft, dtype=spectrum.real.dtype, device=spectrum.device)
    flat = torch.istft(spectrum.reshape(-1, *spectrum.shape[-2:]), n_fft, hop, window=window, length=samples)
    return flat.reshape(*spectrum.shape[:-2], samples)


def griffin_lim(magnitude: Tensor, n_fft: int, hop: int, samples: int, rounds: int = 32, seed: int = 0) -> Tensor:
    r"""A sound whose spectrum has about this magnitude: phases start at random and are made consistent, round by round.

    D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", 1984,
    https://doi.org/10.1109/TASSP.1984.1164317, with the momentum 0.99 of N. Perraudin, P. Balazs, P. L. Søndergaard, "A fast
    Griffin-Lim algorithm", 2013, https://doi.org/10.1109/WASPAA.2013.6701851.

    Shape:
        - magnitude: ``[..., n_fft // 2 + 1, 1 + samples // hop]`` · returns ``[..., samples]``
    """
    one = magnitude[(0,) * (magnitude.ndim - 2)]  # every row starts alike, so that none depends on its neighbours
    phase = 2 * math.pi * torch.rand(one.shape, generator=torch.Generator().manual_seed(seed)).to(magnitude)
    spectrum, before = torch.polar(magnitude, phase.expand_as(magnitude)), torch.zeros_like(magnitude)
    for _ in range(rounds):
        near = stft(istft(spectrum, n_fft, hop, samples), n_fft, hop)
        ahead, before = near + 0.99 * (near - before), near
        spectrum = ahead * (magnitude / ahead.abs().clamp_min(1e-12))
    return istft(spectrum, n_fft, hop, samples)
