"""The frozen result of a certification."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import _artefact


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
class Certificate:
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

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it: figures that could not be measured become null."""
        clean = _artefact.plain(asdict(self))
        assert isinstance(clean, dict)
        return clean

    def save(self, file: str | Path) -> Path:
        """Write as JSON, whole or not at all."""
        return _artefact.write_text(Path(file), json.dumps(self.to_dict(), indent=1) + "\n")

    def __str__(self) -> str:
        head = ("space", "R²", "95 %", "affine", "defect", "top-1", "top-5", "median rank", "eff. rank", "probe", "overlap")
        lines: list[tuple[str, ...]] = [head]
        for r in self.rows:
            interval = f"{_n(r.r2_low)} … {_n(r.r2_high)}" if math.isfinite(r.r2_low) else "–"
            figures = (r.r2, None, r.affinity, r.defect, r.top1, r.top5, r.median_rank, r.effective_rank, r.probe, r.overlap)
            cells = [interval if f is None else _n(f, 0 if i == 6 else 1 if i == 7 else 3) for i, f in enumerate(figures)]
            lines.append((r.space, *cells))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        table = "\n".join(
            "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
            for line in lines
        )
        parts = " · ".join(f"{k} parts: R² {_n(v['r2'])}, top-1 {_n(v['top1'])}" for k, v in self.by_count.items())
        kept = (
            f"probe: instrument family, chance {_n(self.chance['probe'])}; "
            f"top-1 of {self.candidates} candidates, chance {_n(self.chance['top1'], 5)}"
        )
        gain = f"a gain g scales the space by g^{_n(self.homogeneity['exponent'], 2)} (R² {_n(self.homogeneity['r2'])})"
        bound, level = self.conformal["bound"], self.conformal["level"]
        new = (
            f"a new song's defect stays below {_n(bound)} in {level:.0%} of cases"
            if math.isfinite(bound)
            else f"no bound for a new song: {self.songs} songs are too few for {level:.0%}"
        )
        source = f"{self.trials} trials from {self.songs} songs · encoder {self.encoder['name']} · seed {self.seed}"
        return "\n".join((f"{self.law}: {self.verdict}", self.why, "", table, "", parts, kept, gain, new, source))


def _n(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
