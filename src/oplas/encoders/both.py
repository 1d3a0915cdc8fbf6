"""Two encoders that listen to the same window: where paired codes of sound come from."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .._errors import ShapeError
from .base import Encoder


class Both(Encoder):
    r""":math:`f(x)=[f_1(x),\,f_2(x)]`: codes of the same moment by two encoders, side by side.

    The window is as long as the longer of theirs and at the higher of their rates; each encoder hears it at its own rate,
    and the one with the shorter window hears its middle.

    >>> from oplas.encoders import chroma, log_mel
    >>> pair = Both(log_mel(), chroma())
    >>> [codes.shape[1] for codes in pair.apart(pair.encode(pair.silence()))] == [pair.first.dim, pair.second.dim]
    True

    Raises:
        ShapeError: the two do not read the same kind of data.
    """

    def __init__(self, first: Encoder, second: Encoder) -> None:
        super().__init__()
        self.first, self.second = first, second
        one, two = (encoder.samples / encoder.rate if encoder.rate else 0.0 for encoder in (first, second))
        if bool(first.rate) != bool(second.rate) or (not first.rate and first.samples != second.samples):
            fact = f"{first.name} reads {_reads(first)}, {second.name} {_reads(second)}"
            raise ShapeError(f"{fact}: no window serves both; give codes that are paired already")
        self.name, self.dim = f"{first.name} + {second.name}", first.dim + second.dim
        self.rate = max(first.rate, second.rate)
        self.samples = math.ceil(max(one, two) * self.rate - 1e-6) if self.rate else first.samples

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([encoder.encode(self._heard(x, encoder)).to(x) for encoder in (self.first, self.second)], 1)

    def apart(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Codes ``[..., dim]`` as those of the first and those of the second."""
        first, second = codes.split([self.first.dim, self.second.dim], -1)
        return first.contiguous(), second.contiguous()

    def _heard(self, x: Tensor, encoder: Encoder) -> Tensor:
        if encoder.rate != self.rate:
            import soxr

            waves = soxr.resample(x.T.cpu().numpy(), self.rate, encoder.rate)
            x = torch.from_numpy(waves).T.to(x)
        short = max(encoder.samples - x.shape[1], 0)
        x = torch.nn.functional.pad(x, (0, short))
        start = (x.shape[1] - encoder.samples) // 2
        return x[:, start : start + encoder.samples]


def _reads(encoder: Encoder) -> str:
    return f"{encoder.samples / encoder.rate:g} s of sound" if encoder.rate else f"rows of {encoder.samples} numbers"
