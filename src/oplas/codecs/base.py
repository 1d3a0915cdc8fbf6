"""The face of a codec: sound to a few numbers a frame, and back, alone or as a part of a mixture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .. import _artefact
from .._errors import DataError, ShapeError
from .._spelled import Spelled
from .._told import Told, figure
from ..functional.separation import si_sdr
from ..functional.spectra import istft, stft

#: The spectrum in which parts share a mixture out, samples: 85 and 21 ms at 24 kHz.
FRAME, STEP = 2048, 512


@dataclass(frozen=True)
class Ceiling(Told):
    """The best that anything which works in a codec can reach: SI-SDR (dB) of sources that were only encoded and decoded.

    Attributes:
        shared: all parts decoded with the mixture, which they share out: the ideal mask in this codec.
        single: each part decoded with the mixture, the other parts not known.
        alone: each part decoded without the mixture.
    """

    shared: float
    single: float
    alone: float

    def __str__(self) -> str:
        names = (f"{name} {figure(getattr(self, name), 2)}" for name in ("shared", "single", "alone"))
        return f"ceiling, SI-SDR in dB: {', '.join(names)}"


class Codec(Spelled, nn.Module, ABC):
    r"""Sound to codes and back. With the mixture X at hand, parts share its spectrum out by their power,

    .. math:: \hat X_i = \frac{m_i^2}{\sum_j m_j^2} X,

    where m are the magnitudes that the codes stand for: parts keep the mixture's phase and add up to it exactly. The share of a
    part that comes alone is :math:`\min(m^2/m_X^2, 1)`, with the mixture's magnitudes as the codec hears them.

    Attributes:
        rate: samples per second; sound of another rate is the caller's to resample.
        channels: numbers a frame, C.
        hop: samples a frame.
    """

    name: str
    rate: int
    channels: int
    hop: int

    def frames(self, samples: int) -> int:
        """Frames T of so many samples: whole hops, the last filled up with silence."""
        return -(-samples // self.hop)

    def samples(self, frames: int) -> int:
        """The most samples that have so many frames."""
        return frames * self.hop

    @property
    def identity(self) -> str:
        """Hash of settings and weights: two codecs with the same identity give the same codes."""
        told = f"{type(self).__name__} {self.name} {self.rate} {self.channels} {self.hop}"
        return _artefact.identity(told, self.state_dict())

    def encode(self, wav: Tensor) -> Tensor:
        """Codes of sound, ``[..., samples] -> [..., C, T]``; the code of silence is zero.

        Raises:
            ShapeError: there are no samples.
            DataError: they are not finite, or are no floating-point numbers.
        """
        self._check(wav, "the sound")
        return self.code(wav.reshape(-1, wav.shape[-1])).reshape(*wav.shape[:-1], self.channels, -1)

    def decode(self, z: Tensor, mix: Tensor | None = None, *, samples: int | None = None) -> Tensor:
        """Sound of codes, ``[..., C, T] -> [..., samples]``; a code of zero is silent.

        With ``mix`` ``[..., samples]``, codes ``[..., n, C, T]`` are all its parts and add up to it; ``[..., C, T]`` is one part.

        Args:
            samples: how many, where T frames leave it open and there is no mixture.

        Raises:
            ShapeError: codes, mixture and samples do not fit each other.
            DataError: a number is not finite.
        """
        length = self._length(z, mix, samples)
        return self.sound(z, length) if mix is None else istft(self.shared(z, mix), FRAME, STEP, length)

    def ceiling(self, sources: Tensor) -> Ceiling:
        """What is lost by encoding and decoding alone, for sources that sum to a mixture; the mean over all.

        Shape:
            - sources: ``[..., n, samples]`` at ``rate``

        Raises:
            ShapeError, DataError: as :meth:`encode`; a source is silent.
        """
        with torch.no_grad():
            mix, z = sources.sum(-2), self.encode(sources)
            apart = mix.unsqueeze(-2).expand_as(sources)
            heard = self.decode(z, mix), self.decode(z, apart), self.decode(z, samples=sources.shape[-1])
            return Ceiling(*(float(si_sdr(sources, each).mean()) for each in heard))

    @abstractmethod
    def code(self, wav: Tensor) -> Tensor:
        """``[batch, samples] -> [batch, C, T]``."""

    @abstractmethod
    def sound(self, z: Tensor, samples: int) -> Tensor:
        """Sound of codes without a mixture, ``[..., C, T] -> [..., samples]``."""

    def magnitudes(self, z: Tensor, samples: int) -> Tensor:
        """Magnitudes that codes stand for, ``[..., C, T] -> [..., bins, frames]`` of a spectrum with ``FRAME`` and ``STEP``."""
        return stft(self.sound(z, samples), FRAME, STEP).abs()

    def shared(self, z: Tensor, mix: Tensor) -> Tensor:
        """The mixture's spectrum shared out among parts ``[..., n, C, T]``, or that of one; ``[..., n, bins, frames]``, complex."""
        spectrum, samples = stft(mix, FRAME, STEP), mix.shape[-1]
        part = self.magnitudes(z, samples).to(mix)
        least = torch.finfo(mix.dtype).tiny
        if z.ndim == mix.ndim + 1:
            whole = self.magnitudes(self.encode(mix), samples).to(mix)
            return (part / whole.clamp_min(least)).clamp_max(1).square() * spectrum
        peak = part.amax(-3, keepdim=True)
        power = torch.where(peak > 0, part / peak.clamp_min(least), 1).square()
        return power / power.sum(-3, keepdim=True) * spectrum.unsqueeze(-3)

    def _length(self, z: Tensor, mix: Tensor | None, samples: int | None) -> int:
        """Samples that codes are to have, if codes, mixture and length fit each other."""
        if z.ndim < 2 or z.shape[-2] != self.channels or not z.numel():
            raise ShapeError(f"{self!r} decodes codes [..., {self.channels}, frames], not empty; these are {list(z.shape)}")
        if not bool(z.isfinite().all()):
            raise DataError("the codes hold numbers that are not finite; look at the model that made them")
        length = self.samples(z.shape[-1]) if samples is None else samples
        if mix is not None:
            self._check(mix, "the mixture")
            lead, length = mix.shape[:-1], mix.shape[-1]
            if z.shape[:-2] != lead and (z.ndim < 3 or z.shape[:-3] != lead):
                expected = f"{[*lead, self.channels, 'T']} or {[*lead, 'parts', self.channels, 'T']}"
                raise ShapeError(f"codes {list(z.shape)} are no parts of mixtures {list(mix.shape)}; give {expected}")
            if samples not in (None, length):
                raise ShapeError(f"the mixture has {length} samples, {samples} were asked for; leave one out")
        if length < 1 or self.frames(length) != z.shape[-1]:
            fact = f"{length} samples have {self.frames(max(length, 1))} frames of {self.hop} samples, the codes {z.shape[-1]}"
            raise ShapeError(f"{fact}; encode and decode the same length")
        return length

    def _check(self, wav: Tensor, what: str) -> None:
        if wav.ndim < 1 or not wav.numel():
            raise ShapeError(f"{what} has shape {list(wav.shape)} and no samples; give [..., samples] at {self.rate} Hz")
        if not wav.is_floating_point():
            raise DataError(f"{what} is of {wav.dtype}; give amplitudes in [-1, 1] as floating-point numbers")
        if not bool(wav.isfinite().all()):
            raise DataError(f"{what} holds numbers that are not finite; look at the file it came from")
