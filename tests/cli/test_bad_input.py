"""Bad input ends in one line that says what was seen and what to do, an exit code, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ENTRY = "from oplas.cli import main; main()"


def tone(path: Path, wave: np.ndarray | None = None, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(4 * 16000) * 0.1
    soundfile.write(path, noise if wave is None else wave, 16000, "FLOAT")


def refused(said, *words: str) -> None:
    assert said.code == 65, said.out + said.err
    (line,) = [line for line in said.err.splitlines() if line.startswith("oplas: ")]
    assert said.err.count("oplas: ") == 1
    assert "Traceback" not in said.err
    for word in words:
        assert word in line


@pytest.mark.parametrize("command", [["learn", "{}", "--out", "s"], ["demo", "--stems", "{}", "--out", "d"]])
def test_a_missing_folder(run, tmp_path, monkeypatch, command) -> None:
    monkeypatch.chdir(tmp_path)
    refused(run(*(word.format("nowhere") for word in command)), "nowhere", "is not a folder")


def test_a_folder_without_audio(run, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readme.txt").write_text("nothing to hear")
    refused(run("learn", tmp_path / "in", "--out", tmp_path / "s"), "holds no song", "readme.txt")


def test_one_song_only(run, songs, quick, tmp_path) -> None:
    shutil.copytree(songs / "band-5-000", tmp_path / "in" / "one")
    refused(run("learn", tmp_path / "in", "--out", tmp_path / "s", *quick), "1 song(s) are too few", "add songs")
    assert not (tmp_path / "s").exists()


def test_all_songs_identical(run, songs, quick, tmp_path) -> None:
    for index in range(5):
        shutil.copytree(songs / "band-5-000", tmp_path / "in" / str(index))
    refused(run("learn", tmp_path / "in", "--out", tmp_path / "s", *quick), "sample for sample")


def test_fewer_songs_than_the_demo_needs(run, songs, tmp_path) -> None:
    for index in range(3):
        shutil.copytree(songs / f"band-5-00{index}", tmp_path / "in" / str(index))
    refused(run("demo", "--stems", tmp_path / "in", "--out", tmp_path / "d", "--encoder", "tiny"), "3 song(s) are too few")


def test_sick_files_are_named_and_the_others_go_on(run, songs, quick, tmp_path) -> None:
    folder = Path(shutil.copytree(songs, tmp_path / "in"))
    tone(folder / "band-5-000" / "silent.wav", np.zeros(16000))
    tone(folder / "band-5-001" / "nan.wav", np.full(16000, np.nan))
    whole = (folder / "band-5-002" / "bass.wav").read_bytes()
    (folder / "band-5-003" / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "band-5-004" / "words.mp3").write_text("no music")
    said = run("learn", folder, "--out", tmp_path / "s", *quick, "--json")
    assert said.code == 0
    for name in ("silent.wav", "nan.wav", "cut.wav", "words.mp3"):
        assert sum(name in warning for warning in said.facts["warnings"]) == 1
        assert name in said.err


def test_out_that_cannot_be_written_is_told_before_any_work(run, songs, quick, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("oplas.data.stems", lambda *_: pytest.fail("songs were read first"))
    refused(run("learn", songs, "--out", tmp_path / "file" / "s", *quick), "could not be written")
    refused(run("demo", "--out", tmp_path / "file" / "d"), "could not be written")


def test_out_that_is_something_else_is_not_replaced(run, songs, quick, tmp_path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    refused(run("learn", songs, "--out", tmp_path / "precious", *quick), "is not a saved space")
    assert (tmp_path / "precious" / "thesis.txt").exists()


def test_an_encoder_nobody_knows(run, songs, tmp_path) -> None:
    refused(run("learn", songs, "--out", tmp_path / "s", "--encoder", "minni"), "minni", "log_mel")
    refused(run("learn", songs, "--out", tmp_path / "s", "--encoder", "onnx:model.onnx"), "onnx:PATH:RATE:SAMPLES")


def spoil(space: Path, how: str) -> None:
    card, blob = space / "card.json", next(space.glob("*.safetensors"))
    if how == "truncated":
        blob.write_bytes(blob.read_bytes()[:-8])
    elif how == "boasting":
        card.write_text(card.read_text().replace('"encoder_spec": "tiny"', '"encoder_spec": "mini"'))
    elif how == "half a card":
        card.write_text(card.read_text()[:100])
    else:
        card.unlink()


@pytest.mark.parametrize("how", ["truncated", "boasting", "half a card", "no card"])
@pytest.mark.parametrize("command", ["certify", "apply", "embed"])
def test_a_damaged_space(run, songs, space, tmp_path, how, command) -> None:
    spoil(space, how)
    rest = {"certify": [songs], "apply": ["bass", "--in", songs], "embed": ["--space", space, "--out", tmp_path / "e.npz"]}[command]
    said = run(command, songs, *rest) if command == "embed" else run(command, space, *rest)
    refused(said, "own.space")
    assert not (tmp_path / "e.npz").exists()


def test_another_encoder_than_the_space_was_learned_on(run, songs, space) -> None:
    refused(run("certify", space, songs, "--encoder", "chroma"), "was learned on", "chroma")


@pytest.mark.parametrize(
    ("expression", "fact"),
    [
        ("nobody.wav", "there is no file 'nobody.wav'"),
        ("bass.wv", "did you mean bass.wav"),
        ("bass - - drums", "'-' was not expected here"),
        ("bass drums", "a + or - is missing"),
        ("bass -", "the expression ends here"),
        ("", "the expression ends here"),
        ("bass + '' ", "empty name"),
    ],
)
def test_expressions_that_mean_nothing(run, songs, space, expression, fact) -> None:
    said = run("apply", space, expression, "--in", songs / "band-5-000")
    refused(said, fact)


def test_a_name_that_several_files_bear(run, songs, space) -> None:
    refused(run("apply", space, "bass", "--in", songs), "may be 10 files", "say which")


def test_a_window_beyond_the_end(run, songs, space) -> None:
    refused(run("apply", space, "bass", "--in", songs / "band-5-000", "--window", "90"), "bass.wav", "starts at 90")


def test_nothing_else_to_find(run, songs, space, tmp_path) -> None:
    shutil.copy(songs / "band-5-000" / "bass.wav", tmp_path / "bass.wav")
    refused(run("apply", space, "bass", "--in", tmp_path), "nothing can be found")


def test_latents_in_a_format_nobody_reads(run, songs, space, tmp_path) -> None:
    refused(run("embed", songs, "--space", space, "--out", tmp_path / "e.csv"), ".npz or .parquet")


def test_a_full_disk_leaves_nothing_half_written(run, songs, space, quick, tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "out"
    monkeypatch.setattr("numpy.savez", full)
    refused(run("embed", songs / "band-5-000", "--space", space, "--out", folder / "e.npz"), "No space left on device", "e.npz")
    monkeypatch.setattr("oplas._artefact.os.replace", full)
    refused(run("learn", songs, "--out", folder / "s", *quick), "No space left")
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".run")] == []


def test_errors_are_json_too_where_json_was_asked_for(run, tmp_path) -> None:
    said = run("learn", tmp_path / "nowhere", "--out", tmp_path / "s", "--json")
    assert said.facts["error"]["kind"] == "DataError"
    assert said.facts["exit"] == said.code == 65


@pytest.mark.parametrize(
    "words", [["learn"], ["apply", "s", "x", "--in", ".", "-k", "0"], ["dance"], ["learn", ".", "--out", "s", "--width", "x"]]
)
def test_wrong_usage_is_2(run, words) -> None:
    assert run(*words).code == 2


def test_as_a_program(tmp_path) -> None:
    words = ["certify", str(tmp_path / "no.space"), str(tmp_path), "--json"]
    ended = subprocess.run([sys.executable, "-c", ENTRY, *words], capture_output=True, text=True)
    assert ended.returncode == 65
    assert json.loads(ended.stdout)["error"]["kind"] == "ArtefactError"
    assert ended.stderr == ""
