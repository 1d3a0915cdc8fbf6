"""What repeats shows as peaks in the two-dimensional Fourier transform of the spectrogram."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Masking


class FT2D(Masking):
    r"""Parts: repeating, the rest: the peaks of :math:`|\mathcal F_2|X||` along its rate axis, and all else, turned back.

    P. Seetharaman, F. Pishdadian, B. Pardo, "Music/voice separation using the 2D Fourier transform", WASPAA 2017,
    https://interactiveaudiolab.github.io/assets/papers/seetharaman_pishdadian_pardo_waspaa.pdf.

    Args:
        neighbourhood: bins of the rate axis among which a peak is the highest.
    """

    def __init__(self, neighbourhood: int = 25) -> None:
        self.neighbourhood = neighbourhood

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        transform = torch.fft.fft2(magnitude)
        height, around = transform.abs(), self.neighbourhood // 2
        padded = torch.nn.functional.pad(height[None], (around, around), mode="circular")[0]
        windows = padded.unfold(1, 2 * around + 1, 1)
        high, low = windows.amax(-1), windows.amin(-1)
        peak = (height == high) & (high - low > height.std())
        repeating, rest = (torch.fft.ifft2(transform * which).real.clamp_min(0) for which in (peak, ~peak))
        return torch.stack([repeating, rest])
