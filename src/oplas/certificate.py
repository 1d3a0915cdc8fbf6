"""The frozen result of a certification."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ._told import Told, figure, table


@dataclass(frozen=True)
class Row:
    """One space judged on the same evidence; the first row of a certificate is the space itself, the others are controls.

    Units: r2, affinity, shares in [.., 1]; defect in units of the space's scatter; ranks counted from 1 (1 is a hit).
    """

    space: str
    r2: float
    r2_low: float
    r2_high: float
    affinity: float
    defect: float
    top1: float
    top1_low: float
    top1_high: float
    top5: float
    median_rank: float
    effective_rank: float
    probe: float
    overlap: float


@dataclass(frozen=True)
class Certificate(Told):
    """How well a space's law holds on songs it has never heard, and what it costs. Made by :func:`oplas.certify`."""

    verdict: str
    why: str
    law: str
    rows: tuple[Row, ...]
    by_count: dict[int, dict[str, float]]
    homogeneity: dict[str, float]
    conformal: dict[str, float]
    residuals: dict[str, dict[str, float | str]]
    axioms: dict[str, Any]
    code_r2: float
    chance: dict[str, float]
    songs: int
    trials: int
    candidates: int
    encoder: dict[str, Any]
    seed: int
    data: str
    versions: dict[str, str]
    plots: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def row(self) -> Row:
        """The certified space's own row."""
        return self.rows[0]

    def __str__(self) -> str:
        head = ("space", "R²", "95 %", "affine", "defect", "top-1", "top-5", "median rank", "eff. rank", "probe", "overlap")
        lines: list[tuple[str, ...]] = [head]
        for r in self.rows:
            interval = f"{figure(r.r2_low)} … {figure(r.r2_high)}" if math.isfinite(r.r2_low) else "–"
            figures = (r.r2, None, r.affinity, r.defect, r.top1, r.top5, r.median_rank, r.effective_rank, r.probe, r.overlap)
            cells = [interval if f is None else figure(f, 0 if i == 6 else 1 if i == 7 else 3) for i, f in enumerate(figures)]
            lines.append((r.space, *cells))
        parts = " · ".join(f"{k} parts: R² {figure(v['r2'])}, top-1 {figure(v['top1'])}" for k, v in self.by_count.items())
        kept = (
            f"probe: instrument family, chance {figure(self.chance['probe'])}; "
            f"top-1 of {self.candidates} candidates, chance {figure(self.chance['top1'], 5)}"
        )
        gain = f"a gain g scales the space by g^{figure(self.homogeneity['exponent'], 2)} (R² {figure(self.homogeneity['r2'])})"
        bound, level = self.conformal["bound"], self.conformal["level"]
        new = (
            f"a new song's defect stays below {figure(bound)} in {level:.0%} of cases"
            if math.isfinite(bound)
            else f"no bound for a new song: {self.songs} songs are too few for {level:.0%}"
        )
        source = f"{self.trials} trials from {self.songs} songs · encoder {self.encoder['name']} · seed {self.seed}"
        return "\n".join((f"{self.law}: {self.verdict}", self.why, "", table(lines), "", parts, kept, gain, new, source))
