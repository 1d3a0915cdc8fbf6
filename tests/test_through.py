"""Songs come back from a space that loses nothing as if their notes had been moved."""

from dataclasses import replace

import pytest
import torch
from exact import exact, tune

from oplas._errors import DataError
from oplas.data import Notes, read_midi
from oplas.data.midi import rewrite
from oplas.through import through, windows


@pytest.mark.parametrize("move", [{"semitones": 5}, {"semitones": -12}, {"steps": 3}, {"steps": 16}, {"semitones": 2, "steps": 1}])
def test_nothing_is_lost_and_notes_across_windows_stay_whole(move):
    song = tune(0, beats=80)
    long = Notes.of([(20.0, 30.0, 40)])  # over two windows of 24 beats
    both = replace(song, **{name: torch.cat([getattr(song, name), getattr(long, name)])
                            for name in ("onset", "length", "pitch", "velocity", "part")})  # fmt: skip
    done: list[float] = []
    passage = through(both, exact(), tell=done.append, **move)
    assert passage.score.f1 == passage.score.f1_with_length == 1 and sum(done) == windows(both) == 4
    assert len(passage.found) == len(both)


def test_a_shift_to_the_left_needs_room():
    song = tune(0)
    late = replace(song, onset=song.onset + 1)
    assert through(late, exact(), steps=-4).score.f1_with_length == 1
    with pytest.raises(DataError, match="cannot begin 4 cells"):
        through(song, exact(), steps=-4)


@pytest.mark.parametrize(("move", "words"), [({"semitones": 70}, "pitches from"), ({"steps": 17}, "16 is the most")])
def test_moves_that_lose_notes_are_refused(move, words):
    with pytest.raises(DataError, match=words):
        through(tune(0), exact(), **move)


def test_a_space_that_answers_nothing_is_told():
    silent = exact()
    silent.decoder = type("Silent", (torch.nn.Module,), {"forward": lambda self, z: z.unflatten(1, (2, 128, 128)) * 0 - 1})()
    with pytest.raises(DataError, match="nothing of tune 0 came out"):
        through(tune(0), silent, semitones=1)


def test_one_note_is_a_song():
    assert through(Notes.of([(0.0, 1.0, 60)]), exact(), semitones=1).found.pitch.tolist() == [61]


def test_everything_else_in_the_file_stays(tmp_path):
    import symusic

    score = symusic.Score(384)
    score.tempos.append(symusic.Tempo(0, 91))
    for label, program, drum, pitch in (("Lead", 73, False, 70), ("Kit", 0, True, 38), ("Bass", 33, False, 40)):
        track = symusic.Track(label, program, drum)
        for beat in range(8):
            track.notes.append(symusic.Note(384 * beat + 7, 300, pitch + beat % 3, 40 + beat))
        score.tracks.append(track)
    score.dump_midi(str(tmp_path / "in.mid"))
    passage = through(read_midi(tmp_path / "in.mid").on_grid(), exact(), semitones=4)
    rewrite(tmp_path / "in.mid", passage.found, tmp_path / "out.mid")
    before, after = (symusic.Score(tmp_path / name) for name in ("in.mid", "out.mid"))
    assert [(track.name, track.program, track.is_drum) for track in after.tracks] == [
        ("Lead", 73, False),
        ("Kit", 0, True),
        ("Bass", 33, False),
    ]
    assert after.tempos[0].qpm == pytest.approx(91, abs=0.01) and after.tracks[1].notes == before.tracks[1].notes
    for old, new in ((before.tracks[0], after.tracks[0]), (before.tracks[2], after.tracks[2])):
        rows = [[(n.time, n.duration, n.pitch, n.velocity) for n in track.notes] for track in (old, new)]
        assert [(t, d, p + 4, v) for t, d, p, v in rows[0]] == sorted(rows[1])
    with pytest.raises(DataError, match="has \\('Lead', 'Bass'\\)"):
        rewrite(tmp_path / "in.mid", tune(0), tmp_path / "other.mid")
    assert not (tmp_path / "other.mid").exists()
