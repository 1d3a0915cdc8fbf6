"""Sound is transposed by its notes, or by where its code is cut: the two agree."""

import shutil

import pytest
import torch
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.actions.harmony import CropShift, Rendered
from oplas.data import band, stems
from oplas.data.base import Scene
from oplas.data.notes import Notes
from oplas.data.transposed import render_transposed
from oplas.encoders import power_mel
from oplas.encoders.cropped import cropped_cqt


def test_what_is_cropped_elsewhere_is_a_shift_of_the_wide_code():
    encoder, data = cropped_cqt(bins=36, margin=12, low=130.813), band(songs=2, seconds=4)
    wide = encoder.wide.encode(data.draw(encoder.rate, encoder.samples, 1, Generator().manual_seed(0)).parts[:1])
    assert torch.equal(encoder.crop(wide, 5)[:, 5:], encoder.crop(wide, 0)[:, :-5])
    trials = CropShift(-6, 6).trials(encoder, data, 12, Generator().manual_seed(0))
    for before, after, theta in zip(trials.before[:, 0], trials.after, trials.theta[:, 0].long().tolist(), strict=True):
        assert torch.equal(before[max(-theta, 0) : 36 - max(theta, 0)], after[max(theta, 0) : 36 + min(theta, 0)])
    assert len(trials.theta.unique()) > 3


def test_a_tone_cropped_is_the_tone_a_step_higher():
    encoder = cropped_cqt(bins=36, margin=12, low=130.813)
    time = torch.arange(encoder.samples) / encoder.rate
    tone, higher = (torch.sin(2 * torch.pi * 261.626 * 2 ** (step / 12) * time)[None] for step in (0, 3))
    moved = encoder.crop(encoder.wide.encode(tone), 3)
    assert int(moved.argmax()) == int(encoder.encode(higher).argmax()) == 15


def test_other_encoders_and_margins_are_refused():
    with pytest.raises(ShapeError, match="margin"):
        CropShift(-6, 6).trials(power_mel(), band(songs=2, seconds=4), 4, Generator().manual_seed(0))
    with pytest.raises(ShapeError, match="margin of 4"):
        CropShift(-6, 6).trials(cropped_cqt(36, 4, 130.813), band(songs=2, seconds=4), 4, Generator().manual_seed(0))


def test_two_renderings_are_as_far_apart_as_their_names():
    scene = Scene(torch.arange(3.0)[:, None].expand(3, 8), ("+2", "-1", "+0"), 0)
    for seed in range(20):
        before, after, theta, (which,) = Rendered(-3, 3).perform(scene, Generator().manual_seed(seed))
        names = [2, -1, 0]
        assert names[int(after[0])] - names[int(before[0, 0])] == int(theta) and which == int(before[0, 0])
    with pytest.raises(DataError, match="apart"):
        Rendered(5, 6).perform(scene, Generator())
    with pytest.raises(DataError, match="not named by semitones"):
        Rendered().perform(Scene(torch.ones(2, 8), ("drums", "+1"), 0), Generator())


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="renders with fluidsynth")
def test_songs_are_played_again_from_moved_notes(tmp_path):
    song = Notes.of([(0.0, 1.9, 60), (0.0, 1.9, 64)], name="third")
    (folder,) = render_transposed([song], tmp_path, (0, 3), rate=16000, seconds=2.0)
    assert {path.name for path in folder.iterdir()} == {"+0.flac", "+3.flac"}
    encoder = cropped_cqt(bins=36, margin=12, low=130.813, seconds=1.5)
    songs = stems(tmp_path)
    scene = songs.draw(encoder.rate, encoder.samples, 2, Generator().manual_seed(0))
    codes = dict(zip(scene.labels, encoder.encode(scene.parts).log(), strict=True))
    alike = [float(torch.corrcoef(torch.stack([codes["+0"].roll(step), codes["+3"]]))[0, 1]) for step in range(-6, 7)]
    assert alike.index(max(alike)) - 6 == 3
    with pytest.raises(DataError, match="nothing to render"):
        list(render_transposed([], tmp_path))
