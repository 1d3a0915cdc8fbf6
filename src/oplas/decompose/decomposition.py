"""A learned decomposition: any mixture to its parts, kept in one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .. import _artefact, _spelled
from .._errors import ArtefactError, DataError, OplasError
from ..codecs import Codec
from ..codecs import codec as named
from ._sound import resampled, sound
from .blending import render
from .model import Composable
from .windows import levelled

KIND = "decomposition"


class Decomposition:
    """A codec, the model that was learned on its codes, and what the parts are called.

    Attributes:
        names: of the parts, yours to change; no two alike.
        card: how it was learned.
    """

    def __init__(self, codec: Codec, model: Composable, names: Sequence[str] = ()) -> None:
        self.codec, self.model = codec.cpu().eval(), model.eval()
        self.card: dict[str, Any] = {}
        self.names = tuple(names) or tuple(f"part {i + 1}" for i in range(model.parts))

    @property
    def parts(self) -> int:
        """How many."""
        return self.model.parts

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @names.setter
    def names(self, names: Sequence[str]) -> None:
        if len(names) != self.parts or len(set(names)) != self.parts or not all(names):
            raise DataError(f"{self.parts} parts need as many different names; these are {', '.join(names) or 'none'}")
        self._names = tuple(names)

    def __repr__(self) -> str:
        return f"Decomposition({', '.join(self.names)}; {self.codec!r}, {self.model!r})"

    @torch.no_grad()
    def split(
        self,
        wav: ArrayLike,
        rate: int,
        *,
        steps: int = 1,
        seed: int = 0,
        only: Iterable[str | int] | None = None,
        consistent: bool = True,
    ) -> Tensor:
        """The parts of a mixture, at its own rate and level.

        ``consistent`` parts are rendered together and share the mixture out, so that they add up to it, to rounding. Otherwise each
        is rendered on its own, by its latent alone, with a phase of its own, and as loud as it is meant in the mixture.

        Shape:
            - wav: ``[samples]`` or ``[batch, samples]`` at ``rate`` Hz · returns ``[..., parts, samples]``

        Args:
            steps: of denoising, for a model that sees noise.
            only: names or numbers (from 0) of the parts wanted, in their order.

        Raises:
            ShapeError, DataError: there is no sound, it is not finite, or there is no such part.
        """
        wanted = self.choose(only)
        mix, single = sound(wav, rate)
        x = resampled(mix, rate, self.codec.rate)
        level, gain = levelled(x)
        codes = self.codec.encode(level)
        z = self.model.latents(codes)
        if consistent:
            y = render(self.model, z, codes, steps=steps, seed=seed)
            made = torch.stack([self.codec.decode(part, row) for part, row in zip(y, level, strict=True)])
        else:
            if self.model.decoder == "shared":
                z = z[:, wanted]
            y = render(self.model, z, codes, steps=steps, seed=seed, together=False)
            y = y if self.model.decoder == "shared" else y[:, wanted]
            made = self._alone(y, x.shape[-1])
        made = resampled(made / gain.unsqueeze(1), self.codec.rate, rate, mix.shape[-1])
        if consistent:
            made = made + (mix.unsqueeze(1) - made.sum(1, keepdim=True)) / self.parts
            made = made[:, wanted]
        return made.squeeze(0) if single else made

    def latents(self, wav: ArrayLike, rate: int) -> Tensor:
        """What each part has to say, one number a frame of the codec: ``[..., parts, frames]``."""
        mix, single = sound(wav, rate)
        with torch.no_grad():
            z = self.model.latents(self.codec.encode(levelled(resampled(mix, rate, self.codec.rate))[0]))
        return z.squeeze(0) if single else z

    def choose(self, only: Iterable[str | int] | None) -> list[int]:
        """Numbers of the parts that are meant; all of them by default.

        Raises:
            DataError: there is no such part.
        """
        if only is None:
            return list(range(self.parts))
        listed = [only] if isinstance(only, str | int) else list(only)
        chosen = [self.names.index(each) if each in self.names else each for each in listed]
        if wrong := [each for each in chosen if not isinstance(each, int) or not 0 <= each < self.parts]:
            raise DataError(f"there is no part {wrong[0]!r}; the parts are {', '.join(self.names)}, or 0 to {self.parts - 1}")
        return [int(each) for each in chosen]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write weights, names and card as one file, whole or not at all. The codec's weights stay where they are.

        Raises:
            ArtefactError: the disk refuses.
        """
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        codec = {"name": self.codec.name, "identity": self.codec.identity}
        card = {**self.card, "names": self.names, "spelled": repr(self.model), "codec": codec}
        return _artefact.save_file(Path(path), tensors, card, kind=KIND)

    @classmethod
    def load(cls, path: str | os.PathLike[str], codec: Codec | None = None) -> Self:
        """Read what was saved.

        Args:
            codec: the one it was learned in, if it is none of those known by name.

        Raises:
            ArtefactError: the file is damaged, of another kind, or belongs to another codec.
        """
        tensors, card = _artefact.load_file(Path(path), kind=KIND)
        claimed = card["codec"]
        codec = named(claimed["name"]) if codec is None else codec
        if codec.identity != claimed["identity"]:
            raise ArtefactError(f"{path} was learned in the codec {claimed['name']} ({claimed['identity']}), not in {codec!r} "
                                f"({codec.identity}); give the codec it names")  # fmt: skip
        try:
            model = _spelled.read(card["spelled"], {"Composable": Composable})
            model.load_state_dict({key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")})
            made = cls(codec, model, card["names"])
        except (OplasError, RuntimeError, TypeError, KeyError) as error:
            raise ArtefactError(f"{path} does not fit its own card ({error}); save it again or get a fresh copy") from error
        made.card = card
        return made

    def _alone(self, y: Tensor, samples: int) -> Tensor:
        """Parts without the mixture, as loud as they are meant in it."""
        share = 1 / self.parts if self.model.operator == "mean" else 1.0
        if self.model.positive:  # magnitudes, of which the mean is taken
            return self.codec.decode(share * y, samples=samples)
        return share * self.codec.decode(y, samples=samples)
