"""Benchmarks print what they write, and the pages say what the results say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import gen
import pytest
from _harness import RESULTS, Benchmark


def answer(arguments: list[str]) -> Benchmark:
    bench = Benchmark("example", "How far?", arguments)
    for seed in bench.seeds(3):
        bench.row(encoder="mini", space="learned", seed=seed, r2=0.9 + seed / 100)
    bench.note("A note.")
    bench.finish("generated", learned=0.123456789, unknown=math.nan)
    return bench


def test_quick_and_full_runs_have_the_same_keys_and_only_the_full_one_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(["--quick", "--out", str(tmp_path)])
    quick = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(tmp_path.iterdir()) == []
    answer(["--out", str(tmp_path)])
    full = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [path.name for path in tmp_path.iterdir()] == ["example.json"]
    assert json.loads((tmp_path / "example.json").read_text()) == full
    assert quick.keys() == full.keys()
    assert (len(quick["rows"]), len(full["rows"])) == (1, 3)
    assert full["learned"] == 0.123457
    assert full["unknown"] is None


def test_the_page_is_the_same_bytes_each_time_and_holds_every_figure(tmp_path: Path) -> None:
    answer(["--out", str(tmp_path)])
    first, second = gen.pages(tmp_path, ""), gen.pages(tmp_path, "")
    assert first == second
    page = first[gen.ROOT / "docs" / "benchmarks.md"]
    for figure in ("0.123", "0.9 ", "0.91", "0.92", "How far?", "A note.", "–"):
        assert figure in page


def test_the_readme_keeps_its_words_around_the_figures(tmp_path: Path) -> None:
    answer(["--out", str(tmp_path)])
    (tmp_path / "example.json").rename(tmp_path / "mixing.json")
    readme = gen.pages(tmp_path, f"before\n{gen.BEGIN}\nold\n{gen.END}\nafter\n")[gen.ROOT / "README.md"]
    assert readme.startswith("before\n")
    assert readme.endswith("\nafter\n")
    assert "mini" in readme
    assert "old" not in readme


def test_the_committed_pages_are_what_the_committed_results_give() -> None:
    readme = (gen.ROOT / "README.md").read_text(encoding="utf-8")
    for path, text in gen.pages(RESULTS, readme).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run python benchmarks/gen.py"
