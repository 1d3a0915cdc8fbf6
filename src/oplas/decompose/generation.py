"""Parts that were never played: generated, fitted to parts that are given, or varied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .._errors import DataError
from ._sound import resampled, sound
from .blending import render
from .prior import Prior
from .windows import levelled

if TYPE_CHECKING:
    from .decomposition import Decomposition


@torch.no_grad()
def generate(
    made: Decomposition, seconds: float, given: Mapping[str | int, ArrayLike] | None, rate: int, seed: int, steps: int
) -> Tensor:
    prior = _prior(made)
    if not seconds > 0:
        raise DataError(f"{seconds} s of music cannot be generated; give a positive number of seconds")
    samples, inside = round(seconds * rate), round(seconds * made.codec.rate)
    z = torch.zeros(1, made.parts, made.codec.frames(inside))
    free, gains, kept = torch.ones(made.parts, dtype=torch.bool), [], {}
    for name, wav in (given or {}).items():
        (index,) = made.choose([name])
        mono, _ = sound(wav, rate)
        if len(mono) != 1 or not bool(mono.any()):
            raise DataError(f"the sound given for {name} is silent, or not one wave [samples]; give one mono wave")
        kept[index] = resampled(mono, rate, rate, samples)
        level, gain = levelled(resampled(mono, rate, made.codec.rate, inside))
        z[:, index] = made.model.latents(made.codec.encode(level / made.parts**0.5))[:, index]
        free[index] = False
        gains.append(float(gain) / made.parts**0.5)
    if not bool(free.any()):
        raise DataError(f"all {made.parts} parts are given, and none is left to generate; give fewer")
    z = prior.sample(z, free, seed=seed)
    waves = made.alone(render(made.model, z, steps=steps, seed=seed, together=False), inside)[0]
    waves = resampled(waves / (sum(gains) / len(gains) if gains else 1.0), made.codec.rate, rate, samples)
    for index, wave in kept.items():
        waves[index] = wave[0]
    return waves


@torch.no_grad()
def vary(
    made: Decomposition, wav: ArrayLike, rate: int, parts: Iterable[str | int] | None, strength: float, seed: int, steps: int
) -> Tensor:
    prior, chosen = _prior(made), made.choose(parts)
    mix, single = sound(wav, rate)
    x = resampled(mix, rate, made.codec.rate)
    level, gain = levelled(x)
    free = torch.zeros(made.parts, dtype=torch.bool)
    free[chosen] = True
    z = prior.sample(made.model.latents(made.codec.encode(level)), free, strength=strength, seed=seed)
    waves = made.alone(render(made.model, z, steps=steps, seed=seed, together=False), x.shape[-1])
    waves = resampled(waves / gain.unsqueeze(1), made.codec.rate, rate, mix.shape[-1])
    split = made.split(mix, rate, steps=steps, seed=seed)
    waves = torch.where(free.unsqueeze(-1), waves, split)
    return waves[0] if single else waves


def _prior(made: Decomposition) -> Prior:
    if made.prior is None:
        raise DataError("this decomposition was learned without a prior, so nothing can be generated; learn it with prior=True")
    if made.model.view == "clean":
        raise DataError("this model picks parts from a mixture, so it can render none that were never played; learn with "
                        "view='noisy' or 'blind'")  # fmt: skip
    return made.prior
