"""Note lists and piano rolls say what the files say; songs stay on one side of a split whatever their key."""

import math

import pytest
import torch
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.data.notes import Notes, read_midi
from oplas.data.pop909 import Key, pop909
from oplas.data.rolls import Rolls, same_song


def tune(seed: int = 0, beats: int = 40, name: str = "") -> Notes:
    pitch = torch.randint(50, 80, (beats,), generator=Generator().manual_seed(seed)).tolist()
    return Notes.of([(float(i), 1.0, p) for i, p in enumerate(pitch)], name=name or f"tune {seed}")


def test_a_midi_file_is_read_as_it_was_written(tmp_path):
    song = tune()
    read = read_midi(song.write(tmp_path / "tune.mid"))
    assert torch.equal(read.pitch, song.pitch) and torch.allclose(read.onset, song.onset, atol=1e-3)
    assert torch.allclose(read.length, song.length, atol=1e-3) and read.name == "tune"


def test_a_roll_holds_every_note_where_it_sounds():
    song = Notes.of([(0.0, 0.5, 60), (0.5, 1.5, 64), (1.99, 0.01, 67)])
    roll = song.roll(4)
    assert roll.shape == (1, 8, 128) and roll[0].sum(0)[[60, 64, 67]].tolist() == [2, 6, 1]
    assert torch.equal(song.transpose(3).roll(4), roll.roll(3, -1))


def test_cutting_and_stretching_keep_time():
    song = tune().between(10, 20)
    assert song.beats == 10 and float(song.onset.min()) == 0
    assert song.stretch(2).beats == 20


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no notes"),
        ([(0.0, 0.0, 60)], "longer than 0"),
        ([(-1.0, 1.0, 60)], "start at 0"),
        ([(math.nan, 1.0, 60)], "NaN"),
        ([(0.0, 1.0, 128)], "0 to 127"),
        ([(0.0, 1e9, 60)], "beats"),
    ],
)
def test_impossible_notes_are_refused(rows, words):
    with pytest.raises(DataError, match=words):
        Notes.of(rows)


def test_transposing_out_of_the_keyboard_is_refused():
    with pytest.raises(DataError, match="transpose"):
        tune().transpose(80)


def test_a_damaged_midi_file_is_refused(tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"not midi")
    with pytest.raises(DataError, match="could not be read as MIDI"):
        read_midi(tmp_path / "bad.mid")


def test_a_song_and_its_transposition_stay_together():
    songs = [tune(seed, name=str(seed)) for seed in range(6)] + [tune(0, name="0 higher").transpose(5)]
    assert sorted(map(sorted, same_song([*songs]))) == [[0, 6], [1], [2], [3], [4], [5]]
    for seed in range(5):
        sides = [set(part.names) for part in Rolls(songs).split(0.5, 0.5, seed=seed)]
        assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 7
        assert any({"0", "0 higher"} <= side for side in sides)


def test_windows_are_drawn_and_listed_where_notes_sound():
    rolls, rate, samples = Rolls([tune(seed) for seed in range(3)]), 4 * 128, 32 * 128
    slots = rolls.grid(rate, samples)
    assert len(slots) == 3 * 5 and all(slot.start % samples == 0 for slot in slots)
    scene = rolls.draw(rate, samples, 1, Generator().manual_seed(0))
    assert scene.parts.shape == (1, samples) and set(scene.parts.unique().tolist()) <= {0.0, 1.0} and scene.parts.any()
    with pytest.raises(ShapeError, match="whole frames"):
        rolls.grid(44100, 48000)
    with pytest.raises(DataError, match="no songs"):
        Rolls([])


def test_keys_are_read_by_their_names():
    assert Key.read("F#:min") == Key.read("Gb:min") and Key.read("F#:min").signature == 9 and str(Key.read("Cb:maj")) == "B:maj"
    for bad in ("H:maj", "C", "C:dor", ""):
        with pytest.raises(DataError, match="is not a key"):
            Key.read(bad)


def folder(root, beats: str = "", key: str = "0 60 C:maj\n"):
    place = root / "001"
    place.mkdir(parents=True)
    tune(beats=32).stretch(0.5).write(place / "001.mid", tempo=60)  # half a second a beat
    (place / "beat_midi.txt").write_text(beats or "".join(f"{i * 0.5 + 0.01} {i % 2 == 0} {i % 4 == 0}\n" for i in range(40))
                                         .replace("True", "1.0").replace("False", "0.0"))  # fmt: skip
    (place / "chord_midi.txt").write_text("0.01 2.01 C:maj\n")
    (place / "key_audio.txt").write_text(key)
    return root


def test_times_are_beats_of_the_songs_own_text(tmp_path):
    (song,) = pop909(folder(tmp_path))
    assert torch.allclose(song.notes.onset, torch.arange(32.0).double(), atol=1e-3)
    assert song.downbeats[:3].tolist() == [0, 4, 8] and song.tempo == pytest.approx(120) and str(song.key) == "C:maj"
    assert song.chords[0][1] - song.chords[0][0] == pytest.approx(4)


def test_a_song_in_two_keys_has_no_key(tmp_path):
    assert pop909(folder(tmp_path, key="0 30 C:maj\n30 60 D:maj\n"))[0].key is None


@pytest.mark.parametrize("beats", ["0.0 1.0 1.0\n", "1 1 1\n0.5 0 0\n", "a b c\nd e f\n", "0.5\n"])
def test_broken_texts_are_refused(tmp_path, beats):
    with pytest.raises(DataError, match="beat_midi"):
        pop909(folder(tmp_path, beats))


def test_a_place_without_songs_is_refused(tmp_path):
    with pytest.raises(DataError, match="no POP909 song"):
        pop909(tmp_path)
    (tmp_path / "x.tar.gz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="neither a folder nor a readable archive"):
        pop909(tmp_path / "x.tar.gz")
