"""Files of a report: all of them or none, and nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from oplas._errors import ArtefactError, DataError
from oplas.certificate import Certificate
from oplas.report import write

FILES = {"index.html", "certificate.json", "pca.png", "defects.png", "retrieval.png", "spectrum.png"}


@pytest.fixture
def bare(certificate: Certificate) -> Certificate:
    """Without plots, which take time to draw."""
    return replace(certificate, plots={})


def listing(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_all_files_and_no_leftover(certificate: Certificate, tmp_path: Path) -> None:
    file = write(certificate, tmp_path / "deep" / "report")
    assert file.name == "index.html"
    assert listing(file.parent) == FILES
    assert json.loads((file.parent / "certificate.json").read_text()) == certificate.to_dict()


def test_other_files_stay_and_old_ones_are_replaced(certificate: Certificate, tmp_path: Path) -> None:
    (tmp_path / "mix.wav").write_bytes(b"mine")
    (tmp_path / "index.html").write_text("old")
    write(certificate, tmp_path)
    assert listing(tmp_path) == FILES | {"mix.wav"}
    assert (tmp_path / "index.html").read_text().startswith("<!doctype html>")


def test_nothing_is_written_when_a_sound_is_bad(bare: Certificate, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        write(bare, tmp_path / "report", [("mix", b"none")])
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_what_was(bare: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    folder = tmp_path / "report"
    if there:
        folder.mkdir()
        (folder / "index.html").write_text("old")
    put = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name == "index.html":
            raise OSError(28, "No space left on device")
        return put(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArtefactError, match="No space left"):
        write(bare, folder)
    assert listing(folder) == {"index.html"} if there else not folder.exists()


def test_a_file_in_the_way_is_told(bare: Certificate, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(ArtefactError, match="report"):
        write(bare, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "a file"
