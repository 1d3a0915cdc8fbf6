"""Embedding files, searching by algebra, writing songs, listing encoders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from oplas import Space, data
from oplas.data.audio import write
from oplas.encoders import Precomputed, load_embeddings, power_mel
from oplas.mixing import load_space, mixing_law

LAW = f"{mixing_law().action!r} → {mixing_law().operator!r}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tones and some of their sums, six seconds each."""
    home, time = tmp_path_factory.mktemp("tones"), np.arange(6 * 16000) / 16000
    tone = {name: 0.2 * np.sin(2 * np.pi * pitch * time) for name, pitch in (("a", 220), ("b", 700), ("c", 1900), ("d", 4100))}
    waves = {
        **tone,
        "ab": tone["a"] + tone["b"],
        "a c": tone["a"] + tone["c"],
        "bd": tone["b"] + tone["d"],
        "b-c": tone["b"] + tone["c"],
    }
    for name, wave in waves.items():
        write(home / f"{name}.wav", wave, 16000)
    return home


@pytest.fixture(scope="module")
def additive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The power mel spectrogram as a space: there a mix is the sum of its parts."""
    space = Space(power_mel(), laws=[mixing_law()])
    space.card |= {"encoder_spec": "power_mel", "certificate": {"verdict": "holds", "law": LAW}}
    return space.save(tmp_path_factory.mktemp("space") / "power.space")


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("ab.wav - a.wav", "b.wav"),
        ("ab - b", "a.wav"),
        ("'a c.wav' - a + b", "b-c.wav"),
        ("bd.wav + c - d.wav", "b-c.wav"),
        ("c + b", "b-c.wav"),
    ],
)
def test_in_an_additive_space_algebra_finds_what_it_says(run, folder, additive, expression, answer) -> None:
    said = run("apply", additive, expression, "--in", folder, "--json")
    assert Path(said.facts["found"][0]["file"]).name == answer
    assert said.facts["found"][0]["distance"] < 0.1 * said.facts["found"][1]["distance"]
    assert said.err == ""


def test_a_window_finds_windows_with_their_times(run, folder, additive) -> None:
    said = run("apply", additive, "ab - a", "--in", folder, "--window", "1.5", "-k", "3", "--json")
    assert [Path(each["file"]).name for each in said.facts["found"][:2]] == ["b.wav", "b.wav"]
    assert {each["start"] for each in said.facts["found"][:2]} == {0.0, 3.0}
    assert len(said.facts["found"]) == 3


def test_files_in_the_expression_are_no_answers(run, folder, additive) -> None:
    said = run("apply", additive, "a", "--in", folder, "-k", "99", "--json")
    assert len(said.facts["found"]) == 7
    assert "a.wav" not in {Path(each["file"]).name for each in said.facts["found"]}


def test_a_space_without_a_certificate_is_refused_unless_it_is_asked_for(run, songs, space) -> None:
    words = ("apply", space, "bass + drums", "--in", songs / "band-5-000")
    said = run(*words)
    assert said.code == 65
    assert "has no certificate" in said.err and "oplas certify" in said.err
    said = run(*words, "--uncertified")
    assert said.code == 0
    assert "uncertified" in said.err


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_embeddings_are_those_of_the_space_and_can_be_loaded(run, folder, additive, tmp_path, ending) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"latents.{ending}"
    said = run("embed", folder, "--space", additive, "--out", out, "--json")
    assert said.facts == {**said.facts, "files": 8, "windows": 16, "width": 288}
    z, ids = load_embeddings(out)
    space, at = load_space(additive), ids.index(f"{folder / 'b.wav'}@3.000")
    wave = data.audio.read(folder / "b.wav", 16000)
    again = space(space.origin.new_tensor(np.array(wave[3 * 16000 :]))[None])
    assert np.allclose(z[at], again[0], rtol=1e-4, atol=1e-8)
    assert Precomputed(z.shape[1]).encode(z).shape == (16, 288)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_hop_sets_how_far_windows_are_apart(run, folder, additive, tmp_path) -> None:
    said = run("embed", folder / "a.wav", "--space", additive, "--out", tmp_path / "a.npz", "--hop", "0.5", "--json")
    assert said.facts["windows"] == 7
    starts = np.load(tmp_path / "a.npz")["start"]
    assert starts.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_a_bad_file_among_good_ones_is_named_and_left_out(run, folder, additive, tmp_path) -> None:
    (tmp_path / "words.wav").write_text("no music")
    said = run("embed", folder / "a.wav", tmp_path, "--space", additive, "--out", tmp_path / "a.npz", "--json")
    assert said.code == 0
    assert said.facts["windows"] == 2
    assert "words.wav" in said.facts["warnings"][0]
    assert run("embed", tmp_path / "words.wav", "--space", additive, "--out", tmp_path / "a.npz").code == 65


def test_the_band_is_written_as_songs_that_can_be_read(run, tmp_path) -> None:
    assert run("data", "band", tmp_path / "band", "--songs", "2", "--seconds", "2").code == 0
    songs = data.stems(tmp_path / "band")
    assert songs.labels == ("bass", "chords", "drums", "lead")
    made = data.band(0, 2, 2.0)
    for slot in made.grid(16000, 32000):
        assert np.array_equal(songs.scene(slot, 16000, 32000).parts, made.scene(slot, 16000, 32000).parts)


def test_a_public_set_nobody_knows(run, tmp_path) -> None:
    said = run("data", "get", "freedum", tmp_path)
    assert said.code == 65
    assert "freedoom" in said.err


def test_rendering_without_midi(run, tmp_path, monkeypatch) -> None:
    said = run("data", "render", tmp_path, tmp_path / "out")
    assert said.code == 65
    assert "MIDI" in said.err


def test_every_encoder_is_listed(run) -> None:
    listed = run("encoders", "--json").facts["encoders"]
    assert [each["encoder"].partition(":")[0].partition("[")[0] for each in listed][:3] == ["mini", "log_mel", "power_mel"]


def test_help_tells_the_exit_codes(run) -> None:
    said = run("--help")
    assert said.code == 0
    for code in ("65", "130", "partly"):
        assert code in said.out
    assert os.linesep * 9 not in said.out
