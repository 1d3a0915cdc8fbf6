r"""How well a method tells sources apart: ratios over windows and songs, in the best order of parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .._errors import ShapeError
from .._told import Told, figure
from ..functional.separation import MOST, Ratios, orders, ratios, si_sdr
from .bounds import bootstrap

Within = Literal["window", "song", "all"]


@dataclass(frozen=True)
class Separation(Told):
    """Medians over windows, dB, each a mean over its sources; intervals are of songs drawn with replacement.

    Attributes:
        each: the median SI-SDR of every source, in the order of the sources.
        named: the share of windows whose own best order is the order they were judged in.
        silent: windows in which an estimate was silent; they count as minus infinity.
    """

    sdr: float
    sdr_interval: tuple[float, float]
    sir: float
    sar: float
    each: tuple[float, ...]
    named: float
    silent: int
    windows: int
    songs: int

    def __str__(self) -> str:
        low, high = self.sdr_interval
        return (
            f"SI-SDR {figure(self.sdr, 2)} dB ({figure(low, 2)} to {figure(high, 2)}), SI-SIR {figure(self.sir, 2)}, "
            f"SI-SAR {figure(self.sar, 2)}; {self.windows} windows of {self.songs} songs"
        )


def separation(
    sources: Sequence[Tensor], estimates: Sequence[Tensor], song: Sequence[int] | Tensor, *, within: Within = "song"
) -> Separation:
    r"""Judge estimates of sources. Parts come in any order, so the order with the highest mean SI-SDR is looked for

    - within each ``"window"``: what the literature on blind separation reports, an oracle;
    - within each ``"song"``: one order for all windows of a song, chosen by its median window;
    - within ``"all"``: one order for everything: only then has a part a name.

    Args:
        sources: a window each, ``[k, samples]``.
        estimates: a window each, ``[m, samples]``, :math:`m\ge k`; those left over are not judged.
        song: of each window.

    Raises:
        ShapeError, DataError: no windows, different numbers of them, fewer estimates than sources, or as
            :func:`oplas.functional.separation.ratios`.
    """
    songs = torch.as_tensor(song)
    if not len(sources) == len(estimates) == len(songs) > 0:
        raise ShapeError(f"{len(sources)} windows of sources, {len(estimates)} of estimates, {len(songs)} songs; give one each")
    k, m = len(sources[0]), len(estimates[0])
    if not k <= m <= MOST:
        raise ShapeError(f"{m} parts for {k} sources; give at least as many as sources, at most {MOST}")
    table = torch.stack([_every_pair(s, e) for s, e in zip(sources, estimates, strict=True)])
    every = orders(m, k)
    means = torch.stack([table[:, i, every[:, i]] for i in range(k)]).mean(0)
    own = means.argmax(1)
    group = {"window": torch.arange(len(songs)), "song": songs, "all": torch.zeros(len(songs), dtype=torch.long)}[within]
    chosen = own.clone()
    for each in group.unique():
        rows = group == each
        chosen[rows] = means[rows].median(0).values.argmax()
    found = [_judge(s, e[every[c]]) for s, e, c in zip(sources, estimates, chosen, strict=True)]
    sdr, sir, sar = (torch.stack([getattr(each, name) for each in found]) for name in Ratios._fields)
    whole = sdr.mean(1)
    return Separation(
        sdr=float(whole.median()),
        sdr_interval=bootstrap(lambda rows: float(whole[rows].median()), songs),
        sir=float(sir.mean(1).median()),
        sar=float(sar.mean(1).median()),
        each=tuple(sdr.median(0).values.tolist()),
        named=float((own == chosen).double().mean()),
        silent=int((sdr == -math.inf).any(1).sum()),
        windows=len(songs),
        songs=len(songs.unique()),
    )


def _every_pair(sources: Tensor, estimates: Tensor) -> Tensor:
    """SI-SDR of each estimate for each source, ``[k, m]``, within ±300 dB; silence has the least."""
    heard = (estimates != 0).any(1)
    if not bool(heard.any()):
        return sources.new_full((len(sources), len(estimates)), -300.0)
    shape = (len(sources), int(heard.sum()), sources.shape[1])
    told = sources.new_full((len(sources), len(estimates)), -300.0)
    told[:, heard] = si_sdr(sources[:, None].expand(shape), estimates[None, heard].expand(shape)).clamp(-300, 300)
    return told


def _judge(sources: Tensor, estimates: Tensor) -> Ratios:
    heard = (estimates != 0).any(1)
    if bool(heard.all()):
        return ratios(sources, estimates)
    if not bool(heard.any()):
        return Ratios(*(sources.new_full((len(sources),), -math.inf) for _ in Ratios._fields))
    part = ratios(sources, torch.where(heard[:, None], estimates, sources))
    return Ratios(*(torch.where(heard, each, -math.inf) for each in part))
