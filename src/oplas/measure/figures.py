"""The frozen result of measuring a translation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._told import Told, figure, table


@dataclass(frozen=True)
class Figures:
    r"""What came out for one translation, beside what should have; a report's first row is the translation itself.

    Scale-sensitive: ``r2``, :math:`1-\sum\|y-\hat y\|^2/\sum\|y-\bar y\|^2`. Scale-free: ``r2_scaled``, the same once one
    offset and one positive factor are granted; ``cosine``, the mean of :math:`\cos(\hat y, y)`; ``top1``, ``top5``, ``top10``,
    how often y is among the nearest of the gallery by cosine (R@k); ``neighbours``, mutual nearest neighbours of the two clouds;
    ``cka``, debiased. Low and high ends are 95 % bootstrap intervals over groups. NaN where a figure has no meaning, as across
    dimensions.
    """

    name: str
    r2: float = math.nan
    r2_low: float = math.nan
    r2_high: float = math.nan
    r2_scaled: float = math.nan
    cosine: float = math.nan
    top1: float = math.nan
    top1_low: float = math.nan
    top1_high: float = math.nan
    top5: float = math.nan
    top10: float = math.nan
    top10_low: float = math.nan
    neighbours: float = math.nan
    cka: float = math.nan


@dataclass(frozen=True)
class TranslationReport(Told):
    """A translation's figures on held-out rows. Made by :func:`report`.

    Attributes:
        rows: the translation, then its controls: fitted on shuffled pairs, the target's mean as prediction, nothing done.
        curve: for numbers of anchors, R² and R@1 on the same held-out rows.
        anchors_needed: anchors at which R² comes within 5 % of what all of them give, along the curve; NaN without one.
        ceiling: R² that no function of the source can exceed, from the scatter of repeats; NaN where nothing is repeated.
        bound: with probability ``level`` a new row's (a new group's root-mean-square) error stays below it, in units of the
            target's root-mean-square spread; infinite where too few rows were held out.
        neighbours_p: p-value of "translated rows are no nearer to their partners' neighbours than shuffled ones".
        correspondence_p: the same of the source as it is: whether the rows correspond at all, whatever the translation.
    """

    verdict: str
    why: str
    translator: str
    rows: tuple[Figures, ...]
    curve: tuple[dict[str, float], ...]
    anchors_needed: float
    ceiling: float
    bound: float
    level: float
    neighbours_p: float
    correspondence_p: float
    chance: dict[str, float]
    anchors: int
    held_out: int
    groups: int
    candidates: int
    dims: tuple[int, int]
    warnings: tuple[str, ...]
    seed: int
    versions: dict[str, str]

    @property
    def row(self) -> Figures:
        """The translation's own figures."""
        return self.rows[0]

    def __str__(self) -> str:
        lines: list[tuple[str, ...]] = [
            ("translation", "R²", "95 %", "R² scaled", "cosine", "R@1", "R@5", "R@10", "neighbours", "CKA")
        ]
        for r in self.rows:
            interval = f"{figure(r.r2_low)} … {figure(r.r2_high)}" if math.isfinite(r.r2_low) else "–"
            figures = (r.r2_scaled, r.cosine, r.top1, r.top5, r.top10, r.neighbours, r.cka)
            lines.append((r.name, figure(r.r2), interval, *map(figure, figures)))
        near = f"neighbours {figure(self.chance['neighbours'])} (p = {self.neighbours_p:.2g})"
        chance = f"chance: R@1 {figure(self.chance['top1'], 5)} of {self.candidates}, {near}"
        curve = " · ".join(f"{p['anchors']:.0f}: {figure(p['r2'])} / {figure(p['top1'])}" for p in self.curve)
        needed = f"; {self.anchors_needed:.0f} come within 5 % of all" if math.isfinite(self.anchors_needed) else ""
        new = "row" if self.groups == self.held_out else "group"
        bound = (
            f"a new {new}'s error stays below {figure(self.bound)} of the target's spread in {self.level:.0%} of cases"
            if math.isfinite(self.bound)
            else f"no bound for a new {new}: {self.groups} held out are too few for {self.level:.0%}"
        )
        told = [chance, bound]
        if curve:
            told.append(f"anchors: R² / R@1 · {curve}{needed}")
        if math.isfinite(self.ceiling):
            told.append(f"noise ceiling from repeats: R² {figure(self.ceiling)}")
        told += [f"warning: {each}" for each in self.warnings]
        source = (
            f"{self.dims[0]} → {self.dims[1]} dimensions · {self.anchors} anchors, {self.held_out} rows held out · seed {self.seed}"
        )
        return "\n".join((f"{self.translator}: {self.verdict}", self.why, "", table(lines), "", *told, source))
