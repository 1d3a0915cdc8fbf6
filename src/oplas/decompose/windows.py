"""Mixtures without labels: a folder of songs, or waves in memory, cut into windows at random."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Generator, Tensor

from .._errors import DataError
from ..codecs import Codec
from ..data.audio import read, survey
from ..data.song import Part, Song, Source
from ..data.sound import Survey
from ..data.stems import Stems
from ..embed import audio_files

Songs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[str, ArrayLike] | Sequence[ArrayLike] | Stems | Tensor
"""A folder or files; waves by name or in a row, ``[samples]`` or ``[channels, samples]``; or songs of one part, the mixture."""

#: Root mean square to which a window is brought before it is encoded, so that a decomposition does not depend on level.
LEVEL = 0.1
NAME = "mixture"


@dataclass(frozen=True)
class Batch:
    """Windows of mixtures, each at one level.

    Shape:
        - waves: ``[batch, samples]`` at the codec's rate · codes: ``[batch, C, frames]`` · song: ``[batch]``, of each window
    """

    waves: Tensor
    codes: Tensor
    song: Tensor


def mixtures(songs: Songs, rate: int, seconds: float, *, at: int | None = None) -> Stems:
    """Songs to learn from, each at least a window long; those that cannot be used are left out with one warning.

    Args:
        rate: samples per second at which windows will be cut.
        seconds: a window's length.
        at: rate of waves in memory; default ``rate``.

    Raises:
        DataError: fewer than two different songs are left.
    """
    if isinstance(songs, Stems):
        return _enough(list(songs.songs), rate, seconds, [])
    named: dict[str, Path | ArrayLike]
    if isinstance(songs, str | os.PathLike):
        named = {str(path): path for path in audio_files(songs)}
    elif isinstance(songs, Mapping):
        named = dict(songs)
    else:
        listed = list(songs)
        named = {str(each) if isinstance(each, str | os.PathLike) else f"song {i + 1}": each for i, each in enumerate(listed)}
    kept, faults = [], []
    for name, each in named.items():
        try:
            source = _file(Path(each), rate) if isinstance(each, str | os.PathLike) else _held(name, each, at or rate)
            kept.append(Song(name, (Part(NAME, (source,)),)))
        except DataError as error:
            faults.append(str(error))
    return _enough(kept, rate, seconds, faults)


def draw(data: Stems, codec: Codec, count: int, frames: int, generator: Generator) -> Batch:
    """Windows of so many frames, each of a random song, from a random place in which something is heard."""
    least = min(2, *(len(song.parts) for song in data.songs))  # where parts are known, there is something to tell apart
    scenes = data.draw_batch(count, least, None, codec.rate, codec.samples(frames), generator)
    device = next((each.device for each in (*codec.parameters(), *codec.buffers())), torch.device("cpu"))
    waves, _ = levelled(torch.stack([scene.parts.sum(0) for scene in scenes]).to(device))
    with torch.no_grad():
        return Batch(waves, codec.encode(waves), torch.tensor([scene.song for scene in scenes]))


def levelled(waves: Tensor) -> tuple[Tensor, Tensor]:
    """Waves ``[..., samples]`` at one level, and the gain ``[..., 1]`` that was needed; silence stays as it is."""
    root = waves.square().mean(-1, keepdim=True).sqrt()
    gain = torch.where(root > 0, LEVEL / root.clamp_min(torch.finfo(waves.dtype).tiny), 1.0)
    return waves * gain, gain


def _file(path: Path, rate: int) -> Source:
    read(path, rate)
    return Source(survey(path), path)


def _held(name: str, wave: ArrayLike, rate: int) -> Source:
    held = np.asarray(wave, np.float32)
    if held.ndim not in (1, 2) or not held.size:
        raise DataError(f"{name} has shape {list(held.shape)}; a wave is [samples] or [channels, samples], not empty")
    mono = np.ascontiguousarray(held.mean(0) if held.ndim == 2 else held)
    facts = Survey(name, rate)
    facts.add(mono)
    return Source(facts.finish(), held=mono)


def _enough(songs: list[Song], rate: int, seconds: float, faults: list[str]) -> Stems:
    need = round(seconds * rate)
    long = [song for song in songs if song.length(rate) >= need]
    for song in songs:
        if song.length(rate) < need:
            faults.append(f"{song.name} lasts {song.length(rate) / rate:.2f} s, a window {seconds:.2f} s")
    different = {song.digest: song for song in reversed(long)}
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        warnings.warn(f"{len(faults)} song(s) left out: {'; '.join(faults[:3])}{more}", stacklevel=3)
    if len(different) < 2:
        why = f"; the first left out: {faults[0]}" if faults else ""
        raise DataError(
            f"{len(different)} song(s) can be learned from, at least 2 different ones are needed, so that one can be held out{why}"
        )
    return Stems([song for song in long if different[song.digest] is song])
