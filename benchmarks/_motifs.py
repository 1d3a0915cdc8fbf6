"""Motif search on held-out songs: is a phrase, transposed and shifted, found first among thousands of others?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Generator, Tensor

from oplas import motifs
from oplas.data import Crops, Notes
from oplas.motifs import WIDTH, chance
from oplas.rollspace import RollSpace

Key = Callable[[Tensor], Tensor]
"""Rolls ``[n, 2, 128, 128]`` to vectors ``[n, d]``."""
BAR = 16
DROPPED = 0.1


@dataclass(frozen=True)
class Method:
    """How windows are held, and how far queries are from what is held, ``[n, m]``; by default Euclidean distance of the same."""

    hold: Key
    ask: Callable[[Tensor, Tensor], Tensor] | None = None

    def far(self, rolls: Tensor, held: Tensor) -> Tensor:
        return self.ask(rolls, held) if self.ask is not None else self.straight(rolls, held)

    def straight(self, rolls: Tensor, held: Tensor) -> Tensor:
        return torch.cdist(self.hold(rolls), held)


def content(space: RollSpace) -> Method:
    """The search of oplas in a space: what rolls are, asked for as if they lay a little elsewhere, too."""
    return Method(partial(motifs.content, space), partial(motifs.distances, space))


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
    songs: Sequence[Notes], spaces: dict[str, Method], *, others: int = 10_000, queries: int = 500, costly: int = 30, seed: int = 0
) -> list[dict[str, object]]:
    """A row for each space and each baseline.

    Gallery: windows of 96 sixteenths from every song, one a bar, or more where it takes more. Query: one of them, moved by up to
    ±6 semitones and ±16 sixteenths, neither 0; and the same with a tenth of the notes left out. A hit is the window itself or one
    where the same notes begin (a chorus that is repeated, in whatever key); ``strict`` counts the window itself alone,
    ``as_it_lies`` is the search without asking for phrases as if they lay a little elsewhere. There is a query for every fifty
    windows at most.
    """
    draw = Generator().manual_seed(seed)
    crops = Crops(songs, least=8)
    hop = BAR
    while hop > 1 and len(crops.grid(hop)) <= others:
        hop //= 2
    gallery = crops.grid(hop)
    gallery = gallery[torch.randperm(len(gallery), generator=draw)[: others + 1]]
    asked = torch.randperm(len(gallery), generator=draw)[: min(queries, others // 50)]
    moves = crops.moves(gallery[asked], draw)
    while (still := (moves == 0).any(1)).any():
        moves[still] = crops.moves(gallery[asked[still]], draw)
    names = _names(crops, gallery)
    queried = {"": crops.rolls(gallery[asked], *moves.T), "_varied": _varied(crops, songs, gallery[asked], moves, draw)}
    plain = {"Fourier magnitude (exact)": fourier, "chroma's Fourier magnitude": chroma_fourier, "raw roll, cosine": raw}
    baselines = {name: Method(partial(_small, key)) for name, key in plain.items()}
    rows: list[dict[str, object]] = []
    for name, method in {**spaces, **baselines}.items():
        held = _held(method, crops, gallery)
        row: dict[str, object] = {"method": name}
        for kind, rolls in queried.items():
            row |= _hits(method.far(rolls, held), asked, names, kind)
            if method.ask is not None:
                row[f"recall1{kind}_as_it_lies"] = _hits(method.straight(rolls, held), asked, names, "")["recall1"]
        if method.ask is not None:
            row |= _calibration(method, crops, gallery, held, asked[:50])
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


def _held(method: Method, crops: Crops, index: Tensor) -> Tensor:
    return torch.cat([method.hold(crops.rolls(part)) for part in index.split(128)])


def _small(key: Key, rolls: Tensor) -> Tensor:
    """Long vectors in ``WIDTH`` random directions, as the search has them."""
    vectors = key(rolls)
    return vectors @ torch.randn(vectors.shape[1], WIDTH, generator=Generator().manual_seed(0)) / WIDTH**0.5


def _profile(rolls: Tensor) -> Tensor:
    return torch.nn.functional.normalize(_chroma(rolls).sum(2), dim=1)


def _calibration(method: Method, crops: Crops, gallery: Tensor, held: Tensor, asked: Tensor) -> dict[str, float]:
    """How often windows of other songs get p-values below a level: were they right, so often as the level says."""
    null = torch.cat([method.hold(crops.rolls(part).flip(2)) for part in gallery[:4096].split(128)])
    rolls, song = crops.rolls(gallery[asked]), crops.song[gallery]
    far, unrelated = method.far(rolls, held), method.far(rolls, null)
    p = torch.cat([chance(far[row][song != song[each]], unrelated[row]) for row, each in enumerate(asked.tolist())])
    return {f"false_alarms_at_{level:g}": float((p <= level).double().mean()) for level in (0.01, 0.001, 0.0001)}


def _names(crops: Crops, index: Tensor) -> Tensor:
    """One number for each window, the same where the same notes begin, transposed and shifted."""
    found: dict[bytes, int] = {}
    out = []
    for rolls in map(crops.rolls, index.split(256)):
        for roll in rolls[:, 0]:
            begins = roll.nonzero()
            out.append(found.setdefault((begins - begins.amin(0)).numpy().tobytes(), len(found)))
    return torch.tensor(out)


def _varied(crops: Crops, songs: Sequence[Notes], index: Tensor, moves: Tensor, draw: Generator) -> Tensor:
    """The moved windows of songs in which a tenth of the notes is left out."""
    kept = [song.pick(torch.rand(len(song), generator=draw) >= DROPPED) for song in songs]
    thinned = Crops(kept, least=1)
    far = 1 << 20
    places = thinned.song * far + thinned.start
    wanted = crops.song[index] * far + crops.start[index]
    at = torch.searchsorted(places, wanted).clamp_max(len(places) - 1)
    there = places[at] == wanted  # a song may end earlier now
    return torch.where(there[:, None, None, None], thinned.rolls(at, *moves.T), crops.rolls(index, *moves.T))


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
