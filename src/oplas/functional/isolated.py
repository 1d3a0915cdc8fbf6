"""Directions of several attributes, each inside the complement of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .directions import Probes, probes, ridge, song_weight
from .erasure import complement, moments


def isolated(
    z: Tensor, values: Tensor, song: Tensor, kinds: Sequence[str] | None = None, raw: Mapping[int, Tensor] | None = None
) -> Tensor:
    r"""For each attribute the direction that its own probe sees and no other: ``[m, d]``, zeros where there is none.

    With the latents' covariance C and ridge probes W of all attributes, an attribute's own direction :math:`v_0=Cw` (how z moves
    as its reading moves; or one given) loses what the others see, :math:`v=v_0-CW_o^\top(W_oCW_o^\top)^{+}W_ov_0`, and is scaled so
    that :math:`w'^\top v=1` for probes w' of songs that v was not found on.

    Args:
        z: ``[n, d]``. values: ``[n, m]``. song: ``[n]``.
        kinds: attributes of one kind do not exclude each other; default all do.
        raw: directions already found, by the attribute's number.
    """
    z, y, m = z.double(), values.double(), values.shape[1]
    none = torch.zeros(m, z.shape[1], dtype=z.dtype)
    songs = song.unique()
    if len(songs) < 4:
        return none
    kinds = list(kinds or map(str, range(m)))
    alive = (y - y.mean(0)).abs().amax(0) > 1e-9 * y.abs().amax(0).clamp_min(1e-300)
    read = probes(z, y, song)
    whole = _complements(z, y, song, read, kinds, alive, raw or {})
    side = torch.randperm(len(songs), generator=torch.Generator().manual_seed(0))
    half = torch.isin(song, songs[side[: len(songs) // 2]])
    gain = torch.zeros(m, dtype=z.dtype)
    for here in (half, ~half):
        mine, other = (ridge(z[part], y[part], song_weight(song[part]), read.penalty) for part in (here, ~here))
        gain += (_complements(z[here], y[here], song[here], mine, kinds, alive, raw or {}) * other.weight).sum(1) / 2
    usable = alive & (gain > 0.05)
    return torch.where(usable[:, None], whole / gain.clamp_min(0.05)[:, None], none)


def _complements(
    z: Tensor, y: Tensor, song: Tensor, read: Probes, kinds: Sequence[str], alive: Tensor, raw: Mapping[int, Tensor]
) -> Tensor:
    _, spread, _ = moments(z, y, song_weight(song))
    made = torch.zeros(len(kinds), z.shape[1], dtype=z.dtype)
    for me in alive.nonzero().flatten().tolist():
        others = [i for i in alive.nonzero().flatten().tolist() if i != me and kinds[i] != kinds[me]]
        v = raw[me].double() if me in raw else spread @ read.weight[me]
        v = complement(v[None], read.weight[others], spread)[0] if others else v
        made[me] = v / (read.weight[me] @ v).clamp_min(1e-300)
    return made
