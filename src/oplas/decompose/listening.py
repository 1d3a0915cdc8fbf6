"""What there is to hear of a decomposition: a song, its parts, what the model makes of it by itself, and variations."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError
from ..codecs import Ceiling, Codec
from ..data.audio import survey
from ._sound import resampled
from .decomposition import Decomposition
from .naming import guess_names
from .windows import levelled


@dataclass(frozen=True)
class Heard:
    """A sound to listen to, with the heading it belongs under.

    Shape:
        - wave: ``[samples]``
    """

    heading: str
    name: str
    meaning: str
    wave: Tensor


def loudest(file: str | os.PathLike[str], seconds: float) -> tuple[Tensor, int, float]:
    """The loudest such stretch of a song, its channels averaged: ``[samples]``, its rate (Hz) and where it begins (s).

    Raises:
        DataError: the file cannot be read, is silent or holds NaN.
    """
    import soundfile

    facts = survey(file)
    starts = np.arange(0, max(facts.seconds - seconds, 0) + 1e-9, 0.5)
    first = float(starts[int(facts.power(starts, min(seconds, facts.seconds)).argmax())])
    try:
        with soundfile.SoundFile(file) as sound:
            sound.seek(round(first * facts.rate))
            wave = sound.read(round(seconds * facts.rate), dtype="float32", always_2d=True).mean(1)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{file} could not be read at {first:.1f} s ({error}); convert it to .wav") from error
    return torch.from_numpy(wave), facts.rate, first


def guessed(made: Decomposition, files: Sequence[Path], songs: int = 8, seconds: float = 6.0) -> tuple[str, ...]:
    """Names of the parts, guessed from how they sound in a few of the songs (:func:`oplas.decompose.naming.guess_names`).

    Names that are no mere numbers are kept.
    """
    if not all(name.startswith("part ") for name in made.names):
        return made.names
    found = []
    for file in files[:: max(len(files) // songs, 1)][:songs]:
        try:
            wave, rate, _ = loudest(file, seconds)
        except DataError:  # learning has told of it
            continue
        found.append((rate, made.split(wave, rate)))
    if not found:
        return made.names
    common = found[0][0]
    return guess_names(torch.cat([parts for rate, parts in found if rate == common], -1), common)


def ceiling(codec: Codec, files: Sequence[Path], seconds: float = 6.0) -> Ceiling | None:
    """What a codec can tell apart at best: the loudest stretches of the first two songs that can be used, mixed."""
    found: list[Tensor] = []
    for file in files:
        try:
            wave, rate, _ = loudest(file, seconds)
        except DataError:
            continue
        found.append(levelled(resampled(wave, rate, codec.rate, round(seconds * codec.rate)))[0])
        if len(found) == 2:
            return codec.ceiling(torch.stack(found))
    return None


def heard(made: Decomposition, wave: Tensor, rate: int, *, steps: int = 1, seed: int = 0, strength: float = 0.5) -> Iterator[Heard]:
    """A stretch of a song and all that is made of it, ``[samples]`` at ``rate`` Hz; variations if the model has a prior."""
    yield Heard("The song", "mix", "as it is", wave)
    for name, part in zip(made.names, made.split(wave, rate, steps=steps, seed=seed), strict=True):
        yield Heard("Its parts", name, "filtered out of the song; all of them add up to it", part)
    own = made.split(wave, rate, steps=steps, seed=seed, consistent=False)
    yield Heard(
        "What the model makes by itself", "all together", "rendered from one number a moment and part; not filtered", own.sum(0)
    )
    for name, part in zip(made.names, own, strict=True):
        yield Heard("What the model makes by itself", name, "rendered alone", part)
    if made.prior is None or made.model.view == "clean":
        return
    for index, name in enumerate(made.names):
        varied = made.vary(wave, rate, parts=[index], strength=strength, seed=seed)
        yield Heard("Variations", f"another {name}", f"the song with {name} varied by {strength:g}, all else kept", varied.sum(0))
