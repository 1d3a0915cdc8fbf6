"""Writers end at any moment, and others write meanwhile: nothing acknowledged is lost, nothing is corrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lancedb")
if not hasattr(__import__("os"), "fork"):
    pytest.skip("this system does not fork", allow_module_level=True)


def program(*words: object) -> dict[str, int]:
    said = subprocess.run(
        [sys.executable, Path(__file__).with_name("faults.py"), *map(str, words)], capture_output=True, text=True, timeout=600
    )
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout.splitlines()[-1]))


def test_fifty_writers_killed_in_the_middle_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    found = program("kills", tmp_path / "an.index", 50)
    assert found["kills"] == 50
    assert found["adds"] > 50  # the writers got somewhere before they were killed


def test_two_writers_at_once_add_every_row_once(tmp_path: Path) -> None:
    found = program("two", tmp_path / "an.index")
    assert found["rows"] == found["kept"] == 12 * (5 + 2 * 4)
    assert found["added"] == 12 * (5 + 2 * 5)  # rows of both are counted by the one who came first
    assert found["songs"] == 2 * 12
