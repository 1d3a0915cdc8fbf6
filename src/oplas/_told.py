"""How frozen results are told: as JSON, as a file of it, as a table in plain text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import _artefact


class Told:
    """A dataclass of results that can be kept as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it: figures that could not be measured become null."""
        clean = _artefact.plain(asdict(self))  # type: ignore[call-overload]
        assert isinstance(clean, dict)
        return clean

    def save(self, file: str | Path) -> Path:
        """Write as JSON, whole or not at all."""
        return _artefact.write_text(Path(file), json.dumps(self.to_dict(), indent=1) + "\n")


def figure(value: float, digits: int = 3) -> str:
    """A figure of so many digits, a dash where it could not be measured."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def table(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns, the first to the left and all others to the right.

    >>> print(table([("space", "R²"), ("raw", "0.5")]))
    space   R²
    raw    0.5
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )
