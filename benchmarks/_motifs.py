"""Motif search on held-out songs: is a phrase, transposed and shifted, found first among thousands of others?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Generator, Tensor

from oplas.data import Crops, Notes
from oplas.motifs import WIDTH, chance

Key = Callable[[Tensor], Tensor]
"""Rolls ``[n, 2, 128, 128]`` to vectors that are compared by Euclidean distance."""
BAR = 16
DROPPED = 0.1


def content(space: object) -> Key:
    """Latents of a space of rolls without their first two coordinates, pitch and time."""
    return lambda rolls: space.encode(rolls)[:, 2:].float()  # type: ignore[attr-defined]


def fourier(rolls: Tensor) -> Tensor:
    """Magnitudes of the 2-D Fourier transform: what they say cannot be changed by a shift around the edges, and by these moves
    none goes around them. Nothing is learned."""
    return torch.fft.rfft2(rolls).abs().flatten(1)


def chroma_fourier(rolls: Tensor) -> Tensor:
    """The same of chroma by time (Bertin-Mahieux and Ellis 2012, *Large-scale cover song recognition using the 2D Fourier
    transform magnitude*, ISMIR)."""
    return torch.fft.fft2(_chroma(rolls)).abs().flatten(1)


def raw(rolls: Tensor) -> Tensor:
    """The cells themselves, of unit length: Euclidean distance then ranks as the cosine does."""
    return torch.nn.functional.normalize(rolls.flatten(1), dim=1)


def _chroma(rolls: Tensor) -> Tensor:
    return torch.nn.functional.pad(rolls[:, 1], (0, 0, 0, 4)).unflatten(1, (-1, 12)).sum(1)


def recalls(
    songs: Sequence[Notes], spaces: dict[str, Key], *, others: int = 10_000, queries: int = 500, costly: int = 30, seed: int = 0
) -> list[dict[str, object]]:
    """A row for each space and each baseline.

    Gallery: windows of 96 sixteenths, one a bar, from every song. Query: one of them, moved by up to ±6 semitones and ±16
    sixteenths, neither 0; and the same with a tenth of the notes left out. A hit is the window itself or one with the same notes
    (a chorus that is repeated exactly, in whatever key); ``strict`` counts the window itself alone.
    """
    draw = Generator().manual_seed(seed)
    crops = Crops(songs, least=8)
    gallery = crops.grid(BAR)
    gallery = gallery[torch.randperm(len(gallery), generator=draw)[: others + 1]]
    asked = torch.randperm(len(gallery), generator=draw)[:queries]
    moves = crops.moves(gallery[asked], draw)
    while (still := (moves == 0).any(1)).any():
        moves[still] = crops.moves(gallery[asked[still]], draw)
    names = _names(crops, gallery)
    queried = {"": crops.rolls(gallery[asked], *moves.T), "_varied": _varied(crops, songs, gallery[asked], moves, draw)}
    flat = {"Fourier magnitude (exact)": fourier, "chroma's Fourier magnitude": chroma_fourier, "raw roll, cosine": raw}
    rows: list[dict[str, object]] = []
    for name, key in {**spaces, **flat}.items():
        held = _keys(key, crops, gallery)
        row: dict[str, object] = {"method": name}
        for kind, rolls in queried.items():
            distance = torch.cdist(_small(key(rolls)), held)
            row |= _hits(distance, asked, names, kind)
            if name in spaces and not kind:
                row |= _calibration(key, crops, gallery, distance, asked)
        rows.append(row | {"queries": len(asked), "others": len(gallery) - 1})
    held = torch.cat([_profile(crops.rolls(part)) for part in gallery.split(256)])
    row = {"method": "chroma, best rotation"}
    for kind, rolls in queried.items():
        turned = torch.stack([_profile(rolls).roll(k, 1) for k in range(12)])
        row |= _hits(-(turned @ held.T).amax(0), asked, names, kind)
    rows.append(row | {"queries": len(asked), "others": len(gallery) - 1})
    row = {"method": "raw roll, best alignment (costly)"}
    for kind, rolls in queried.items():
        row |= _hits(-_aligned(rolls[:costly], crops, gallery), asked[:costly], names, kind)
    rows.append(row | {"queries": min(costly, len(asked)), "others": len(gallery) - 1})
    return rows


def _hits(distance: Tensor, asked: Tensor, names: Tensor, kind: str) -> dict[str, float]:
    first = distance.argmin(1)
    same, strict = names[first] == names[asked], first == asked
    return {f"recall1{kind}": float(same.double().mean()), f"strict{kind}": float(strict.double().mean())}


def _keys(key: Key, crops: Crops, index: Tensor, *, mirrored: bool = False) -> Tensor:
    return torch.cat([_small(key(rolls.flip(2) if mirrored else rolls)) for rolls in map(crops.rolls, index.split(128))])


def _small(vectors: Tensor) -> Tensor:
    """As the search has them: long vectors in ``WIDTH`` random directions."""
    if vectors.shape[1] <= WIDTH:
        return vectors
    return vectors @ torch.randn(vectors.shape[1], WIDTH, generator=Generator().manual_seed(0)) / WIDTH**0.5


def _profile(rolls: Tensor) -> Tensor:
    return torch.nn.functional.normalize(_chroma(rolls).sum(2), dim=1)


def _calibration(key: Key, crops: Crops, gallery: Tensor, distance: Tensor, asked: Tensor) -> dict[str, float]:
    """How often windows of other songs get p-values below a level: were they right, so often as the level says."""
    null = _keys(key, crops, gallery[:4096], mirrored=True)
    probes = torch.arange(len(asked))[:100]
    own, gone = _keys(key, crops, gallery[asked[probes]]), crops.song[gallery]
    p = torch.cat([
        chance(distance[row][gone != gone[asked[row]]], torch.cdist(own[row][None], null)[0]) for row in probes.tolist()
    ])  # fmt: skip
    return {f"false_alarms_at_{level:g}": float((p <= level).double().mean()) for level in (0.01, 0.001, 0.0001)}


def _names(crops: Crops, index: Tensor) -> Tensor:
    """One number for each window, the same for windows that are one another's transpositions and shifts."""
    found: dict[bytes, int] = {}
    out = []
    for rolls in map(crops.rolls, index.split(256)):
        for roll in rolls.bool():
            where = roll[1].nonzero().amin(0)
            held = roll.nonzero() - torch.tensor([0, *where.tolist()])
            out.append(found.setdefault(held.numpy().tobytes(), len(found)))
    return torch.tensor(out)


