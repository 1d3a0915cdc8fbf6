"""A constant-Q code cut out of a wider one: cutting elsewhere is transposition."""

from __future__ import annotations

from torch import Tensor

from .base import Encoder, freeze
from .spectral import cqt


class CroppedCQT(Encoder):
    """Power by semitone, ``bins`` of them, with ``margin`` more on either side that only transposition looks at.

    ``crop(wide, t)`` is the code of the sound t semitones higher, as far as a constant-Q transform can tell.
    """

    def __init__(self, bins: int, margin: int, low: float, seconds: float, rate: int, in_decibels: bool) -> None:
        super().__init__()
        self.wide = cqt(bins + 2 * margin, low * 2 ** (-margin / 12), seconds, 1, rate, in_decibels)
        self.name, self.dim, self.margin = f"cqt, {bins} of {bins + 2 * margin} bins", bins, margin
        self.rate, self.samples = self.wide.rate, self.wide.samples

    def forward(self, x: Tensor) -> Tensor:
        return self.crop(self.wide(x), 0)

    def crop(self, wide: Tensor, semitones: int) -> Tensor:
        """The code ``[n, bins]`` of a wide code ``[n, bins + 2 margin]``, moved up by so many semitones, at most the margin."""
        if abs(semitones) > self.margin:
            raise ValueError(f"the margin is {self.margin} semitones; {semitones} were asked for")
        start = self.margin - semitones
        return wide[:, start : start + self.dim]


def cropped_cqt(
    bins: int = 60, margin: int = 12, low: float = 65.406, seconds: float = 3.0, rate: int = 16000, in_decibels: bool = False
) -> CroppedCQT:
    """Power by semitone from ``low`` Hz (default C2 to B6), for :class:`oplas.actions.harmony.CropShift`."""
    encoder = CroppedCQT(bins, margin, low, seconds, rate, in_decibels)
    freeze(encoder)
    return encoder
