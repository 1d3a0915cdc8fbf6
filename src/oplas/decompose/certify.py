r"""The algebra of parts, measured on songs that were not learned from, each law beside what holds it without knowing anything.

- ``compose``: parts compose to the mixture, :math:`C(y_1\dots y_N)=x`, from one number a frame and part. Error against the codes,
  dB; the control composes the latents of another window.
- ``add up``: waveforms of the parts add up to the mixture's. Exact, to rounding.
- ``order``: latents in another order give the parts in that order, :math:`y(z_\pi)=y(z)_\pi`. Of a shared decoder, exact.
- ``union``: the parts of two mixtures together are the parts of each, summed: :math:`\hat s_i(a+b)=\hat s_i(a)+\hat s_i(b)`.
  SI-SDR, dB. A decomposition that gives every part the whole mixture, or one part all of it, obeys it too, and so does a + b itself
  as the estimate: this control has to be beaten. A second control adds the next part of b, :math:`\hat s_{i+1}(b)`: where it does
  as well, parts carry no name from song to song.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .._told import Told, figure, table
from ..functional.separation import si_sdr
from ..measure.bounds import bootstrap
from .blending import render
from .decomposition import Decomposition
from .sizes import preset
from .windows import Songs, draw, mixtures

EXACT = -100.0


@dataclass(frozen=True)
class Law(Told):
    """A law's figure, dB: the median over windows, its 95 % interval over songs, and the best of its controls."""

    name: str
    value: float
    low: float
    high: float
    control: float
    verdict: str


@dataclass(frozen=True)
class PartsCertificate(Told):
    """Made by :func:`certify`. ``level`` is each part's share of the mixture's power, dB."""

    laws: tuple[Law, ...]
    names: tuple[str, ...]
    level: tuple[float, ...]
    windows: int
    songs: int
    steps: int
    seed: int
    learned: dict[str, Any]

    def __str__(self) -> str:
        rows = [("law", "dB", "95 %", "control", "verdict")]
        for law in self.laws:
            interval = f"{figure(law.low, 1)} … {figure(law.high, 1)}" if math.isfinite(law.low) else "–"
            rows.append((law.name, figure(law.value, 1), interval, figure(law.control, 1), law.verdict))
        shares = ", ".join(f"{name} {figure(level, 1)}" for name, level in zip(self.names, self.level, strict=True))
        source = f"{self.windows} windows of {self.songs} songs · {self.steps} steps · seed {self.seed}"
        return "\n".join((table(rows), "", f"share of the mixture, dB: {shares}", source))


@torch.no_grad()
def certify(
    made: Decomposition, songs: Songs, *, windows: int = 32, steps: int = 1, rate: int | None = None, seed: int = 1
) -> PartsCertificate:
    """Measure the laws on songs that were not learned from.

    Args:
        songs: as :func:`oplas.decompose.learn` takes them.
        windows: as long as those learned from, at random places; two of different songs are mixed for ``union``.

    Raises:
        DataError: fewer than two songs are left when those learned from are taken away.
    """
    codec, model, frames = made.codec, made.model, preset(made.model.size).frames
    data = mixtures(songs, codec.rate, codec.samples(frames) / codec.rate, at=rate)
    known = set(made.card.get("songs", {}).get("digests", ()))
    if fresh := [song.name for song in data.songs if song.digest[:16] not in known]:
        data = data.select(fresh)
    if len(fresh) < 2:
        raise DataError(f"{len(fresh)} song(s) are left when those learned from are taken away; give at least 2 others")
    batch = draw(data, codec, windows, frames, Generator().manual_seed(seed))
    other = _partners(batch.song)
    x, waves = batch.codes, batch.waves
    z = model.latents(x)
    y = render(model, z, x, steps=steps, seed=seed)
    split = made.split(waves, codec.rate, steps=steps, seed=seed)
    order = torch.arange(made.parts).roll(1)
    told = []
    if model.view != "clean":  # one that shares a mixture out claims no such thing
        strange = model.compose(render(model, z[other], x, steps=steps, seed=seed))
        told.append(_median("compose", _error(model.compose(y), x), batch.song, _error(strange, x)))
    told.append(_exact("add up", _error(split.sum(1), waves), batch.song))
    if model.decoder == "shared":  # decoders of their own make no such claim either
        told.append(_exact("order", _error(render(model, z[:, order], x, steps=steps, seed=seed), y[:, order]), batch.song))
    if made.parts > 1:
        both = made.split(waves + waves[other], codec.rate, steps=steps, seed=seed)
        whole = (waves + waves[other]).unsqueeze(1).expand_as(split)
        wanted, swapped = split + split[other], split + split[other][:, order]
        controls = [_sdr(wanted, whole), _sdr(swapped, both)]
        told.append(_median("union", _sdr(wanted, both), batch.song, *controls))
    level = split.square().mean((0, 2)) / waves.square().mean()
    return PartsCertificate(tuple(told), made.names, tuple((10 * level.clamp_min(1e-12).log10()).tolist()), windows,
                            len(batch.song.unique()), steps, seed, dict(made.card))  # fmt: skip


def _partners(song: Tensor) -> Tensor:
    """For each window one of another song, the next in the batch."""
    partners = []
    for i in range(len(song)):
        rest = [(i + j) % len(song) for j in range(1, len(song))]
        partners.append(next((j for j in rest if song[j] != song[i]), rest[0]))
    return torch.tensor(partners)


def _error(made: Tensor, wanted: Tensor) -> Tensor:
    """Of each window, dB of what was wanted."""
    off, of = (made - wanted).flatten(1).norm(dim=1), wanted.flatten(1).norm(dim=1)
    return 20 * (off / of).clamp_min(1e-12).log10()


def _sdr(sources: Tensor, estimates: Tensor) -> Tensor:
    """Mean over parts; a silent part has the least."""
    heard = (sources != 0).any(-1) & (estimates != 0).any(-1)
    told = sources.new_full(heard.shape, -100.0)
    if bool(heard.any()):
        told[heard] = si_sdr(sources[heard], estimates[heard]).clamp(-100, 100)
    return told.mean(1)


def _median(name: str, value: Tensor, song: Tensor, *controls: Tensor) -> Law:
    """Errors are better the lower, SI-SDR the higher: the law has to beat every control by the window."""
    sign = -1 if name == "compose" else 1
    best = torch.stack(controls).median(1).values.mul(sign).max().mul(sign)
    margin = torch.stack([sign * (value - control) for control in controls]).amin(0)
    low, _ = bootstrap(lambda rows: float(margin[rows].median()), song)
    interval = bootstrap(lambda rows: float(value[rows].median()), song)
    verdict = "holds" if low >= 3 else "partly" if low > 0 else "vacuous"
    return Law(name, float(value.median()), *interval, float(best), verdict)


def _exact(name: str, value: Tensor, song: Tensor) -> Law:
    interval = bootstrap(lambda rows: float(value[rows].median()), song)
    worst = float(value.max())
    return Law(name, float(value.median()), *interval, math.nan, "exact" if worst <= EXACT else "holds not")