def _varied(crops: Crops, songs: Sequence[Notes], index: Tensor, moves: Tensor, draw: Generator) -> Tensor:
    """The moved windows of songs in which a tenth of the notes is left out."""
    kept = []
    for song in songs:
        keep = torch.rand(len(song), generator=draw) >= DROPPED
        rows = {name: getattr(song, name)[keep] for name in ("onset", "length", "pitch", "velocity", "part")}
        kept.append(replace(song, **rows))
    thinned = Crops(kept, least=1)
    far = 1 << 20
    places = thinned.song * far + thinned.start
    wanted = crops.song[index] * far + crops.start[index]
    return thinned.rolls(torch.searchsorted(places, wanted), *moves.T)


def _aligned(rolls: Tensor, crops: Crops, gallery: Tensor, pitch: int = 12, time: int = 32) -> Tensor:
    """F1 of the onsets that agree under the best of all moves by so many semitones and cells either way, ``[n, gallery]``."""
    window, high, late = (torch.cat(each) for each in zip(*_onsets(crops, gallery), strict=True))
    bins = (2 * pitch + 1) * (2 * time + 1)
    count = torch.bincount(window, minlength=len(gallery))
    out = []
    for roll in rolls:
        at = roll[0].nonzero()
        tally = torch.zeros(len(gallery) * bins, dtype=torch.int32)
        for up, later in at.tolist():
            rise, delay = high - up, late - later
            near = (rise.abs() <= pitch) & (delay.abs() <= time)
            place = window[near] * bins + (rise[near] + pitch) * (2 * time + 1) + delay[near] + time
            tally[place] += 1  # an onset meets another at most once under one move, so no place repeats
        out.append(2 * tally.view(len(gallery), bins).amax(1) / (count + len(at)))
    return torch.stack(out)


def _onsets(crops: Crops, gallery: Tensor):  # type: ignore[no-untyped-def]
    gone = 0
    for rolls in map(crops.rolls, gallery.split(256)):
        window, high, late = rolls[:, 0].nonzero().T
        yield window + gone, high, late
        gone += len(rolls)
