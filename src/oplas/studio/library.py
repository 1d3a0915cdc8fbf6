"""What a studio shows: a space, points in it, what is known of each, and how to hear or see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError, ShapeError
from ..algebra import Calibration
from ..data.notes import Notes
from ..faders import FaderSet
from ..keys import KeySpace
from ..space import Space


@dataclass(frozen=True)
class Category:
    """A column of words: ``codes [n]`` into ``values``, -1 where unknown."""

    codes: np.ndarray
    values: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str | None]) -> Category:
        """From one word a row, None where unknown."""
        values = tuple(sorted({word for word in words if word is not None}))
        place: dict[str | None, int] = {word: code for code, word in enumerate(values)}
        return cls(np.array([place.get(word, -1) for word in words], np.int32), values)


@dataclass(frozen=True)
class Number:
    """A column of numbers ``[n]``, NaN where unknown."""

    values: np.ndarray


@dataclass(frozen=True)
class Score:
    """Notes, and how fast they are played (beats a minute)."""

    notes: Notes
    tempo: float


class Source(Protocol):
    """Where the points' data are: each method gives None where there is nothing of the kind."""

    audio: bool
    rolls: bool

    def sound(self, i: int) -> np.ndarray | None:
        """The window of point i, ``[samples]`` at the encoder's rate."""
        ...

    def score(self, i: int) -> Score | None:
        """The notes of point i's window."""
        ...

    def window(self, score: Score) -> np.ndarray | None:
        """Notes as the encoder reads them, ``[samples]``; None where it hears sound."""
        ...


class Nothing:
    """Latents alone."""

    audio = rolls = False

    def sound(self, i: int) -> np.ndarray | None:
        return None

    def score(self, i: int) -> Score | None:
        return None

    def window(self, score: Score) -> np.ndarray | None:
        return None


@dataclass(frozen=True)
class Songs:
    """Whole songs for the ring: their scores, and the first point of each."""

    names: tuple[str, ...]
    scores: tuple[Score, ...]
    first: tuple[int | None, ...]
    keys: KeySpace
    why: str


@dataclass
class Library:
    """A space and points in it.

    Shape:
        - z: ``[n, width]`` float32

    Raises:
        ShapeError: the latents are of another width, or a column of another length.
        DataError: there is no point, or a latent is not finite.
    """

    name: str
    space: Space
    z: np.ndarray
    names: Sequence[str]
    columns: dict[str, Category | Number] = field(default_factory=dict)
    starts: np.ndarray | None = None
    source: Source = field(default_factory=Nothing)
    songs: Songs | None = None
    files: Sequence[str] = ()
    """What expressions call the points of one file; with ``@start`` one of its windows. Default: their names."""
    faders: FaderSet | None = None
    calibration: Calibration | None = None
    certificate: dict[str, object] | None = None
    demo: bool = False
    exact: str = ""
    """Why every law of the space holds by construction, where it does."""

    def __post_init__(self) -> None:
        if not len(self.z):
            raise DataError(f"{self.name} has no points to show; add files to its index, or name a folder of songs")
        if self.z.ndim != 2 or self.z.shape[1] != self.space.width:
            raise ShapeError(
                f"the points of {self.name} are {list(self.z.shape)}, the space has {self.space.width} dimensions; "
                "they were made by another space: index them again with this one"
            )
        if not np.isfinite(self.z).all():
            raise DataError(f"{self.name} holds points that are NaN or infinite; index its files again")
        self.z, self.files = np.ascontiguousarray(self.z, np.float32), self.files or self.names
        self.square = np.einsum("nd,nd->n", self.z, self.z)
        lengths = {len(column.codes if isinstance(column, Category) else column.values) for column in self.columns.values()}
        if lengths - {len(self.z)} or len(self.names) != len(self.z):
            raise ShapeError(f"{self.name} has {len(self.z)} points, but columns or names for {sorted(lengths)}")
        if self.faders is not None and any(len(each.operator.direction) != self.space.width for each in self.faders):
            raise ShapeError(f"the faders are of another space than {self.name}: they move another number of dimensions")
        if self.certificate is None and isinstance(kept := self.space.card.get("certificate"), dict):
            self.certificate = kept

    def __len__(self) -> int:
        return len(self.z)

    @property
    def kind(self) -> str:
        """``audio`` where the encoder hears sound, ``midi`` where it reads rolls."""
        return "audio" if self.source.audio or not self.source.rolls else "midi"

    def nearest(self, z: np.ndarray, k: int, leave: Sequence[int] = ()) -> tuple[np.ndarray, np.ndarray]:
        """The ``k`` points nearest to a latent ``[width]``, exactly, and their Euclidean distances; ``leave`` are left out."""
        far = self.square - 2 * (self.z @ z.astype(np.float32))
        far[list(leave)] = np.inf
        k = min(k, len(self) - len(set(leave)))
        if k < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        some = np.argpartition(far, k - 1)[:k]
        exact = np.linalg.norm(self.z[some].astype(np.float64) - z, axis=1)
        order = exact.argsort(kind="stable")
        return some[order], exact[order]

    def latents(self, rows: Sequence[int] | np.ndarray) -> Tensor:
        """Latents of some points, ``[len(rows), width]``."""
        return torch.from_numpy(self.z[self.check(rows)])

    def check(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The same rows as an array.

        Raises:
            DataError: one of them is no point.
        """
        asked = np.asarray(rows, np.int64)
        if asked.size and not 0 <= asked.min() <= asked.max() < len(self):
            raise DataError(f"there is no point {int(asked.max())}; the map has {len(self)}, counted from 0")
        return asked

    @torch.no_grad()
    def embed(self, windows: np.ndarray) -> np.ndarray:
        """Latents of windows ``[n, samples]``."""
        z: np.ndarray = self.space(torch.from_numpy(np.ascontiguousarray(windows, np.float32))).numpy()
        return z
