"""What every benchmark shares: ``--quick``, a table, one JSON object as the last line, and a results file written whole."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
RESULTS = Path(__file__).resolve().parent / "results"


class Benchmark:
    """One question, answered by rows of figures.

    >>> bench = Benchmark("toy", "How far is the sum from the mix?", arguments=["--quick"])
    >>> [seed for seed in bench.seeds(3)]
    [0]

    Args:
        name: the file's name, and that of ``results/NAME.json``.
        question: what the figures answer; the heading of its section in docs/benchmarks.md.
        arguments: the command line; default ``sys.argv``.
    """

    def __init__(self, name: str, question: str, arguments: list[str] | None = None) -> None:
        self._words = sys.argv[1:] if Path(sys.argv[0]).stem == name else list(arguments or ())
        parser = argparse.ArgumentParser(description=question)
        parser.add_argument("--quick", action="store_true", help="a minute at most; prints the same keys, writes no file")
        parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="where the full run writes NAME.json")
        options = parser.parse_args(arguments)
        self.name, self.question, self.quick, self.out = name, question, options.quick, options.out
        self.rows: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._used: list[range] = []
        self._started = (_cpu_seconds(), time.perf_counter())

    def seeds(self, full: int) -> range:
        """Seeds of this run: ``full`` of them, one when quick."""
        chosen = range(1 if self.quick else full)
        self._used.append(chosen)
        return chosen

    def pick(self, quick: Any, full: Any) -> Any:
        """One value for the quick run, another for the full one."""
        return quick if self.quick else full

    def row(self, **cells: Any) -> None:
        """Add a line to the table and to ``rows`` of the JSON."""
        self.rows.append({key: tidy(value) for key, value in cells.items()})
        print("  ".join(f"{key}={show(value)}" for key, value in self.rows[-1].items()), file=sys.stderr, flush=True)

    def note(self, sentence: str) -> None:
        """What a reader must know to read the table."""
        self.notes.append(sentence)

    def finish(self, data: str, **summary: Any) -> dict[str, Any]:
        """Print the table and the JSON; on a full run write ``results/NAME.json``.

        Args:
            data: where the data came from: ``shared``, ``download`` or ``generated``, and what they are.
            summary: the figures that answer the question, as keys of the JSON object.
        """
        cpu, wall = _cpu_seconds() - self._started[0], time.perf_counter() - self._started[1]
        report = {
            "name": self.name,
            "question": self.question,
            **{key: tidy(value) for key, value in summary.items()},
            "rows": self.rows,
            "notes": self.notes,
            "quick": self.quick,
            "seeds": max((len(each) for each in self._used), default=1),
            "data": data,
            "command": " ".join(["python", f"benchmarks/{self.name}.py", *self._words]),
            "cpu_seconds": summary.get("cpu_seconds", round(cpu, 1)),
            "wall_seconds": round(wall, 1),
            "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in ("oplas", "torch", "numpy")}},
        }
        line = json.dumps(report, allow_nan=False)
        if not self.quick:
            self.out.mkdir(parents=True, exist_ok=True)
            beside = self.out / f".{self.name}.json.part"
            beside.write_text(json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
            os.replace(beside, self.out / f"{self.name}.json")
        self._print_table()
        print(line, flush=True)
        return report

    def _print_table(self) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(title=self.question)
        columns = columns_of(self.rows)
        for column in columns:
            table.add_column(
                column, justify="right" if any(isinstance(row.get(column), int | float) for row in self.rows) else "left"
            )
        for row in self.rows:
            table.add_row(*(show(row.get(column)) for column in columns))
        Console(width=160).print(table, *self.notes, sep="\n")


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """Every key of the rows, in the order of first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def tidy(value: Any) -> Any:
    """Numbers as JSON has them: six significant digits; None for what is not finite."""
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): tidy(each) for key, each in value.items()}
    return [tidy(each) for each in value] if isinstance(value, list | tuple) else value


def show(value: Any) -> str:
    """A cell as a person reads it: three significant digits, a dash for what is missing.

    >>> show(0.98765), show(1500.0), show(None), show([0.1, 0.2])
    ('0.988', '1500', '–', '0.1, 0.2')
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {show(each)}" for key, each in value.items())
    return ", ".join(map(show, value)) if isinstance(value, list | tuple) else str(value)


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
