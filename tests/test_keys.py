"""Keys are found by rotating, without labels; what labels add is a name and the mode."""

import pytest
import torch
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.data.notes import Notes
from oplas.data.pop909 import Key, pop909
from oplas.functional.cyclic import correlate, shared_shape, shifts
from oplas.keys import KeySpace, durations

SCALE = torch.tensor([5.0, 0.2, 3, 0.2, 4, 3, 0.2, 5, 0.2, 3, 0.2, 2]).double()


def songs(count: int = 80, seed: int = 0) -> tuple[torch.Tensor, list[Key]]:
    generator, rows, keys = Generator().manual_seed(seed), [], []
    for _ in range(count):
        place, minor = int(torch.randint(12, (), generator=generator)), bool(torch.randint(2, (), generator=generator))
        weight = SCALE + 3 * torch.nn.functional.one_hot(torch.tensor(9 if minor else 0), 12)
        rows.append((weight * (0.6 + 0.8 * torch.rand(12, generator=generator))).roll(place))
        keys.append(Key((place + 9 * minor) % 12, minor))
    y = torch.stack(rows)
    return y / y.sum(1, keepdim=True), keys


def test_the_shape_is_recovered_up_to_a_rotation():
    truth = SCALE / SCALE.sum()
    rows = torch.stack([truth.roll(k) for k in (0, 1, 4, 7, 7, 9)])
    found, _ = shared_shape(rows, Generator().manual_seed(0))
    assert (shifts(found[None])[0] - truth).abs().sum(1).min() < 0.02


def test_a_rotated_song_is_a_rotated_latent_exactly():
    y, _ = songs()
    space = KeySpace.learn(y)
    z, planes = space.latents(y), space.planes(y)
    for k in range(12):
        assert torch.allclose(space.latents(y.roll(k, 1)), z.roll(k, 1), atol=1e-12)
        turn = torch.exp(-2j * torch.pi * k * torch.arange(1, 7) / 12)
        assert torch.allclose(space.planes(y.roll(k, 1)), planes * turn, atol=1e-10)
        assert torch.equal(space.place(y.roll(k, 1)), (space.place(y) + k) % 12)
    assert torch.allclose(correlate(y, space.shape.log()).mean(1, keepdim=True) + z, correlate(y, space.shape.log()))


def test_keys_of_unheard_songs_are_named():
    y, keys = songs()
    found = KeySpace.learn(y).calibrate(y, keys).keys(songs(60, seed=1)[0])
    assert sum(a == b for a, b in zip(found, songs(60, seed=1)[1], strict=True)) >= 54


def test_real_songs(shared_data):
    pop = [song for song in pop909(shared_data / "pop909.tar.gz")[::8] if song.key]
    y, keys = durations([song.notes for song in pop]), [song.key for song in pop if song.key]
    space = KeySpace.learn(y[::2]).calibrate(y[::2], keys[::2])
    found = space.keys(y[1::2])
    assert sum(a.signature == b.signature for a, b in zip(found, keys[1::2], strict=True)) >= 0.9 * len(found)


def test_durations_are_shares_of_time():
    y = durations([Notes.of([(0.0, 3.0, 60), (1.0, 1.0, 79)])])
    assert y[0, 0] == 0.75 and y[0, 7] == 0.25


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: KeySpace.learn(torch.full((9, 12), 1 / 12)), DataError, "cannot show a key"),
        (lambda: KeySpace.learn(torch.ones(9, 11)), ShapeError, r"\[songs, 12\]"),
        (lambda: KeySpace.learn(torch.full((9, 12), torch.nan)), DataError, "NaN"),
        (lambda: KeySpace.learn(songs()[0]).calibrate(songs()[0], []), DataError, "0 keys"),
        (lambda: KeySpace.learn(songs()[0]).calibrate(songs()[0], [Key(0, False)] * 80), DataError, "same mode"),
        (lambda: KeySpace.learn(songs()[0]).keys(songs()[0]), DataError, "calibrate"),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
