"""What needs no idea of music: the mixture itself, a crossover, and the best that any mask could do."""

from __future__ import annotations

import torch
from torch import Tensor

from .._errors import ShapeError
from .base import Masking, Separator, stft


class Mixture(Separator):
    """Every part is the mixture, divided by their number: the floor of every table."""

    def __init__(self, parts: int = 2) -> None:
        self.parts = parts

    def split(self, mix: Tensor, rate: int) -> Tensor:
        return (mix / self.parts).expand(self.parts, -1).clone()


class Crossover(Separator):
    """Below and above fixed frequencies (Hz), split in the spectrum of the whole: n frequencies give n + 1 parts."""

    def __init__(self, *hertz: float) -> None:
        self.hertz = hertz or (250.0,)
        self.parts = len(self.hertz) + 1

    def split(self, mix: Tensor, rate: int) -> Tensor:
        spectrum = torch.fft.rfft(mix)
        frequency = torch.fft.rfftfreq(len(mix), 1 / rate).to(mix)
        part = torch.bucketize(frequency, torch.tensor(self.hertz).to(frequency), right=True)
        return torch.stack([torch.fft.irfft(spectrum * (part == i), len(mix)) for i in range(self.parts)])


class Ideal(Masking):
    r"""The ideal ratio mask, :math:`M_i=|S_i|`, made from the true sources: the ceiling of masking, not a method.

    Shape:
        - sources: ``[parts, samples]``
    """

    def __init__(self, sources: Tensor) -> None:
        self.sources, self.parts = sources, len(sources)

    def __repr__(self) -> str:
        return f"Ideal(<{self.parts} sources>)"

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        weights = stft(self.sources, rate).abs()
        if weights.shape[1:] != magnitude.shape:
            raise ShapeError(f"the sources have {self.sources.shape[-1]} samples, the mixture another number; give its own")
        return weights
