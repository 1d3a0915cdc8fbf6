"""The mixer toy's data: the law they are drawn from, and held-out scenes that never change."""

import pytest
import torch

from oplas import _errors
from oplas.data import Slot, toys


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_points_follow_the_law():
    points = toys.mixer(parts=3).draw_batch(200_000, 3, seeded())
    furthest = points.abs().amax(dim=(0, 2))
    top = 1 + 0.5 * torch.tanh(torch.tensor(2.0))
    assert torch.allclose(furthest, top * torch.tensor([1.2, 1.0, 1.0]), rtol=0.01)
    # E f² = 1 + E tanh²(2v) / 4 with E tanh²(2v) = 1 - tanh(2)/2; E u² = 1/3
    expected = (1 + 0.25 * (1 - torch.tanh(torch.tensor(2.0)) / 2)) / 3 * torch.tensor([1.44, 1.0, 1.0])
    assert torch.allclose(points.square().mean((0, 2)), expected, rtol=0.01)
    assert points.mean((0, 2)).abs().max() < 0.01


def test_each_part_has_its_own_fader_and_both_coordinates_share_it():
    points = toys.mixer(dtype=torch.float64).draw_batch(100_000, 2, seeded()).square()
    power = points - points.mean(0)
    correlation = torch.corrcoef(torch.stack([power[:, 0, 0], power[:, 0, 1], power[:, 1, 0]]))
    assert correlation[0, 1] > 0.1
    assert abs(correlation[0, 2]) < 0.02


def test_held_out_scenes_stay_the_same_and_songs_differ():
    data = toys.mixer(songs=3)
    slots = data.grid(0, 2)
    assert len(slots) == 3 * 256
    again = toys.mixer(songs=3)
    assert all(torch.equal(data.scene(slot, 0, 2).parts, again.scene(slot, 0, 2).parts) for slot in slots[::100])
    assert not torch.equal(data.scene(slots[0], 0, 2).parts, data.scene(slots[256], 0, 2).parts)
    assert data.scene(Slot(1, 5, ("point 3", "point 1")), 0, 2).parts.shape == (2, 2)


def test_a_split_keeps_each_songs_scenes_and_shares_none():
    data = toys.mixer(songs=10)
    train, test = data.split(0.8, 0.2, seed=1)
    assert (len(train), len(test)) == (8, 2)
    assert not set(train.names) & set(test.names)
    where = data.names.index(test.names[1])
    assert torch.equal(test.scene(Slot(1, 7, test.labels), 0, 2).parts, data.scene(Slot(where, 7, data.labels), 0, 2).parts)
    assert len({data.fingerprint, train.fingerprint, test.fingerprint}) == 3


def test_draws_repeat_with_their_seed():
    data = toys.mixer()
    assert torch.equal(data.draw(0, 2, 4, seeded(1)).parts, data.draw(0, 2, 4, seeded(1)).parts)


@pytest.mark.parametrize("call", [lambda d: d.grid(16000, 48000), lambda d: d.draw(16000, 2, 2, seeded()), lambda d: d.grid(0, 3)])
def test_windows_of_sound_are_refused(call):
    with pytest.raises(_errors.ShapeError, match="holds points"):
        call(toys.mixer())


def test_more_parts_than_a_scene_has_are_refused():
    with pytest.raises(_errors.DataError, match="5 parts are asked for and every scene has 4"):
        toys.mixer().draw(0, 2, 5, seeded())


@pytest.mark.parametrize("fractions", [(), (0.9, 0.9), (0.01, 0.99), (-0.5, 1.0)])
def test_a_split_that_cannot_be_is_refused(fractions):
    with pytest.raises(_errors.DataError, match="2 songs cannot be split"):
        toys.mixer(songs=2).split(*fractions)
