"""``oplas index``: made, filled, asked, emptied, moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from oplas import Space
from oplas.encoders import power_mel

pytest.importorskip("lancedb")


@pytest.fixture
def index(run, songs: Path, space: Path, tmp_path: Path) -> Path:
    """Two of the songs, with what a first run says of them."""
    where = tmp_path / "songs.index"
    said = run("index", "add", where, songs / "band-5-000", songs / "band-5-001", "--space", space, "--song", "folder", "--json")
    assert said.code == 0, said.err
    assert said.facts == {**said.facts, "files": 8, "added": 64, "skipped": 0, "rows": 64}
    return where


def test_an_index_from_its_beginning_to_its_end(run, songs: Path, space: Path, tmp_path: Path, index: Path) -> None:
    again = run("index", "add", index, songs / "band-5-000", "--space", space)
    assert "0 rows added, 32 were there" in again.out
    listed = run("index", "list", index, "--where", "song = 'band-5-001'", "--rows", "2", "--json").facts
    assert (listed["rows"], len(listed["listed"]), listed["recall"]) == (32, 2, 1.0)
    assert listed["listed"][0]["file"].endswith("band-5-001/bass.wav")
    assert "... and 62 more" in run("index", "list", index, "--rows", "2").out
    out = tmp_path / "rows.parquet"
    assert run("index", "export", index, out, "--json").facts["rows"] == 64
    assert run("index", "delete", index, "--where", "song = 'band-5-001'", "--json").facts["deleted"] == 32
    assert run("index", "import", index, out, "--json").facts["added"] == 32
    assert run("index", "versions", index, "--json").facts["versions"][-1]["rows"] == 64
    assert run("index", "compact", index, "--keep", "0", "--json").facts["versions"] == 1


def test_what_is_wrong_is_said(run, songs: Path, space: Path, tmp_path: Path, index: Path) -> None:
    for words, says in (
        (("list", tmp_path / "none"), "no index"),
        (("create", index, "--space", space), "exists already"),
        (("delete", index, "--where", "colour = 3"), "colour"),
        (("export", index, tmp_path / "rows.csv"), ".csv"),
        (("import", index, songs), "''"),
        (("add", index, tmp_path / "nothing", "--space", space), "no file or folder"),
    ):
        said = run("index", *words)
        assert (said.code, says in said.err) == (65, True), said.err


def test_another_space_needs_an_index_of_its_own(run, songs: Path, tmp_path: Path, index: Path) -> None:
    other = Space(power_mel(bands=8, seconds=0.5, segments=1))
    other.card |= {"encoder_spec": "tiny"}
    said = run("index", "add", index, songs / "band-5-002", "--space", other.save(tmp_path / "other.space"))
    assert said.code == 65
    assert "distances between the two mean nothing" in said.err
