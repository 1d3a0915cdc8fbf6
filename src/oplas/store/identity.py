"""Which space are these latents from?"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .._errors import ArtefactError, DataError
from ..measure.unpaired import FEW, NARROW, unpaired
from ..space import Space


@dataclass(frozen=True)
class Identity:
    """What two columns of latents must share to be compared: one encoder, one projector, one frame.

    Attributes:
        digest: hash of the encoder's identity and of every tensor that the latents pass through; or any name of your own
            for vectors that no :class:`~oplas.Space` made.
        width: dimensions of the latents.
        encoder: the encoder's name, for people.
        laws: what the space claims, as its card spells it; claims do not move latents, so they are not compared.

    >>> Identity("my model, 3rd version", 128) == Identity("my model, 3rd version", 128, encoder="mine")
    True
    """

    digest: str
    width: int
    encoder: str = field(default="", compare=False)
    laws: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.digest or self.width < 1:
            raise DataError(f"{self.digest!r} of width {self.width} names no space; give a name and at least 1 dimension")

    def __str__(self) -> str:
        return f"{self.encoder or 'vectors'} of {self.width} dimensions ({self.digest})"

    @classmethod
    def of(cls, space: Space | Identity) -> Identity:
        """The identity of a space. The way back and the laws take no part: they leave the latents as they are."""
        if isinstance(space, Identity):
            return space
        digest = hashlib.sha256(f"{space.encoder.identity} {space.projector!r}".encode())
        for name, value in sorted(space.state_dict().items()):
            if not name.startswith(("encoder.", "inverse.", "laws.")):
                digest.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
                digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return cls(digest.hexdigest()[:16], space.width, space.encoder.name, tuple(map(repr, space.laws)))

    def to_dict(self) -> dict[str, Any]:
        return {"digest": self.digest, "width": self.width, "encoder": self.encoder, "laws": list(self.laws)}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Identity:
        return cls(facts["digest"], facts["width"], facts["encoder"], tuple(facts["laws"]))


def guard(where: str, stored: np.ndarray, new: np.ndarray) -> None:
    """Refuse vectors that nobody says the space of, unless they show that their coordinates are those of the stored ones.

    Raises:
        ArtefactError: they do not show it.
    """
    if not len(stored):
        return
    if min(len(stored), len(new)) < FEW or stored.shape[1] < NARROW:
        seen = f"{len(new)} rows beside {len(stored)} in {where}, of width {stored.shape[1]},"
        fact = f"{seen} are too few to tell whether they are of one space"
        warnings.warn(f"{fact}; say which space they are from", stacklevel=4)
        return
    if not (found := unpaired(torch.from_numpy(stored), torch.from_numpy(new))).same:
        raise ArtefactError(
            f"these vectors do not look like those in {where}: {found}; if they are of its space all the same, say so by giving "
            "the space, else embed them with it, or translate"
        )
