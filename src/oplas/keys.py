"""A space of keys learned without labels: twelve numbers a song, which transposition rotates.

Every song is a rotated copy of one shape, the pitch classes of a key; the shape is learned from songs of which nobody says in
what key they are. Labels then say two things only, what the shape's first place is called and which songs are minor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from ._errors import DataError, ShapeError
from .data.notes import Notes
from .data.pop909 import Key
from .functional.cyclic import correlate, shared_shape, shifts

CLASSES = 12


@dataclass(frozen=True)
class KeySpace:
    r"""The map :math:`z_k=\sum_j y_{(j+k)\bmod 12}\log w_j` of pitch-class durations y, with w learned; transposition rotates z.

    In the space's six Fourier planes transposition by t semitones is a rotation by :math:`2\pi f t/12`; in plane 5, by the fifths'.

    >>> scale = torch.zeros(12, dtype=torch.double).index_fill_(0, torch.tensor([0, 2, 4, 5, 7, 9, 11]), 1 / 7)
    >>> space = KeySpace.learn(torch.stack([scale.roll(k) for k in (0, 3, 7, 1, 2)]))
    >>> where = space.place(torch.stack([scale, scale.roll(7)]))
    >>> int((where[1] - where[0]) % 12)
    7
    """

    shape: Tensor
    offset: int | None = None
    mode: Tensor | None = None

    @classmethod
    def learn(cls, durations: Tensor, *, seed: int = 0, starts: int = 4, sharpness: float = 100.0) -> KeySpace:
        """From the pitch-class durations ``[songs, 12]`` of songs in any keys; no label is asked for.

        Raises:
            ShapeError: the durations are not ``[songs, 12]``. DataError: they are negative, empty, NaN, or all alike and flat.
        """
        y = _checked(durations)
        if len(y) < 2 or float((y - y.mean(1, keepdim=True)).abs().max()) < 1e-9:
            raise DataError(
                f"{len(y)} song(s), of pitch classes that sound equally long, cannot show a key's shape; give more, and tonal ones"
            )
        return cls(shared_shape(y, Generator().manual_seed(seed), starts=starts, sharpness=sharpness)[0])

    def latents(self, durations: Tensor) -> Tensor:
        """z, ``[songs, 12]``: how well the shape fits at each rotation, the mean taken off."""
        z = correlate(_checked(durations), self.shape.log())
        return z - z.mean(1, keepdim=True)

    def planes(self, durations: Tensor) -> Tensor:
        """z in its six Fourier planes, as complex numbers ``[songs, 6]``, plane 1 first: t semitones turn plane f by -2πft/12."""
        return torch.fft.rfft(self.latents(durations))[:, 1:]

    def place(self, durations: Tensor) -> Tensor:
        """The rotation that fits best, ``[songs]``; once calibrated, the pitch class of the key signature's major tonic."""
        found = self.latents(durations).argmax(1)
        return found if self.offset is None else (found + self.offset) % CLASSES

    def calibrate(self, durations: Tensor, keys: Sequence[Key], *, ridge: float = 1.0) -> KeySpace:
        """Name the places and tell major from minor by songs whose key is known: one offset, and one logistic regression.

        Raises:
            DataError: no keys, or not one for each song; only one mode among them.
        """
        y = _checked(durations)
        if not keys or len(keys) != len(y):
            raise DataError(f"{len(keys)} keys were given for {len(y)} songs; give one key for each song, and at least one song")
        minor = torch.tensor([key.minor for key in keys], dtype=torch.float64)
        if float(minor.mean()) in (0.0, 1.0):
            raise DataError(f"all {len(keys)} keys have the same mode; to tell major from minor, give songs in both")
        signature = torch.tensor([key.signature for key in keys])
        bare = replace(self, offset=None, mode=None)
        votes = torch.bincount((signature - bare.place(y)) % CLASSES, minlength=CLASSES)
        named = replace(bare, offset=int(votes.argmax()))
        return replace(named, mode=_logistic(named._turned(y), minor, ridge))

    def keys(self, durations: Tensor) -> list[Key]:
        """The key of each song.

        Raises:
            DataError: the space was not calibrated.
        """
        if self.mode is None or self.offset is None:
            raise DataError("this space does not know the names of its keys; calibrate it by songs whose key is known")
        minor = _design(self._turned(_checked(durations))) @ self.mode > 0
        places = self.place(durations).tolist()
        return [Key((place - 3 * less) % CLASSES, less) for place, less in zip(places, minor.tolist(), strict=True)]

    def _turned(self, y: Tensor) -> Tensor:
        """Durations seen from the song's own place."""
        assert self.offset is not None
        k = self.place(y)
        return shifts(y)[torch.arange(len(y)), k]


def durations(songs: Sequence[Notes], classes: int = CLASSES) -> Tensor:
    """How long each pitch class sounds in a song, in shares of all its notes' time, ``[songs, classes]`` float64."""
    rows = [torch.zeros(classes, dtype=torch.float64).index_add_(0, song.pitch % classes, song.length) for song in songs]
    return torch.stack([row / row.sum() for row in rows])


def _checked(y: Tensor) -> Tensor:
    if y.ndim != 2 or y.shape[1] != CLASSES:
        raise ShapeError(
            f"durations of pitch classes are [songs, {CLASSES}]; these are {list(y.shape)}; use oplas.keys.durations(songs)"
        )
    y = y.double()
    if not bool(torch.isfinite(y).all()) or bool((y < 0).any()) or not bool((y.sum(1) > 0).all()):
        raise DataError("durations hold NaN, negative values, or a song without sound; leave that song out")
    return y / y.sum(1, keepdim=True)


def _design(y: Tensor) -> Tensor:
    return torch.cat([10 * (y - 1 / CLASSES), torch.ones(len(y), 1, dtype=y.dtype)], 1)


def _logistic(y: Tensor, target: Tensor, ridge: float, steps: int = 30) -> Tensor:
    """Weights of a ridge logistic regression by Newton's method, the constant last and free."""
    x = _design(y)
    free = ridge * torch.eye(x.shape[1], dtype=x.dtype)
    free[-1, -1] = 1e-9
    weight = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(steps):
        p = torch.sigmoid(x @ weight)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + free
        weight = weight - torch.linalg.solve(hessian, x.T @ (p - target) + free @ weight)
    return weight
