"""Directions of several attributes, each inside the complement of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Generator, Tensor

from .directions import Probes, probes, ridge, song_weight
from .erasure import complement, moments

#: How often the songs are drawn anew to see where their probes disagree.
DRAWS = 24


def isolated(
    z: Tensor, values: Tensor, song: Tensor, kinds: Sequence[str] | None = None, raw: Mapping[int, Tensor] | None = None
) -> Tensor:
    r"""For each attribute the direction that its own probe sees and no other: ``[m, d]``, zeros where there is none.

    Ridge probes W read all attributes; C is the latents' covariance. An attribute's own direction :math:`v_0=Cw` says how z moves
    as its reading moves (or one is given). Other songs would have had other probes: where those of the other attributes scatter,
    J, when songs are drawn again, no move is to be trusted. So v_0 is shrunk there, and then loses what the others see:

    .. math:: G=(C^{-1}+J/\varepsilon)^{-1},\qquad v=u-G\,W_o^\top(W_oGW_o^\top)^{+}W_ou,\quad u=G\,C^{-1}v_0

    with :math:`\varepsilon=\operatorname{tr}(JC)/d`; without J this is :func:`oplas.functional.erasure.complement`, that of LEACE.
    v is scaled so that :math:`w'^\top v=1` for probes w' of songs that it was not found on.

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
    whole = _apart(z, y, song, read, kinds, alive, raw or {})
    side = torch.randperm(len(songs), generator=Generator().manual_seed(0))
    half = torch.isin(song, songs[side[: len(songs) // 2]])
    gain = torch.zeros(m, dtype=z.dtype)
    for here in (half, ~half):
        mine, other = (ridge(z[part], y[part], song_weight(song[part]), read.penalty) for part in (here, ~here))
        gain += (_apart(z[here], y[here], song[here], mine, kinds, alive, raw or {}) * other.weight).sum(1) / 2
    usable = alive & (gain > 0.05)
    return torch.where(usable[:, None], whole / gain.clamp_min(0.05)[:, None], none)


def _apart(
    z: Tensor, y: Tensor, song: Tensor, read: Probes, kinds: Sequence[str], alive: Tensor, raw: Mapping[int, Tensor]
) -> Tensor:
    """Unscaled directions: each moves its own probe, of the same songs, by one."""
    _, spread, _ = moments(z, y, song_weight(song))
    spread = spread + 1e-6 * spread.trace() / len(spread) * torch.eye(len(spread), dtype=z.dtype)
    size = (y - y.mean(0)).square().mean(0).sqrt().clamp_min(1e-300)
    scatter = (_redrawn(z, y, song, read.penalty) - read.weight) / size[:, None]
    precision = torch.linalg.inv(spread)
    made = torch.zeros_like(read.weight)
    for me in alive.nonzero().flatten().tolist():
        others = [i for i in alive.nonzero().flatten().tolist() if kinds[i] != kinds[me]]
        v = raw[me].double() if me in raw else spread @ read.weight[me]
        if others:
            off = scatter[:, others].flatten(0, 1)
            most = ((off @ spread) * off).sum() / len(spread)
            trusted = torch.linalg.inv(precision + off.T @ off / most.clamp_min(1e-300))
            v = complement((trusted @ (precision @ v))[None], read.weight[others], trusted)[0]
        made[me] = v / (read.weight[me] @ v).clamp_min(1e-300)
    return made


def _redrawn(z: Tensor, y: Tensor, song: Tensor, penalty: Tensor) -> Tensor:
    """Probes of songs drawn with replacement, ``[draws, m, d]``."""
    songs, index = song.unique(return_inverse=True)
    weight, generator, made = song_weight(song), Generator().manual_seed(1), []
    for _ in range(DRAWS):
        count = torch.bincount(torch.randint(len(songs), (len(songs),), generator=generator), minlength=len(songs))
        made.append(ridge(z, y, weight * count[index], penalty).weight)
    return torch.stack(made)
