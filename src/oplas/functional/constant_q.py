"""The constant-Q transform, octave by octave in the frequency domain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .._errors import ShapeError
from .spectra import pool


@dataclass(frozen=True)
class Octave:
    """Frequency responses of up to an octave of filters, on the stretch of the spectrum where they are not zero.

    Shape:
        - response: ``[bins, width]``, real, from bin ``start`` of a Fourier transform of ``length`` samples
    """

    response: Tensor
    start: int
    length: int


def filter_lengths(rate: int, low: float, bins: int, per_octave: int) -> tuple[Tensor, Tensor]:
    r"""Centre frequencies (Hz) :math:`f_k = f_0 2^{k/B}` and lengths (samples) :math:`Q r / f_k`, such that neighbours just meet.

    :math:`Q = (\rho^2 + 1) / (\rho^2 - 1)` with :math:`\rho = 2^{1/B}`. Shape of both: ``[bins]``.
    """
    frequency = low * 2.0 ** (torch.arange(bins, dtype=torch.float64) / per_octave)
    ratio = 2.0 ** (2 / per_octave)
    return frequency, (ratio + 1) / (ratio - 1) * rate / frequency


def constant_q_filters(rate: int, samples: int, low: float = 32.703, bins: int = 84, per_octave: int = 12) -> list[Octave]:
    r"""Hann-windowed complex exponentials of unit window sum, as frequency responses, for windows of ``samples``.

    .. math:: w_k[n] = \tfrac{1}{L_k}\big(1 + \cos(2\pi n / L_k)\big)\, e^{2\pi i f_k n / r}, \qquad |n| \le L_k / 2

    Raises:
        ShapeError: the highest filter would reach beyond half the sampling rate.
    """
    frequency, lengths = filter_lengths(rate, low, bins, per_octave)
    top = float(frequency[-1] * (1 + 2 / (lengths[-1] * frequency[-1] / rate)))
    if top > rate / 2:
        raise ShapeError(f"the highest of {bins} filters reaches {top:.0f} Hz, beyond {rate / 2:.0f} Hz; ask for fewer bins")
    length = 2 ** math.ceil(math.log2(samples + float(lengths[0])))
    octaves = []
    for first in range(0, bins, per_octave):
        group = slice(first, first + per_octave)
        # Half an octave to both sides: a Hann filter's response has fallen below -50 dB there.
        start = int(frequency[group][0] / math.sqrt(2) * length / rate)
        width = _fast(int(frequency[group][-1] * math.sqrt(2) * length / rate) - start)
        width = min(width, length // 2 - start)
        offset = torch.arange(start, start + width, dtype=torch.float64) / length - frequency[group, None] / rate
        octaves.append(Octave(_hann_response(offset * lengths[group, None]).float(), start, length))
    return octaves


def _fast(width: int) -> int:
    """The next length that is a multiple of a large power of two, for which transforms are quick."""
    step = 2 ** max(width.bit_length() - 4, 0)
    return -(-width // step) * step


def _hann_response(cycles: Tensor) -> Tensor:
    """Fourier transform of a Hann window of unit sum, at so many cycles per window length."""
    inside = 1 - cycles**2
    limit = inside.abs() < 1e-9
    return torch.where(limit, 0.5, torch.sinc(cycles) / torch.where(limit, 1.0, inside))


def constant_q_power(x: Tensor, octaves: list[Octave], segments: int = 1) -> Tensor:
    r"""Mean over time of :math:`|x * w_k|^2`, lowest filter first (J. Brown 1991; by octaves as G. Velasco et al. 2011).

    A tone of amplitude a at a filter's centre has power :math:`a^2/4` there. Beyond its ends the window is taken as silent.

    Shape:
        - x: ``[batch, samples]``
        - returns ``[batch, bins, segments]``
    """
    spectrum = torch.fft.rfft(x, octaves[0].length)
    rows = []
    for octave in octaves:
        width = octave.response.shape[-1]
        band = spectrum[:, None, octave.start : octave.start + width] * octave.response
        wave = torch.fft.ifft(band) * (width / octave.length)
        heard = round(x.shape[-1] * width / octave.length)
        rows.append(pool((wave.real.square() + wave.imag.square())[..., :heard], segments))
    return torch.cat(rows, 1)
