"""What a fader does to the probes of songs it was not learned from: its own, and every other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import ShapeError
from ..functional.directions import Probes, probes, ridge
from .bounds import conformal
from .fader_report import LEAST, Doses, FaderReport, Side, judged

#: Linear axes and radial features that the judge's probes read, and how many rows are moved.
AXES, RADIAL, ROWS = 256, 64, 2000


class Judge:
    r"""Probes of all attributes, fitted again and again on songs drawn with replacement, and read on the songs not drawn.

    A probe is ridge regression on the latent and on random Fourier features of its leading axes (Rahimi & Recht 2007,
    https://papers.nips.cc/paper/3182), so that it need not be linear; its penalty is chosen by cross-validation over songs. What
    a fader does to it, :math:`\hat y(z+av)-\hat y(z)`, is read on songs left out of its draw alone.

    Args:
        z: latents ``[n, d]``. values: attributes ``[n, m]``. song: ``[n]``, integers.
        names, units: one an attribute. Names ``kind=value`` are labels of one kind, no side effects of each other.
    """

    def __init__(
        self, z: Tensor, values: Tensor, song: Tensor, names: Sequence[str], units: Sequence[str] | None = None, *,
        draws: int = 100, seed: int = 0,
    ) -> None:  # fmt: skip
        if not len(z) == len(values) == len(song) or values.shape[1:] != (len(names),):
            shapes = f"latents {list(z.shape)}, values {list(values.shape)} and {len(song)} songs for {len(names)} attributes"
            raise ShapeError(f"{shapes} do not go together; give one row of each an item")
        self.z, self.values, self.names = z.double(), values.double(), tuple(names)
        self.units = tuple(units) if units else ("",) * len(names)
        self.songs, self.song = song.unique(return_inverse=True)
        self.draws, self.seed = draws, seed
        weight = 1 / torch.bincount(self.song)[self.song].double()
        self.weight = weight / weight.sum()
        mean = self.weight @ self.values
        self.spread = (self.weight @ (self.values - mean).square()).sqrt()

    @cached_property
    def _map(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mean and axes of the latents, and the radial features' frequencies, phases and size."""
        mean = self.weight @ self.z
        centred = self.z - mean
        values, axes = torch.linalg.eigh(centred.T @ (self.weight[:, None] * centred))
        axes = axes.flip(1)[:, :AXES]
        lead = axes[:, :16] / values.flip(0)[:16].sum().clamp_min(1e-300).sqrt()
        generator = Generator().manual_seed(self.seed)
        frequency = lead @ torch.randn(lead.shape[1], RADIAL, generator=generator, dtype=lead.dtype)
        phase = 2 * math.pi * torch.rand(RADIAL, generator=generator, dtype=lead.dtype)
        return mean, axes, frequency, phase, (2 * values.clamp_min(0).mean()).sqrt()

    def _features(self, z: Tensor) -> Tensor:
        mean, axes, frequency, phase, size = self._map
        centred = z - mean
        return torch.cat([centred @ axes, size * torch.cos(centred @ frequency + phase)], 1)

    @cached_property
    def whole(self) -> Probes:
        """The probes on all songs; their ``r2`` is that of cross-validation over songs."""
        return probes(self._features(self.z), self.values, self.song)

    @cached_property
    def _drawn(self) -> tuple[Tensor, Tensor]:
        """Weights of the probes of each draw ``[draws, m, features]``, and which songs it left out ``[draws, songs]``."""
        x, generator = self._features(self.z), Generator().manual_seed(self.seed + 1)
        made, out = [], []
        for _ in range(self.draws):
            count = torch.bincount(
                torch.randint(len(self.songs), (len(self.songs),), generator=generator), minlength=len(self.songs)
            )
            made.append(ridge(x, self.values, self.weight * count[self.song], self.whole.penalty).weight)
            out.append(count == 0)
        return torch.stack(made), torch.stack(out)

    def effects(self, direction: Tensor, amounts: Tensor) -> Tensor:
        """What each amount does to each draw's probes on each song left out: ``[draws, songs, amounts, m]``, NaN elsewhere."""
        rows = torch.randperm(len(self.z), generator=Generator().manual_seed(self.seed))[:ROWS]
        mean, axes, frequency, phase, size = self._map
        song, centred = self.song[rows], self.z[rows] - mean
        count = torch.bincount(song, minlength=len(self.songs)).double()[:, None]
        turn, along, start = direction.double() @ frequency, direction.double() @ axes, centred @ frequency + phase
        moved = []
        for amount in amounts.tolist():  # the linear features of every row move alike, the radial ones by where it lies
            waves = size * (torch.cos(start + amount * turn) - torch.cos(start))
            by_song = torch.zeros(len(count), RADIAL, dtype=waves.dtype).index_add_(0, song, waves) / count
            moved.append(torch.cat([(amount * along).expand(len(count), -1), by_song], 1))
        weight, out = self._drawn
        found = torch.einsum("saf,bmf->bsam", torch.stack(moved, 1), weight)
        return torch.where(out[:, :, None, None] & (count > 0)[None, :, :, None], found, torch.nan)

    def slope(self, direction: Tensor, name: str) -> float:
        """What the fader's own probe moves for each unit asked for, over one standard deviation each way; NaN where none can be."""
        me = self.names.index(name)
        pair = self.effects(direction, self.spread[me] * torch.tensor([-1.0, 1.0], dtype=self.z.dtype))[..., me]
        return float((pair[:, :, 1] - pair[:, :, 0]).nanmean() / (2 * self.spread[me]))

    def report(self, direction: Tensor, name: str, *, reach: float | None = None, level: float = 0.9) -> FaderReport:
        """The fader's dose-response curve, and the bound on every other probe, on these songs.

        Args:
            reach: the largest amount; default half the range of the middle 90 % of values (two values: their difference).
            level: share of new songs for which a bound shall hold.
        """
        me = self.names.index(name)
        own, spread = self.values[:, me], float(self.spread[me])
        facts: dict[str, Any] = {"name": name, "unit": self.units[me], "songs": len(self.songs), "rows": len(self.z)}
        facts |= {"level": level, "seed": self.seed}
        if reason := self._empty(direction, me):
            return FaderReport.vacuous(reason, **facts)
        if reach is None:
            low, high = torch.quantile(own, torch.tensor([0.05, 0.95], dtype=own.dtype)).tolist()
            reach = float(own.max() - own.min()) if len(own.unique()) == 2 else (high - low) / 2 or spread
        amounts = torch.linspace(-reach, reach, 9, dtype=torch.float64)
        found = self.effects(direction, torch.cat([amounts, amounts.new_tensor([-spread, spread])]))
        curve, one = found[:, :, :-2, me].nanmean(1), found[:, :, -2:]
        slopes = curve @ amounts / amounts.square().sum()
        each = (one[:, :, 1] - one[:, :, 0]) / 2 / self.spread  # of one spread asked for, in spreads: [draws, songs, m]
        own_effect = float(each[..., me].nanmean())
        kind = name.partition("=")[0] + "="
        sides = []
        for other, label in enumerate(self.names):
            if other == me or ("=" in name and label.startswith(kind)):
                continue
            if float(self.spread[other]) > 1e-9 * float(self.values[:, other].abs().max()):
                sides.append(self._side(each[..., other] / own_effect, other, level))
        doses = Doses.of(amounts, curve, slopes)
        return judged(doses, tuple(sides), float(self.whole.r2[me]), facts, spread)

    def _empty(self, direction: Tensor, me: int) -> str:
        own, few = self.values[:, me], len(self.songs)
        if few < LEAST:
            return f"{few} songs were held out, and {LEAST} are the fewest that can bound anything; give more songs"
        if float(self.spread[me]) <= 1e-9 * max(float(own.abs().max()), 1e-300):
            return f"on the songs held out it is always {float(own[0]):g}; give songs in which it varies"
        if not bool(torch.isfinite(direction).all()) or not bool(direction.any()):
            return "no direction could be learned"
        return ""

    def _side(self, effect: Tensor, other: int, level: float) -> Side:
        draws = effect.nanmean(1)
        low, high = torch.quantile(draws[draws.isfinite()], torch.tensor([0.025, 0.975], dtype=draws.dtype)).tolist()
        order = torch.randperm(len(effect), generator=Generator().manual_seed(self.seed + other))
        spread_out = torch.stack([column.roll(k) for k, column in enumerate(effect[order].T)], 1)  # another probe for every song
        bound = max(conformal(scores(spread_out), level), abs(low), abs(high))
        return Side(self.names[other], self.units[other], float(draws.nanmean()), low, high, bound, float(self.spread[other]))


def scores(effect: Tensor) -> Tensor:
    """The size of an effect ``[draws, songs]`` on each song by the first draw that left it out: one probe that has not heard it."""
    first = effect.isfinite().int().argmax(0)
    found = effect.abs()[first, torch.arange(effect.shape[1])]
    return found[found.isfinite()]
