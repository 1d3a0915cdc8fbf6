"""The frozen result of measuring a fader."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._told import Told, figure, table

#: Songs held out, at the least: with fewer no bound for nine songs in ten can be stated.
LEAST = 9
#: A fader holds when no other probe moves by more than this share of its spread while its own moves by its whole spread.
MOST = 1 / 3
#: A fader whose probe moves by less than this for each unit asked for is vacuous.
FAINT = 0.1


@dataclass(frozen=True)
class Doses:
    """The dose-response curve: what each amount does to the fader's own probe, in its unit, with 95 % intervals."""

    amounts: tuple[float, ...] = ()
    response: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    slope: float = math.nan
    slope_low: float = math.nan
    slope_high: float = math.nan

    @classmethod
    def of(cls, amounts: Tensor, curves: Tensor, slopes: Tensor) -> Doses:
        """From the curve of each draw ``[draws, amounts]`` and its slope ``[draws]``."""
        heard = slopes.isfinite()
        curves, slopes = curves[heard], slopes[heard]
        ends = torch.tensor([0.025, 0.975], dtype=curves.dtype)
        low, high = torch.quantile(curves, ends, 0).tolist()
        slope_low, slope_high = torch.quantile(slopes, ends).tolist()
        mean = tuple(curves.mean(0).tolist())
        return cls(tuple(amounts.tolist()), mean, tuple(low), tuple(high), float(slopes.mean()), slope_low, slope_high)

    @property
    def rises(self) -> bool:
        """Whether a larger amount always does more."""
        return all(b > a for a, b in zip(self.response, self.response[1:], strict=False))


@dataclass(frozen=True)
class Side:
    """What happens to another attribute's probe while the fader's own moves by one of its standard deviations.

    Attributes:
        effect: in standard deviations of the other attribute; low, high: 95 % interval over songs drawn.
        bound: its size stays below it for a new song, in a share ``level`` of cases (conformal), and is never less than the
            ends of the interval.
        spread: that standard deviation, in the attribute's unit.
    """

    name: str
    unit: str
    effect: float
    low: float
    high: float
    bound: float
    spread: float


@dataclass(frozen=True)
class FaderReport(Told):
    """A fader's dose-response curve and side effects on songs it was not learned from; verdict ``holds``, ``partly``, ``vacuous``.

    Attributes:
        probe_r2: how much of the attribute its probe reads on songs it was not fitted on.
        spread: the attribute's standard deviation, in its unit.
    """

    name: str
    unit: str
    verdict: str
    why: str
    doses: Doses
    sides: tuple[Side, ...]
    probe_r2: float
    spread: float
    songs: int
    rows: int
    level: float
    seed: int

    @classmethod
    def vacuous(cls, why: str, *, name: str, unit: str = "", songs: int = 0, rows: int = 0, level: float = 0.9, seed: int = 0,
                **known: Any) -> FaderReport:  # fmt: skip
        """Nothing can be said, and why."""
        blank: dict[str, Any] = {"doses": Doses(), "sides": (), "probe_r2": math.nan, "spread": math.nan, **known}
        return cls(name=name, unit=unit, verdict="vacuous", why=why, songs=songs, rows=rows, level=level, seed=seed, **blank)

    @property
    def largest(self) -> float:
        """The largest bound on any other probe; infinite where there is none to look at."""
        return max((side.bound for side in self.sides), default=math.inf)

    def __str__(self) -> str:
        head = f"{self.name}: {self.verdict}\n{self.why}"
        if not self.doses.amounts:
            return head
        unit = f" ({self.unit})" if self.unit else ""
        rows = zip(self.doses.amounts, self.doses.response, self.doses.low, self.doses.high, strict=True)
        curve = [(f"amount{unit}", "its probe", "95 %")]
        curve += [(f"{a:+.3g}", f"{r:+.3g}", f"{low:+.3g} … {high:+.3g}") for a, r, low, high in rows]
        sides = [("others, at one spread of its own", "effect", "95 %", f"bound ({self.level:.0%})", "in its unit")]
        for side in self.sides:
            interval = f"{side.low:+.3f} … {side.high:+.3f}"
            bound = f"{side.bound * side.spread:.3g} {side.unit}".strip()
            sides.append((side.name, f"{side.effect:+.3f}", interval, figure(side.bound), bound))
        told = [head, "", table(curve), ""]
        told += [table(sides), ""] if self.sides else []
        told.append(
            f"slope {figure(self.doses.slope)} ({figure(self.doses.slope_low)} … {figure(self.doses.slope_high)}) · one spread is "
            f"{self.spread:.3g} {self.unit or 'units'} · probe R² {figure(self.probe_r2)} · "
            f"{self.songs} songs, {self.rows} rows held out · seed {self.seed}"
        )
        return "\n".join(told)


def judged(doses: Doses, sides: tuple[Side, ...], probe_r2: float, facts: dict[str, Any], spread: float) -> FaderReport:
    """The verdict on what was measured."""
    known: dict[str, Any] = {"doses": doses, "sides": sides, "probe_r2": probe_r2, "spread": float(spread)}
    unread = f"its probe reads nothing of it on songs it was not fitted on (R² {probe_r2:.2f})"
    for wrong, why in (
        (not probe_r2 > 0.02, f"{unread}; no move could be seen"),
        (not doses.rises, "the dose-response curve does not rise throughout; the space holds no such direction"),
        (not doses.slope_low > 0, f"the slope's interval {doses.slope_low:.2f} … {doses.slope_high:.2f} holds 0; give more songs"),
        (not doses.slope > FAINT, f"a unit asked for is {doses.slope:.2f} of its probe: the direction means little on other songs"),
        (any(not math.isfinite(side.bound) for side in sides), "a bound could not be computed; give more songs"),
    ):
        if wrong:
            return FaderReport.vacuous(why, **facts, **known)
    off = f"one unit asked for is {doses.slope:.2f} of its probe"
    if not sides:
        alone = f"{off}; no other attribute was given, so nothing is known of side effects"
        return FaderReport(verdict="partly", why=alone, **facts, **known)
    worst = max(sides, key=lambda side: side.bound)
    most = f"{worst.name} moves most, below {worst.bound:.2f} of its spread for {facts['level']:.0%} of songs"
    along = f"{off}; of the others {most}"
    holds = worst.bound <= MOST and 0.5 <= doses.slope <= 2
    return FaderReport(verdict="holds" if holds else "partly", why=along, **facts, **known)
