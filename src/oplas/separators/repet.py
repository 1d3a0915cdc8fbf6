"""A background that repeats: at one period, or wherever a frame is like another."""

from __future__ import annotations

import torch
from torch import Tensor

from .._errors import ShapeError
from .base import Masking, frame


class REPET(Masking):
    r"""Parts: repeating, the rest. The period p is the lag at which frames' energies agree best; the background is the median of
    the frames p apart, never above the mixture: :math:`M=\min(\mathrm{med}_k|X_{t+kp}|,|X|)`.

    Z. Rafii & B. Pardo, "REpeating Pattern Extraction Technique (REPET): a simple method for music/voice separation", 2013,
    https://doi.org/10.1109/TASL.2012.2213249.
    """

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        lag = period(magnitude)
        frames = magnitude.shape[1]
        rounds = -(-frames // lag)
        padded = torch.nn.functional.pad(magnitude, (0, rounds * lag - frames), value=torch.nan)
        background = padded.reshape(len(magnitude), rounds, lag).nanmedian(1).values.repeat(1, rounds)[:, :frames]
        return _shares(magnitude, background)


class REPETSIM(Masking):
    r"""REPET without a period: a frame's background is the median of the frames most like it (cosine), a second apart.

    Z. Rafii & B. Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012,
    https://archives.ismir.net/ismir2012/paper/000583.pdf.
    """

    def __init__(self, frames: int = 20) -> None:
        self.frames = frames

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        unit = magnitude / magnitude.norm(dim=0).clamp_min(1e-12)
        alike, apart = unit.T @ unit, max(4 * rate // frame(rate), 1)
        chosen: list[Tensor] = []
        for _ in range(max(min(self.frames, magnitude.shape[1] // (apart + 1)), 1)):
            best = alike.argmax(1)
            chosen.append(best)
            near = (torch.arange(alike.shape[1]) - best[:, None]).abs() < apart
            alike = alike.masked_fill(near, -torch.inf)
        return _shares(magnitude, magnitude[:, torch.stack(chosen)].median(1).values)


def period(magnitude: Tensor) -> int:
    """The repeating period, frames: the lag with the highest autocorrelation of power, up to a third of the whole.

    Raises:
        ShapeError: fewer than six frames.
    """
    frames = magnitude.shape[1]
    if frames < 6:
        raise ShapeError(f"{frames} frames are too few to repeat anything; give a longer mixture")
    power = torch.fft.rfft(magnitude.square(), n=2 * frames)
    beat = torch.fft.irfft(power.abs().square(), n=2 * frames)[:, :frames].mean(0) / torch.arange(frames, 0, -1)
    first = max(2, frames // 40)
    return first + int(beat[first : max(frames // 3, first + 1)].argmax())


def _shares(magnitude: Tensor, background: Tensor) -> Tensor:
    background = torch.minimum(background, magnitude)
    return torch.stack([background, magnitude - background])
