"""A space: an encoder, a projector on top of it, a way back, and the laws it claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from . import _artefact
from ._errors import ArtefactError, OplasError, ShapeError
from .encoders.base import Encoder, freeze
from .laws.base import Law, Seen
from .projectors import Headed, Identity, Projector

if TYPE_CHECKING:
    from ._types import Trials


class Space(nn.Module):
    r""":math:`z = M^\top(h(y) - h(y_0))` with :math:`y = f(x)` the frozen encoder's code and :math:`y_0 = f(\text{silence})`.

    Silence sits at zero, the identity of the sum, by construction. M is the frame: coordinates, most lawful first, that
    ``learn`` chooses at its end where the laws leave them free.

    Args:
        encoder: the frozen f.
        projector: the learned h; default the identity, which makes the encoder's own space (a control).
        inverse: the way back from z to y: another projector, or none where the projector inverts itself.
        laws: what the space claims; ``learn`` trains them and ``certify`` measures them.

    Shape:
        - x: ``[n, samples]`` · y: ``[n, dim]`` · z: ``[n, width]``
    """

    def __init__(
        self, encoder: Encoder, projector: Projector | None = None, inverse: Projector | None = None, laws: Sequence[Law] = ()
    ) -> None:
        super().__init__()
        self.encoder = freeze(encoder)
        self.projector = projector if projector is not None else Identity(encoder.dim)
        self.inverse = inverse
        self.laws = nn.ModuleList(laws)
        self.card: dict[str, object] = {}
        if self.projector.dim != encoder.dim:
            raise ShapeError(f"the projector reads {self.projector.dim} dimensions, {encoder.name} gives {encoder.dim}")
        if isinstance(self.projector, Headed) and len(self.projector.head) < self.width:
            raise ShapeError(
                f"{self.projector!r} has {len(self.projector.head)} features, which cannot span {self.width} dimensions; "
                "give it a smaller width or more hidden units"
            )
        if inverse is not None and (inverse.dim, inverse.width) != (self.width, encoder.dim):
            raise ShapeError(
                f"the inverse maps {inverse.dim} to {inverse.width} dimensions; this space needs {self.width} to {encoder.dim}"
            )
        self.register_buffer("origin", encoder.encode(encoder.silence()))
        self.register_buffer("frame", torch.eye(self.projector.width))

    origin: Tensor
    frame: Tensor

    @property
    def width(self) -> int:
        """Dimensions of z."""
        return self.projector.width

    def forward(self, x: Tensor) -> Tensor:
        """Data to latents, ``[n, samples] -> [n, width]``."""
        return self.project(self.encoder.encode(x))

    def project(self, y: Tensor) -> Tensor:
        """Codes to latents, ``[n, dim] -> [n, width]``."""
        both: Tensor = self.projector(torch.cat([y, self.origin.to(y)]))
        return (both[:-1] - both[-1:]) @ self.frame

    def lift(self, z: Tensor) -> Tensor:
        """Latents back to codes, ``[n, width] -> [n, dim]``.

        Raises:
            ShapeError: the space was given no inverse, and its projector has none of its own.
        """
        z = torch.linalg.solve(self.frame.T, z.T).T
        if self.inverse is not None:
            code: Tensor = self.inverse(z)
            return code
        return self.projector.invert(z + self.projector(self.origin.to(z)))

    def add(self, y: Tensor, w: Tensor) -> Tensor:
        r""":math:`y\oplus w=h^{-1}(h(y)+h(w))`: the space's sum on codes, ``[n, dim]``; a true addition where h inverts exactly."""
        return self.lift(self.project(y) + self.project(w))

    def scale(self, factor: float, y: Tensor) -> Tensor:
        r""":math:`a\odot y=h^{-1}(a\,h(y))` on codes, ``[n, dim]``."""
        return self.lift(factor * self.project(y))

    def see(self, trials: Trials) -> Seen:
        """The trials and their latents."""
        return Seen.through(self, trials)

    def save(self, folder: str | Path) -> Path:
        """Write the learned tensors and the card as a folder; whole or not at all.

        The encoder's weights stay where they are: the card holds its identity, and ``load`` is given the encoder.
        """
        tensors = {key: value for key, value in self.state_dict().items() if not key.startswith("encoder.")}
        card = {
            **self.card,
            "encoder": {"name": self.encoder.name, "identity": self.encoder.identity, "dim": self.encoder.dim},
            "projector": repr(self.projector),
            "inverse": repr(self.inverse) if self.inverse is not None else None,
            "laws": [repr(law) for law in self.laws],
        }
        return _artefact.save(Path(folder), tensors, card)

    @classmethod
    def load(cls, folder: str | Path, encoder: Encoder, laws: Sequence[Law] = ()) -> Space:
        """Read a saved space and put it on its encoder.

        Raises:
            ArtefactError: the folder is damaged, tampered with or truncated, or belongs to another encoder.
        """
        from .projectors import build

        tensors, card = _artefact.load(Path(folder))
        claimed = card["encoder"]
        if claimed["identity"] != encoder.identity:
            raise ArtefactError(
                f"{folder} was learned on {claimed['name']} ({claimed['identity']}); the encoder given is {encoder.name} "
                f"({encoder.identity}): same name, other weights make another space; load it with the encoder it names"
            )
        try:
            space = cls(encoder, build(card["projector"]), build(card["inverse"]) if card["inverse"] else None, laws)
            missing, unexpected = space.load_state_dict(tensors, strict=False)
        except (OplasError, RuntimeError, TypeError) as error:
            raise ArtefactError(f"{folder} does not fit its own card ({error}); save it again or get a fresh copy") from error
        stray = [key for key in [*missing, *unexpected] if not key.startswith(("encoder.", "laws."))]
        if stray:
            raise ArtefactError(f"{folder} does not fit its own card: {', '.join(stray[:4])}; save it again or get a fresh copy")
        space.card = card
        return space.eval()
