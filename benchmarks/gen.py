"""Make docs/benchmarks.md and the README's table from results/*.json: ``python benchmarks/gen.py [--check]``.

The same results always give the same bytes. ``--check`` writes nothing and exits 1 where a page is not what the results give.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from _harness import RESULTS, ROOT, columns_of, show

HEAD = """# Benchmarks

Every figure on this page was written by a program: `benchmarks/NAME.py` writes `benchmarks/results/NAME.json`, and
`benchmarks/gen.py` makes the page. `python benchmarks/NAME.py --quick` prints the same keys within a minute. CPU seconds
are those of the machine named; ratios travel better than times.
"""
HOW = ("seeds", "data", "command", "cpu_seconds", "wall_seconds", "machine", "versions")
META = {"name", "question", "rows", "notes", "quick", *HOW}
BEGIN, END = "<!-- figures: written by benchmarks/gen.py -->", "<!-- end of figures -->"


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table; numbers to the right."""
    columns = columns_of(rows)
    right = {column for column in columns if any(isinstance(row.get(column), int | float) for row in rows)}
    lines = [columns, ["--:" if column in right else "---" for column in columns]]
    lines += [[show(row.get(column)).replace("|", "\\|") for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section(report: dict[str, Any], name: str) -> str:
    """One benchmark: question, figures, notes, and how it was made."""
    parts = [f"## {name}", report.get("question", "")]
    summary = {key: value for key, value in report.items() if key not in META}
    tables = {key: value for key, value in summary.items() if isinstance(value, list) and value and isinstance(value[0], dict)}
    if summary:
        parts.append(table([{"figure": f"`{key}`", "value": value} for key, value in summary.items() if key not in tables]))
    if report.get("rows"):
        parts.append(table(report["rows"]))
    parts += [f"`{key}`\n\n{table(value)}" for key, value in tables.items()]
    parts.append("\n".join(f"- {note}" for note in report.get("notes", [])))
    made = [f"`{report['command']}`"] if report.get("command") else []
    made += [f"data: {report['data']}"] if report.get("data") else []
    made += [f"{report['seeds']} seed{'s' * (report['seeds'] != 1)}"] if isinstance(report.get("seeds"), int) else []
    made += [f"{show(float(report['cpu_seconds']))} CPU seconds"] if report.get("cpu_seconds") is not None else []
    made += [show(report[key]) for key in ("machine", "versions") if report.get(key)]
    parts.append(f"<small>{' · '.join(made)}</small>" if made else "")
    return "\n\n".join(part for part in parts if part)


def holds(report: dict[str, Any]) -> str:
    """The README's table: one line an encoder, its own space beside its learned one, on held-out songs."""
    spaces: dict[str, dict[str, dict[str, Any]]] = {}
    for row in report["rows"]:
        if row.get("data", "songs") == "songs":
            spaces.setdefault(row["encoder"], {})[row["space"]] = row
    lines = []
    for encoder, by_space in spaces.items():
        raw, learned, invertible = (by_space.get(name, {}) for name in ("raw", "learned", "invertible"))
        line = {
            "encoder": encoder,
            "R²: encoder's own": raw.get("r2"),
            "learned": learned.get("r2"),
            "invertible": invertible.get("r2"),
            "missing stem first: encoder's own": raw.get("top1"),
            "learned ": learned.get("top1"),
            "of the ceiling": learned.get("top1_of_ceiling"),
            "effective rank": learned.get("effective_rank"),
            "verdict": learned.get("verdict"),
        }
        lines.append(line)
    lines = [{key: value for key, value in line.items() if any(each[key] is not None for each in lines)} for line in lines]
    many = [f"{row['candidates']} candidates" for row in report["rows"][:1] if row.get("candidates")]
    made = ", ".join([report["data"], *many, f"{report['seeds']} seeds"])
    return f"{table(lines)}\n\n{made}. Every row, with limits and other data: [docs/benchmarks.md](docs/benchmarks.md)."


def pages(results: Path, readme: str) -> dict[Path, str]:
    """Every generated file and what it should hold."""
    reports = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))}
    body = [section(report, name) for name, report in reports.items()] or ["No results have been committed yet."]
    made = {ROOT / "docs" / "benchmarks.md": "\n\n".join([HEAD.rstrip(), *body]) + "\n"}
    if "mixing" in reports and BEGIN in readme:
        before, rest = readme.split(BEGIN, 1)
        made[ROOT / "README.md"] = f"{before}{BEGIN}\n{holds(reports['mixing'])}\n{END}{rest.split(END, 1)[1]}"
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    stale = []
    for path, text in pages(RESULTS, (ROOT / "README.md").read_text(encoding="utf-8")).items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if not check:
            beside = path.with_name(f".{path.name}.part")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, path)
    if check and stale:
        sys.exit(f"{', '.join(stale)}: not what benchmarks/results gives; run python benchmarks/gen.py and commit")
    print(f"{'would change' if check else 'wrote'}: {', '.join(stale) or 'nothing'}")


if __name__ == "__main__":
    main()
