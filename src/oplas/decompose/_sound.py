"""Waves as they are given, checked, and brought to another rate."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional

from .._errors import DataError, ShapeError
from ..data.audio import resample


def sound(wav: ArrayLike, rate: int) -> tuple[Tensor, bool]:
    """Rows ``[batch, samples]``, float32, and whether it was one wave ``[samples]``.

    Raises:
        ShapeError: it is neither a wave nor rows of them, or has no samples.
        DataError: it holds NaN or infinity, or the rate is no rate.
    """
    wave = torch.as_tensor(np.asarray(wav)) if not isinstance(wav, Tensor) else wav.detach().cpu()
    if wave.ndim not in (1, 2) or not wave.numel():
        raise ShapeError(f"a mixture is [samples] or [batch, samples], mono and not empty; this is {list(wave.shape)}")
    if not wave.is_floating_point():
        raise DataError(f"the mixture is of {wave.dtype}; give amplitudes in [-1, 1] as floating-point numbers")
    if not bool(wave.isfinite().all()):
        raise DataError("the mixture holds numbers that are not finite; look at the file it came from")
    if rate < 1:
        raise DataError(f"{rate} Hz is no rate; give samples per second, such as 44100")
    return wave.float().reshape(-1, wave.shape[-1]), wave.ndim == 1


def resampled(waves: Tensor, rate: int, to: int, samples: int | None = None) -> Tensor:
    """Waves ``[..., samples]`` at another rate (Hz), cut or followed by silence to ``samples``."""
    if rate != to:
        flat = [torch.from_numpy(resample(row.numpy(), rate, to)) for row in waves.reshape(-1, waves.shape[-1])]
        waves = torch.stack(flat).reshape(*waves.shape[:-1], -1)
    return waves if samples is None else functional.pad(waves, (0, samples - waves.shape[-1]))


def shares(parts: Tensor) -> Tensor:
    """What each part gets of that which no part has, above all pitches higher than the codec hears: as bright as it is there.

    Powers of second differences, a mean over 10 ms or so: ``[batch, parts, samples]``, with sum 1 over the parts.
    """
    bright = functional.pad(parts, (1, 1)).diff(n=2).square()
    power = functional.avg_pool1d(bright, 512, ceil_mode=True, count_include_pad=False)
    power = functional.interpolate(power, parts.shape[-1], mode="linear") + 1e-12
    return power / power.sum(1, keepdim=True)
