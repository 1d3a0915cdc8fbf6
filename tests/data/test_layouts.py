"""The folders people have, each told apart and read as songs of parts."""

import pytest

from oplas import _errors
from oplas.data import layouts


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder):
    songs = layouts.songs(folder)
    return {song: {label: [path.name for path in files] for label, files in parts.items()} for song, parts in songs.items()}


def test_a_folder_a_song_a_file_a_stem(tmp_path):
    touch(
        tmp_path, "One/Drums.wav", "One/bass.flac", "One/._bass.flac", "Two/lead.mp3", "Two/pad.OGG", "Two/notes.txt", "loose.wav"
    )
    assert found(tmp_path) == {
        "One": {"bass": ["bass.flac"], "drums": ["Drums.wav"]},
        "Two": {"lead": ["lead.mp3"], "pad": ["pad.OGG"]},
    }


def test_musdb_where_the_mixture_is_no_stem(tmp_path):
    for half in ("train", "test"):
        touch(tmp_path / half / "A - B", "mixture.wav", "drums.wav", "bass.wav", "other.wav", "vocals.wav")
    songs = found(tmp_path)
    assert list(songs) == ["test/A - B", "train/A - B"]
    assert list(songs["train/A - B"]) == ["bass", "drums", "other", "vocals"]


METADATA = """UUID: 1
stems:
  S00:
    audio_rendered: true
    inst_class: Piano
    is_drum: false
  S01:
    inst_class: 'Strings (continued)'
  S02:
    inst_class: Piano
target_peak: -1.0
"""


def test_slakh_where_metadata_names_the_stems_and_one_class_is_one_part(tmp_path):
    touch(tmp_path, *(f"train/Track00001/{name}" for name in ("mix.flac", "all_src.mid", "MIDI/S00.mid")))
    touch(tmp_path, *(f"train/Track00001/stems/S0{index}.flac" for index in range(4)))
    (tmp_path / "train/Track00001/metadata.yaml").write_text(METADATA)
    assert found(tmp_path) == {
        "train/Track00001": {"piano": ["S00.flac", "S02.flac"], "s03": ["S03.flac"], "strings (continued)": ["S01.flac"]}
    }


def test_slakh_without_metadata_keeps_the_stems_numbers(tmp_path):
    touch(tmp_path, "Track00002/stems/S00.wav", "Track00002/stems/S01.wav", "Track00002/mix.wav")
    assert found(tmp_path) == {"Track00002": {"s00": ["S00.wav"], "s01": ["S01.wav"]}}


@pytest.mark.parametrize("described", [True, False])
def test_moisesdb_where_a_folder_of_files_is_one_part(tmp_path, described):
    touch(tmp_path / "v01" / "abc", "drums/k.wav", "drums/s.wav", "bass/b.wav", *(["data.json"] if described else []))
    assert found(tmp_path) == {"v01/abc": {"bass": ["b.wav"], "drums": ["k.wav", "s.wav"]}}


def test_of_one_stem_in_two_formats_the_lossless_one_is_taken(tmp_path):
    touch(tmp_path, "One/drums.mp3", "One/drums.wav", "One/bass.ogg")
    assert found(tmp_path) == {"One": {"bass": ["bass.ogg"], "drums": ["drums.wav"]}}


@pytest.mark.parametrize(
    ("files", "fact"),
    [
        ((), "no song made of stems .*no files.*expected song/stem.wav"),
        (("a.wav", "b.wav"), "2 files, the first a.wav.*expected song/stem.wav"),
        (("train/A.stem.mp4",), r"\.stem\.mp4 files must be converted"),
    ],
)
def test_a_folder_without_songs_says_what_was_seen_and_expected(tmp_path, files, fact):
    touch(tmp_path, *files)
    with pytest.raises(_errors.DataError, match=fact):
        layouts.songs(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(_errors.DataError, match="nowhere is not a folder"):
        layouts.songs(tmp_path / "nowhere")
