"""MIDI to stems: the mix is their sum, a run resumes, and one bad file does not stop the others."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import symusic

from oplas import _errors
from oplas.data import render, stems
from oplas.data.render import SOUNDFONTS, family

needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not any(Path(path).is_file() for path in SOUNDFONTS),
    reason="fluidsynth or a General MIDI soundfont is not installed",
)


def song(path, instruments=((0, False), (33, False), (0, True)), beats=8, apart=1):
    """A MIDI file: one track an instrument (program, is it drums), notes so many quarter seconds apart."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, qpm=240))
    for index, (program, drums) in enumerate(instruments):
        track = symusic.Track(program=program, is_drum=drums)
        for beat in range(beats):
            track.notes.append(symusic.Note(beat * apart * 480, 400, 36 + 7 * index + beat, 100))
        score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(str(path))
    return path


@needs_fluidsynth
def test_stems_are_named_by_family_and_sum_to_a_mix_that_does_not_clip(tmp_path):
    song(tmp_path / "midi" / "tune.mid", ((0, False), (1, False), (33, False), (0, True)))
    (folder,) = render(tmp_path / "midi", tmp_path / "out", rate=16000)
    assert sorted(path.name for path in folder.iterdir()) == ["bass.flac", "drums.flac", "keys.flac"]
    waves = [soundfile.read(path)[0] for path in folder.iterdir()]
    assert len({len(wave) for wave in waves}) == 1
    peaks = [np.abs(wave).max() for wave in (*waves, sum(waves))]
    assert max(peaks) == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert min(peaks) > 0.01


@needs_fluidsynth
def test_rendered_songs_are_read_as_stems(tmp_path):
    for name in "ab":
        song(tmp_path / "midi" / f"{name}.mid", beats=8 if name == "a" else 6)
    list(render(tmp_path / "midi", tmp_path / "out", rate=16000))
    data = stems(tmp_path / "out", cache=tmp_path / "cache")
    assert data.names == ("a", "b")
    assert data.labels == ("bass", "drums", "keys")
    assert len(data.split(0.5, 0.5)) == 2


@needs_fluidsynth
def test_a_second_run_keeps_what_is_there(tmp_path):
    for name in "ab":
        song(tmp_path / "midi" / f"{name}.mid")
    list(render(tmp_path / "midi", tmp_path / "out", rate=8000))
    shutil.rmtree(tmp_path / "out" / "b")
    (tmp_path / "out" / "a" / "keys.flac").write_bytes(b"kept")
    assert [folder.name for folder in render(tmp_path / "midi", tmp_path / "out", rate=8000)] == ["a", "b"]
    assert (tmp_path / "out" / "a" / "keys.flac").read_bytes() == b"kept"
    assert (tmp_path / "out" / "b" / "keys.flac").stat().st_size > 1000


@needs_fluidsynth
def test_bad_files_are_told_and_the_others_go_on_with_nothing_half_written(tmp_path):
    good = song(tmp_path / "midi" / "good.mid")
    (tmp_path / "midi" / "cut.mid").write_bytes(good.read_bytes()[:-40])
    (tmp_path / "midi" / "text.mid").write_text("This is not a MIDI file at all, nor will it be.")
    song(tmp_path / "midi" / "bare.mid", ())
    song(tmp_path / "midi" / "endless.mid", beats=2, apart=40_000)
    with pytest.warns(UserWarning, match="left out") as told:
        assert [folder.name for folder in render(tmp_path / "midi", tmp_path / "out", rate=8000)] == ["good"]
    facts = {"bare.mid": "no notes", "cut.mid": "as MIDI", "endless.mid": "h, more than a song", "text.mid": "as MIDI"}
    assert len(told) == len(facts)
    for name, fact in facts.items():
        assert any(name in str(each.message) and fact in str(each.message) for each in told), name
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"]


@needs_fluidsynth
def test_nothing_to_render_is_an_error(tmp_path):
    (tmp_path / "midi").mkdir()
    (tmp_path / "midi" / "text.mid").write_text("no")
    with pytest.warns(UserWarning, match="text.mid"), pytest.raises(_errors.DataError, match="none of the 1 MIDI files"):
        list(render(tmp_path / "midi", tmp_path / "out"))


@needs_fluidsynth
def test_two_files_of_one_name_are_two_songs(tmp_path):
    for folder in ("one", "two"):
        song(tmp_path / "midi" / folder / "tune.mid", beats=2)
    rendered = [folder.name for folder in render(tmp_path / "midi", tmp_path / "out", rate=8000, seconds=0.5)]
    assert rendered == ["one tune", "two tune"]
    assert soundfile.info(tmp_path / "out" / "one tune" / "keys.flac").frames == 4000


@needs_fluidsynth
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    song(tmp_path / "midi" / "tune.mid")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(_errors.DataError, match=r"tune could not be written .*choose another folder"):
        list(render(tmp_path / "midi", tmp_path / "file"))


@needs_fluidsynth
def test_a_folder_without_midi_says_what_was_expected(tmp_path):
    with pytest.raises(_errors.DataError, match=r"expected \.mid or \.midi"):
        list(render(tmp_path, tmp_path / "out"))


def test_without_fluidsynth_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(_errors.MissingDependency, match=r"needs fluidsynth.*apt install fluidsynth"):
        list(render(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize(
    ("program", "name"), [(0, "keys"), (24, "guitar"), (32, "bass"), (73, "winds"), (105, "guitar"), (127, "effects")]
)
def test_a_program_belongs_to_the_family_a_listener_would_name(program, name):
    assert family(program, False) == name
    assert family(program, True) == "drums"
