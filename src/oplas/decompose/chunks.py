"""Sound of any length split chunk by chunk, the chunks crossfaded so that the parts add up to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .._errors import DataError, ShapeError
from ..separators import istft, stft

Splitter = Callable[[Tensor, int], Tensor]
"""``(wave [samples], rate) -> [parts, samples]``: a separator, or a decomposition's ``split``."""

GRID = 2**23  # steps of full scale in 24 bits


@dataclass(frozen=True)
class Plan:
    """Where chunks begin: ``hop`` samples apart, each ``fade`` samples into the next, as even as their number allows."""

    frames: int
    hop: int
    fade: int

    @classmethod
    def of(cls, frames: int, rate: int, seconds: float, fade: float) -> Plan:
        """Chunks of at most ``seconds``, ``fade`` seconds of them shared with the next.

        Raises:
            DataError: there is no fade, or it takes more than half of a chunk.
        """
        if not 0 < fade <= seconds / 2:
            raise DataError(f"chunks of {seconds:g} s cannot fade over {fade:g} s; give a fade above 0, up to half of the chunk")
        size, shared = round(seconds * rate), max(round(fade * rate), 1)
        if frames <= size:
            return cls(frames, frames, 0)
        count = -(-(frames - shared) // (size - shared))
        return cls(frames, -(-(frames - shared) // count), shared)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """First sample of each chunk, and the one after its last."""
        for start in range(0, self.frames - self.fade, self.hop):
            yield start, min(start + self.hop + self.fade, self.frames)


def chunked(
    split: Splitter, read: Callable[[int], Tensor], plan: Plan, rate: int, *, exact: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    r"""Blocks of the sound with their parts, from first to last: :math:`p=\sum_k w_k\,p_k,\ \sum_k w_k=1`, w of :math:`\sin^2`.

    What a chunk shares with the next is held back until the next was split; no more than one chunk is ever held.

    Args:
        read: gives the next n samples, ``[channels, n]``.
        exact: have the parts add up to the sound, what is missing shared out equally.

    Shape:
        - yields ``[channels, n]`` and ``[parts, channels, n]``
    """
    rise = torch.sin(torch.linspace(0, torch.pi / 2, plan.fade + 2)[1:-1]).square()
    held, tail = read(0), None
    for start, stop in plan:
        sound = torch.cat([held, read(stop - start - held.shape[-1])], -1)
        parts = parts_of(split, sound, rate)
        if tail is not None:
            parts[..., : plan.fade] = parts[..., : plan.fade] * rise + tail
        ready = sound.shape[-1] - (plan.fade if stop < plan.frames else 0)
        tail, held = parts[..., ready:] * rise.flip(0)[: parts.shape[-1] - ready], sound[..., ready:]
        sound, parts = sound[..., :ready], parts[..., :ready]
        yield sound, summing(parts, sound) if exact else parts


def parts_of(split: Splitter, sound: Tensor, rate: int) -> Tensor:
    r"""Parts of every channel, ``[channels, n] -> [parts, channels, n]``.

    One channel is split as it is. Of several, their mean is split into :math:`P_i`, and every channel's spectrum is shared out as
    the mean's was, :math:`|P_i|/\sum_j|P_j|`: each part stays where it was in the stereo image, and all channels agree on what
    belongs to which part.

    Raises:
        ShapeError: the splitter gives another number of samples than it got.
    """
    mono = sound.mean(0)
    padded = torch.nn.functional.pad(mono, (0, max(rate - len(mono), 0)))  # a second is enough for every splitter
    found = split(padded, rate)
    if found.ndim != 2 or found.shape[1] != len(padded):
        raise ShapeError(f"the splitter made {list(found.shape)} of {len(padded)} samples; it has to give [parts, samples]")
    if len(sound) == 1:
        return found[:, None, : len(mono)].clone()
    weights = stft(found, rate).abs()
    total = weights.sum(0)
    shares = torch.where(total > 1e-12, weights / total.clamp_min(1e-12), 1 / len(found))
    wide = torch.nn.functional.pad(sound, (0, len(padded) - len(mono)))
    channels = [istft(shares * stft(each, rate), rate, len(padded))[..., : len(mono)] for each in wide]  # one by one: memory
    return torch.stack(channels, 1)


def summing(parts: Tensor, sound: Tensor) -> Tensor:
    """Parts whose sum is the sound: all but the last on the grid of 24 bits, the last takes what is then missing.

    Where the sound lies on that grid, as 16 and 24 bit files do, they add up bit for bit.
    """
    parts = parts + (sound - parts.sum(0)) / len(parts)
    parts = (parts * GRID).round() / GRID
    return torch.cat([parts[:-1], (sound - parts[:-1].sum(0))[None]])
