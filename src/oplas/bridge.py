r"""A bridge: the map from one space's latents to another's, and the laws that cross it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import _artefact
from ._errors import ArtefactError, DataError, ShapeError
from .laws.equivariance import Equivariance
from .operators.base import Operator
from .space import Space
from .translators.base import Translator, _restored

Map = Callable[[Tensor], Tensor]
_KIND = "bridge"


class Carried(Operator):
    r"""An operator of one space at work in another: :math:`R_B(z_1,\dots;\theta)=T\,R_A(T^+z_1,\dots;\theta)+\rho`.

    T and its way back may have offsets: they are whole maps, not matrices. :math:`\rho=\sum_i(z_i-TT^+z_i)` is what of the
    latents does not cross, left as it was, so that to carry the identity is the identity, whatever the bridge; with
    ``rest=False`` it is lost.

    Shape:
        - z: ``[n, k, d_b]``, zeros where a part is absent · theta: ``[n, k]`` · returns ``[n, d_b]``
    """

    def __init__(self, operator: Operator, there: Map, back: Map, *, rest: bool = True) -> None:
        super().__init__()
        self.operator, self.there, self.back, self.rest = operator, there, back, rest

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        present = (z != 0).any(-1, keepdim=True)
        home = self.back(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        made = self.there(self.operator(home * present, theta))
        if not self.rest:
            return made
        crossed = self.there(home.flatten(0, 1)).unflatten(0, z.shape[:2])
        return made + ((z - crossed) * present).sum(1)

    def __repr__(self) -> str:
        return f"Carried({self.operator!r})"


@dataclass(frozen=True)
class Bridge:
    r"""From ``source`` (A) to ``target`` (B): :math:`z_B\approx T(z_A)`. Made by :func:`oplas.translate`.

    Attributes:
        translator: T, fitted; its own inverse is the way back.
        card: how it was made.
    """

    source: Space
    target: Space
    translator: Translator
    card: dict[str, Any] = field(default_factory=dict)

    def __call__(self, z: Tensor) -> Tensor:
        """Latents of A to latents of B, ``[n, d_a] -> [n, d_b]``."""
        return torch.as_tensor(self.translator.transform(_wide(z, self.source, "A")))

    def back(self, z: Tensor) -> Tensor:
        """Latents of B to latents of A, ``[n, d_b] -> [n, d_a]``."""
        return torch.as_tensor(self.translator.inverse_transform(_wide(z, self.target, "B")))

    def carry(self, operator: Operator) -> Carried:
        """An operator of A at work in B."""
        return Carried(operator, self, self.back)

    @property
    def laws(self) -> tuple[Equivariance, ...]:
        """A's equivariance laws carried over: the same actions, the operators at work in B."""
        claimed = [law for law in self.source.laws if isinstance(law, Equivariance)]
        return tuple(Equivariance(law.action, self.carry(law.operator), law.weight) for law in claimed if law.action is not None)

    @property
    def space(self) -> Space:
        """B as a space that claims A's laws, ready for :func:`oplas.certify`."""
        made = Space(self.target.encoder, self.target.projector, self.target.inverse, self.laws)
        made.frame.copy_(self.target.frame)
        made.origin.copy_(self.target.origin)
        return made.train(self.target.training)

    def save(self, folder: str | Path) -> Path:
        """Write translator and card as a folder, whole or not at all; the spaces stay where they are, the card knows them.

        Raises:
            ArtefactError: the folder is something else, or the disk refuses.
        """
        tensors, said = self.translator._state()
        ends = {"source": identity(self.source), "target": identity(self.target)}
        return _artefact.save(Path(folder), tensors, {**self.card, **ends, "translator": said}, kind=_KIND)

    @classmethod
    def load(cls, folder: str | Path, source: Space, target: Space) -> Bridge:
        """Read a saved bridge and put it between its two spaces.

        Raises:
            ArtefactError: the folder is damaged, or was built between other spaces.
        """
        tensors, card = _artefact.load(Path(folder), kind=_KIND)
        for end, space in (("source", source), ("target", target)):
            if card[end] != identity(space):
                raise ArtefactError(
                    f"{folder} was built with {card[end]} as its {end}, the space given is {identity(space)}; give the spaces "
                    "it was built between, or build it again"
                )
        kept = {str(key): card[key] for key in ("anchors", "by", "seed", "data") if key in card}
        return cls(source, target, _restored(tensors, card["translator"]), kept)


def identity(space: Space) -> str:
    """Hash of everything that decides a space's latents."""
    digest = hashlib.sha256(space.encoder.identity.encode() + repr(space.projector).encode())
    for key, value in sorted(space.state_dict().items()):
        if key.startswith(("projector.", "origin", "frame")):
            digest.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _wide(z: Tensor, space: Space, name: str) -> Tensor:
    if z.ndim != 2 or z.shape[1] != space.width:
        raise ShapeError(f"latents of space {name} are [n, {space.width}], these are {list(z.shape)}; check the direction")
    if not torch.isfinite(z).all():
        raise DataError(f"{int((~torch.isfinite(z)).any(1).sum())} of {len(z)} latents hold NaN or infinity; leave them out")
    return z
