"""A part is taken out of a mix in the space, and what lies nearest is written as sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..data.audio import write
from ..data.stems import Stems
from ..measure import ranks
from ..space import Space

#: Windows to ask in at most; each gives two candidates a part.
_LIMIT = 120


@dataclass(frozen=True)
class Heard:
    """Mix minus a part, asked of every unseen window: how often the nearest candidate is that mix without that part.

    Attributes:
        part: what was taken out.
        share: of the windows in which the nearest of ``candidates`` is right; ``baseline`` the same in the encoder's own space.
        rank: of the right answer in the window written as sound, 1 being a hit.
        found: names of the nearest three there.
    """

    part: str
    windows: int
    candidates: int
    share: float
    baseline: float
    rank: int
    found: tuple[str, ...]


def listen(space: Space, songs: Stems, folder: Path, *, part: str | None = None, seed: int = 0) -> tuple[Heard, dict[str, Path]]:
    """Ask for mix minus ``part`` among every part, and every mix without one part, of all windows of ``songs``.

    Args:
        part: default ``drums``, or else the part that is heard in most windows.

    Returns:
        the figures, and the sounds of one window, drawn by ``seed``, by their captions.

    Raises:
        DataError: no window holds three parts, one of them ``part``.
    """
    encoder = space.encoder
    slots = [slot for slot in songs.grid(encoder.rate, encoder.samples, encoder.hop) if len(slot.labels) >= 3]
    counts = {label: sum(label in slot.labels for slot in slots) for label in songs.labels}
    part = part or max(counts, key=lambda label: (label == "drums" and counts[label] > 0, counts[label]))
    asked = [slot for slot in slots if part in slot.labels]
    if not asked:
        seconds = encoder.samples / encoder.rate
        raise DataError(f"no window of {seconds:g} s holds {part!r} and two other parts; choose another part, or give fuller songs")
    order = torch.randperm(len(asked), generator=Generator().manual_seed(seed))[:_LIMIT].tolist()
    waves: list[Tensor] = []
    names: list[str] = []
    mixes, parts, truth = [], [], []
    for index in order:
        scene = songs.scene(asked[index], encoder.rate, encoder.samples)
        whole, at = scene.parts.sum(0), f"{songs.names[scene.song]} at {asked[index].start / encoder.rate:.0f} s"
        for label, wave in zip(scene.labels, scene.parts, strict=True):
            if label == part:
                mixes.append(whole)
                parts.append(wave)
                truth.append(len(waves))
            waves += [whole - wave, wave]
            names += [f"all but {label}, {at}", f"{label}, {at}"]
    mix, taken, gallery = torch.stack(mixes), torch.stack(parts), torch.stack(waves)
    codes = [encoder.encode(each) for each in (mix, taken, gallery)]
    with torch.no_grad():
        z_mix, z_taken, z_gallery = (space.project(code) for code in codes)
    right = torch.tensor(truth)
    found, raw = ranks(z_mix - z_taken, z_gallery, right), ranks(codes[0] - codes[1], codes[2], right)
    nearest = torch.cdist(z_mix[:1] - z_taken[:1], z_gallery)[0].argsort()[:3].tolist()
    heard = Heard(
        part, len(mixes), len(waves), float((found == 0).double().mean()), float((raw == 0).double().mean()), int(found[0]) + 1,
        tuple(names[index] for index in nearest),
    )  # fmt: skip
    sounds = {"mix.wav": ("the mix", mix[0]), f"{part}.wav": (f"{part} alone, taken out of it", taken[0])}
    sounds[f"minus_{part}_expected.wav"] = (f"what is right: {names[truth[0]]}", gallery[truth[0]])
    for place, index in enumerate(nearest, 1):
        sounds[f"found_{place}.wav"] = (f"found {place}: {names[index]}", gallery[index])
    return heard, {caption: write(folder / name, wave.numpy(), encoder.rate) for name, (caption, wave) in sounds.items()}
