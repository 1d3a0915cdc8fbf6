"""Anybody's folder of MIDI files: what can be read is, the rest is named."""

import pytest
import torch

from oplas._errors import DataError
from oplas.data import Notes, midi, read_midi


def tune(seed: int = 0, beats: int = 40) -> Notes:
    pitch = torch.randint(50, 80, (beats,), generator=torch.Generator().manual_seed(seed)).tolist()
    return Notes.of([(float(i), 1.0, p) for i, p in enumerate(pitch)], name=str(seed))


def test_songs_are_found_named_and_put_on_the_grid(tmp_path):
    (tmp_path / "sub").mkdir()
    Notes.of([(float(i) + 0.06, 0.5, 60 + i) for i in range(20)]).write(tmp_path / "sub" / "late.mid")
    tune(0).write(tmp_path / "a.MID")
    songs = midi(tmp_path)
    assert list(songs.names) == ["a.MID", "sub/late.mid"]
    assert torch.allclose(songs.songs[1].onset, torch.arange(20.0).double(), atol=1e-3)


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    import symusic

    tune(0).write(tmp_path / "good.mid")
    (tmp_path / "corrupt.mid").write_bytes((tmp_path / "good.mid").read_bytes()[:30])
    (tmp_path / "nothing.mid").write_bytes(b"")
    symusic.Score(480).dump_midi(str(tmp_path / "empty.mid"))
    drums = symusic.Score(480)
    drums.tracks.append(symusic.Track("kit", 0, True))
    drums.tracks[0].notes.append(symusic.Note(0, 240, 36, 90))
    drums.dump_midi(str(tmp_path / "drums.mid"))
    with pytest.warns(UserWarning, match="left out") as told:
        assert list(midi(tmp_path).names) == ["good.mid"]
    assert sorted(str(each.message).split(".mid")[0].rpartition("/")[2] for each in told)[:2] == ["corrupt", "drums"]
    with pytest.raises(DataError, match="drums"):
        read_midi(tmp_path / "drums.mid")
    assert len(read_midi(tmp_path / "drums.mid", drums=True)) == 1


def test_places_without_songs_are_refused(tmp_path):
    with pytest.raises(DataError, match="has no MIDI file"):
        midi(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        midi(tmp_path / "absent")
    (tmp_path / "bad.mid").write_bytes(b"no")
    with pytest.warns(UserWarning, match="left out"), pytest.raises(DataError, match="none of the 1"):
        midi(tmp_path)


def test_parts_are_chosen_by_name(tmp_path):
    import dataclasses

    song = tune(0)
    both = dataclasses.replace(song, part=torch.arange(len(song)) % 2, parts=("Lead", "Bass"))
    assert both.only("bass").parts == ("Bass",) and len(both.only("bass")) == len(song) // 2
    assert both.only("bass", "lead").part.tolist() == [1, 0] * (len(song) // 2)
    with pytest.raises(DataError, match="'Lead', 'Bass'"):
        both.only("drums")


def test_a_midi_file_is_written_whole_or_not_at_all(tmp_path):
    tune(0).write(tmp_path / "kept.mid")
    before = (tmp_path / "kept.mid").read_bytes()
    with pytest.raises(DataError, match="could not be written"):
        tune(0).write(tmp_path / "kept.mid" / "below.mid")
    assert (tmp_path / "kept.mid").read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["kept.mid"]
