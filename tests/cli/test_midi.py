"""``oplas transpose``, ``oplas shift`` and ``oplas motif`` on real files, good and bad."""

from pathlib import Path

import pytest
from exact import exact, tune

from oplas.data import read_midi
from oplas.rollspace import RollSpace


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Commands use a space that needs no training, but where a test is about the one that comes with oplas."""
    if "comes_with_oplas" not in request.node.name:
        monkeypatch.setattr(RollSpace, "load", staticmethod(exact))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return tune(0).write(tmp_path / "song.mid")


def bad(folder: Path) -> dict[str, Path]:
    """One file of each kind that will not do."""
    import symusic

    tune(1).write(folder / "cut.mid")
    (folder / "cut.mid").write_bytes((folder / "cut.mid").read_bytes()[:40])
    symusic.Score(480).dump_midi(str(folder / "empty.mid"))
    kit = symusic.Score(480)
    kit.tracks.append(symusic.Track("kit", 0, True))
    kit.tracks[0].notes.append(symusic.Note(0, 240, 36, 90))
    kit.dump_midi(str(folder / "drums.mid"))
    tune(2).transpose(40).write(folder / "high.mid")
    return {path.stem: path for path in folder.glob("*.mid")}


@pytest.mark.parametrize(("semitones", "moved"), [("+3", 3), ("-3", -3), ("12", 12), ("-11", -11)])
def test_semitones_are_written_with_either_sign(run, song, semitones, moved):
    out = song.with_name("out.mid")
    said = run("transpose", song, semitones, "-o", out, "--json")
    assert said.code == 0 and said.facts["semitones"] == moved and said.facts["f1"] == 1
    assert (read_midi(out).pitch - read_midi(song).pitch).unique().tolist() == [moved]


def test_a_shift_and_its_page(run, song):
    said = run("shift", song, "+2", "-o", song.with_name("out.mid"), "--page", song.with_name("page.html"))
    assert said.code == 0 and "note F1 1.0000" in said.out and "+2 sixteenths" in song.with_name("page.html").read_text()
    assert (read_midi(song.with_name("out.mid")).onset - read_midi(song).onset).unique().tolist() == [0.5]


def test_the_space_that_comes_with_oplas_transposes(run, song):
    said = run("transpose", song, "-2", "-o", song.with_name("out.mid"), "--json")
    assert said.code == 0 and said.facts["f1"] > 0.9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut", "could not be read as MIDI"),
        ("empty", "holds no notes"),
        ("drums", "drums only"),
        ("high", "pitches from"),
        ("gone", "gone"),
    ],
)
def test_files_that_will_not_do_are_named_and_nothing_is_written(run, tmp_path, name, words):
    files = bad(tmp_path)
    said = run("transpose", files.get(name, tmp_path / "gone.mid"), "+12", "-o", tmp_path / "out" / "x.mid")
    assert said.code == 65 and words in said.err and name in said.err and not (tmp_path / "out").exists()


def test_the_original_is_never_written_over(run, song):
    before = song.read_bytes()
    said = run("transpose", song, "+1", "-o", song)
    assert said.code == 65 and "the original stays" in said.err and song.read_bytes() == before


def test_wrong_usage_is_told(run, song):
    assert run("transpose", song, "up", "-o", "x.mid").code == 2
    assert run("transpose", song, "+1", "--outt", "x.mid").code == 2


def test_a_phrase_is_found_in_the_bars_it_was_taken_from_though_other_files_are_bad(run, song):
    bad(song.parent)
    said = run("motif", song, song.parent, "--bars", "3-4", "-k", 3, "--json")
    first = said.facts["found"][0]
    assert said.code == 0 and first["song"] == "song.mid" and first["shared"] == 1 and first["semitones"] == 0
    assert 8 <= first["beat"] < 9 and sum("left out" in each for each in said.facts["warnings"]) == 3


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--bars", "x"], "names no bars"),
        (["--bars", "99"], "no note of song begins"),
        (["--part", "lead"], "its parts are"),
        ([], "holds 96"),
    ],
)
def test_phrases_that_are_not_there_are_told(run, song, words, answer):
    said = run("motif", song, song.parent, *words)
    assert said.code == 65 and answer in said.err


def test_a_folder_without_midi_is_told(run, song, tmp_path):
    (tmp_path / "none").mkdir()
    said = run("motif", song, tmp_path / "none", "--bars", "1-2")
    assert said.code == 65 and "has no MIDI file" in said.err
