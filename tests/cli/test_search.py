"""Searching folders and indexes by algebra from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from oplas import Space
from oplas.actions import Transpose
from oplas.data import band
from oplas.data.notes import Notes
from oplas.data.write import write_stems
from oplas.encoders import power_mel
from oplas.mixing import load_space, mixing_law
from oplas.store import Index

LAW = f"{mixing_law().action!r} → {mixing_law().operator!r}"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four songs of four parts, and their mixes."""
    folder = tmp_path_factory.mktemp("music")
    assert len(list(write_stems(band(seed=7, songs=24, seconds=2.0), folder, mixture=True))) == 24
    return folder


@pytest.fixture(scope="module")
def _calibrated(run, music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = Space(power_mel(bands=32, seconds=1.0, segments=2), laws=[mixing_law()])
    space.card |= {"encoder_spec": "small", "certificate": {"verdict": "holds", "law": LAW, "why": "by nature"}}
    folder = space.save(tmp_path_factory.mktemp("space") / "power.space")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oplas.mixing.named", lambda spec: power_mel(bands=32, seconds=1.0, segments=2))
        said = run("calibrate", folder, stems_only(music, tmp_path_factory), "--per-song", "2", "--json")
    assert said.code == 0, said.err
    assert {said.facts["kinds"][kind]["songs"] for kind in ("sum", "difference")} == {24}
    return folder


def stems_only(music: Path, factory: pytest.TempPathFactory) -> Path:
    bare = factory.mktemp("stems") / "songs"
    return Path(shutil.copytree(music, bare, ignore=shutil.ignore_patterns("mixture*")))


@pytest.fixture
def power(_calibrated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("oplas.mixing.named", lambda spec: power_mel(bands=32, seconds=1.0, segments=2))
    return _calibrated


@pytest.fixture
def index(power: Path, music: Path, tmp_path: Path) -> Path:
    space = load_space(power)
    Index.create(tmp_path / "my.index", space).add_files(space, sorted(music.glob("*/*.wav"))[:60])
    return tmp_path / "my.index"


SONG = "band-7-000"
ASK = "mixture@1 - drums@1 - chords@1 - lead@1"


@pytest.mark.parametrize("name", ["search", "apply"])
def test_a_folder_answers_with_a_set_and_what_it_is_worth(run, power, music, name) -> None:
    said = run(name, power, ASK, "--in", music / SONG, "--json")
    assert said.code == 0, said.err
    assert Path(said.facts["found"][0]["file"]).stem == "bass" and said.facts["found"][0]["likely"]
    assert said.facts["level"] == 0.9 and said.facts["candidates"] >= 1 and said.facts["kind"] == "difference"
    assert "probability 90%" in run(name, power, ASK, "--in", music / SONG).out


def test_an_index_answers_the_same_and_can_be_filtered(run, power, music, index) -> None:
    paths = {part: music / SONG / f"{part}.wav" for part in ("mixture", "drums", "chords", "lead")}
    ask = " - ".join(f"'{path}'@1" for path in paths.values())
    said = run("search", power, ask, "--in", index, "-k", "3", "--json")
    assert said.code == 0, said.err
    first = said.facts["found"][0]
    assert (Path(first["file"]).stem, first["start"]) == ("bass", 1.0)
    assert {Path(each["file"]) for each in said.facts["found"]}.isdisjoint(paths.values())
    other = run("search", power, ask, "--in", index, "--where", f"file != '{first['file']}'", "--json")
    assert first["file"] not in {each["file"] for each in other.facts["found"]}
    rows = Index.open(index).table(["id", "file", "start"]).to_pylist()
    row = next(each for each in rows if each["file"] == first["file"] and each["start"] == 1.0)
    by_id = run("search", power, f"#{row['id'][:12]}", "--in", index, "--json")
    assert by_id.code == 0 and row["id"] not in {each["id"] for each in by_id.facts["found"]}


def test_a_stem_that_is_not_in_the_mix_is_refused_with_a_code_of_its_own(run, power, music) -> None:
    lone, loud = music / SONG / "lead.wav", music / "band-7-001" / "drums.wav"
    said = run("search", power, f"'{lone}'@1 - '{loud}'@1", "--in", music / SONG, "--json")
    assert said.code == 3
    assert said.facts["refused"].startswith("out of the certified range")
    assert said.facts["found"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mixture - * drums",), "'*' was not expected"),
        (("mixture - transpose(drums, 2)",), "does not claim"),
        (("-6 dB * 'lead",), "never closed"),
        (("mixture - trumpets",), "there is no file 'trumpets'"),
        (("mixture - #ab12",), "names a row of an index"),
        (("mixture@99 - drums@99",), "no whole window"),
        (("mixture", "--where", "song = 'x'"), "--where filters the rows of an index"),
        (("mixture", "--trust", "vacuous"), "trust is"),
        (("mixture", "--recall", "1.5"), "between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_says_why(run, power, music, words, said) -> None:
    answer = run("search", power, *words, "--in", music / SONG)
    assert answer.code == 65
    assert said in answer.err and "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("ask", "said"), [("drums - bass", "may be"), ("#zz", "nothing in the index"), ("nothing", "nothing in the index")]
)
def test_what_an_index_does_not_have(run, power, index, ask, said) -> None:
    answer = run("search", power, ask, "--in", index)
    assert answer.code == 65 and said in answer.err


def test_a_place_that_is_neither_folder_nor_index(run, power, tmp_path) -> None:
    answer = run("search", power, "a", "--in", tmp_path / "nowhere")
    assert answer.code == 65 and "no index" in answer.err


def test_a_calibration_of_another_space_is_not_used(run, power, music, tmp_path) -> None:
    copy = Path(shutil.copytree(power, tmp_path / "copy.space"))
    facts = json.loads((copy / "calibration.json").read_text())
    (copy / "calibration.json").write_text(json.dumps({**facts, "identity": "another"}))
    said = run("search", copy, ASK, "--in", music / SONG, "--json")
    assert "another state of this space" in said.err
    assert said.facts["level"] is None and "oplas calibrate" in said.facts["note"]


def test_nan_in_a_file_is_no_query(run, power, music, tmp_path) -> None:
    import soundfile

    soundfile.write(tmp_path / "bad.wav", np.full(48000, np.nan, np.float32), 16000, subtype="FLOAT")
    answer = run("search", power, f"'{tmp_path / 'bad.wav'}' + drums", "--in", music / SONG)
    assert answer.code == 65 and "bad.wav" in answer.err


def test_midi_files_are_searched_in_the_space_that_comes_with_oplas(run, tmp_path: Path) -> None:
    tune = Notes.of([(float(beat), 1.0, 60 + (5 * beat) % 11) for beat in range(24)], name="tune")
    other = Notes.of([(float(beat), 0.5, 55 + (3 * beat) % 7) for beat in range(24)], name="other")
    for name, notes in {"tune": tune, "up": Transpose()(tune, 7), "other": other}.items():
        notes.write(tmp_path / f"{name}.mid")
    for expression in ("transpose(tune.mid@0, +7)", "key(tune.mid, +1 fifth)"):
        said = run("search", "rolls", expression, "--in", tmp_path, "--json")
        fifth = 7 if expression.startswith("t") else -5
        assert said.code == 0, said.err
        found = said.facts["found"][0]
        assert Path(found["file"]).name == "up.mid"
        assert found["distance"] == pytest.approx((7 - fifth) / 12, abs=1e-4), "an octave is one along the pitch axis"
    far = run("search", "rolls", "transpose(tune.mid, +30)", "--in", tmp_path)
    assert far.code == 3 and "-12 to 12" in far.out
    assert "need the mixing law" in run("search", "rolls", "tune.mid + other.mid", "--in", tmp_path).err
