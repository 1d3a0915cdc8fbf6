"""A learned decomposition: any mixture to its parts, kept in one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .. import _artefact, _spelled
from .._errors import ArtefactError, DataError, OplasError
from ..codecs import Codec
from ..codecs import codec as named
from . import generation
from ._sound import resampled, shares, sound
from .blending import render
from .model import Composable
from .prior import Prior
from .windows import levelled

KIND = "decomposition"


class Decomposition:
    """A codec, the model that was learned on its codes, and what the parts are called.

    Attributes:
        prior: what generates; ``None`` if none was learned.
        names: of the parts, yours to change; no two alike.
        card: how it was learned.
    """

    def __init__(self, codec: Codec, model: Composable, names: Sequence[str] = (), prior: Prior | None = None) -> None:
        self.codec, self.model = codec.cpu().eval(), model.cpu().eval()
        self.prior = prior.cpu().eval() if prior is not None else None
        self.card: dict[str, Any] = {}
        self.names = tuple(names) or tuple(f"part {i + 1}" for i in range(model.parts))

    @property
    def identity(self) -> str:
        """Hash of codec and weights: two decompositions with the same identity find the same parts."""
        return _artefact.identity(f"{self.codec.identity} {self.model!r}", self.model.state_dict())

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
            made = self.alone(y, x.shape[-1])
        made = resampled(made / gain.unsqueeze(1), self.codec.rate, rate, mix.shape[-1])
        made = torch.where(mix.any(-1)[:, None, None], made, 0.0)  # silence has silent parts
        if consistent:
            made = made + shares(made) * (mix.unsqueeze(1) - made.sum(1, keepdim=True))
            made = made[:, wanted]
        return made.squeeze(0) if single else made

    def latents(self, wav: ArrayLike, rate: int) -> Tensor:
        """What each part has to say, one number a frame of the codec: ``[..., parts, frames]``."""
        mix, single = sound(wav, rate)
        with torch.no_grad():
            z = self.model.latents(self.codec.encode(levelled(resampled(mix, rate, self.codec.rate))[0]))
        return z.squeeze(0) if single else z

    def alone(self, y: Tensor, samples: int) -> Tensor:
        """Sound of components without the mixture, as loud as they are meant in it, ``[..., C, T] -> [..., samples]``."""
        share = 1 / self.parts if self.model.operator == "mean" else 1.0
        gain = float(self.card.get("gain", 1.0))
        if self.model.positive:  # magnitudes, of which the mean is taken
            return gain * self.codec.decode(share * y, samples=samples)
        return gain * share * self.codec.decode(y, samples=samples)

    def generate(
        self,
        seconds: float,
        *,
        given: Mapping[str | int, ArrayLike] | None = None,
        rate: int | None = None,
        seed: int = 0,
        steps: int = 8,
    ) -> Tensor:
        """Parts that were never played, ``[parts, samples]``, at ``rate`` Hz, by default the codec's.

        Args:
            given: waves ``[samples]`` at ``rate`` of some parts, by name or number; the others are generated to fit them, and these
                are returned as they were given, cut or followed by silence.
            steps: of rendering, for a model that sees noise.

        Raises:
            DataError: nothing can be generated: no prior was learned, all parts are given, or there is no such part.
        """
        return generation.generate(self, seconds, given, rate or self.codec.rate, seed, steps)

    def vary(
        self,
        wav: ArrayLike,
        rate: int,
        *,
        parts: Iterable[str | int] | None = None,
        strength: float = 0.5,
        seed: int = 0,
        steps: int = 8,
    ) -> Tensor:
        """A mixture's parts with some of them, by default all, varied by the prior; the others as :meth:`split` finds them.

        Shape:
            - wav: ``[samples]`` or ``[batch, samples]`` at ``rate`` Hz · returns ``[..., parts, samples]``

        Args:
            strength: how far, from 0, which only renders the part again, to 1, which forgets it.

        Raises:
            ShapeError, DataError: as :meth:`split`; or no prior was learned.
        """
        return generation.vary(self, wav, rate, parts, strength, seed, steps)

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
        if self.prior is not None:
            tensors |= {f"prior.{key}": value for key, value in self.prior.state_dict().items()}
        codec = {"name": self.codec.name, "identity": self.codec.identity}
        spelled = {"model": repr(self.model), "prior": None if self.prior is None else repr(self.prior)}
        card = {**self.card, **spelled, "names": self.names, "codec": codec}
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
            made = cls(codec, _read(card["model"], tensors, "model"), card["names"], _read(card["prior"], tensors, "prior"))
        except (OplasError, RuntimeError, TypeError, KeyError) as error:
            raise ArtefactError(f"{path} does not fit its own card ({error}); save it again or get a fresh copy") from error
        made.card = card
        return made


def _read(spelling: str | None, tensors: dict[str, Tensor], prefix: str) -> Any:
    if spelling is None:
        return None
    module = _spelled.read(spelling, {"Composable": Composable, "Prior": Prior})
    stem = f"{prefix}."
    module.load_state_dict({key.removeprefix(stem): value for key, value in tensors.items() if key.startswith(stem)})
    return module
