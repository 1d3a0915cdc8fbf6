"""The band: the same for the same seed, different from song to song, and music enough to mix."""

import numpy as np
import pytest
import torch

from oplas import _errors
from oplas.data import band
from oplas.data.band import play
from oplas.data.base import Slot


@pytest.fixture(scope="module")
def songs():
    return band(seed=1, songs=6, seconds=16.0)


def waves(song):
    return {part.label: part.sources[0].held for part in song.parts}


def test_the_same_seed_gives_the_same_bits(songs):
    again = band(seed=1, songs=2, seconds=16.0)
    for one, two in zip(again.songs, songs.songs, strict=False):
        assert one.name == two.name
        assert all(np.array_equal(wave, waves(two)[label]) for label, wave in waves(one).items())


def test_another_seed_gives_other_songs(songs):
    assert not {song.digest for song in band(seed=2, songs=2, seconds=16.0).songs} & {song.digest for song in songs.songs}


def test_every_song_has_four_parts_and_a_mix_below_full_scale(songs):
    for song in songs.songs:
        assert sorted(waves(song)) == ["bass", "chords", "drums", "lead"]
        mix = sum(waves(song).values())
        assert 0.5 < np.abs(mix).max() <= 0.9
        levels = [np.sqrt(np.square(wave).mean()) for wave in waves(song).values()]
        assert max(levels) / min(levels) < 10 ** (8.1 / 20), "parts are balanced to 8 dB"


def test_parts_overlap_in_register_and_differ_in_it(songs):
    """Energy by octave band: the bass is lowest on average, yet every two pitched parts share a band with 3 % of each."""
    edges = 2.0 ** np.arange(5, 14)
    bands = {}
    for song in songs.songs:
        for label, wave in waves(song).items():
            power, hertz = np.square(np.abs(np.fft.rfft(wave))), np.fft.rfftfreq(len(wave), 1 / 16000)
            bands.setdefault(label, []).append(np.histogram(hertz, edges, weights=power)[0] / power.sum())
    shares = {label: np.mean(rows, 0) for label, rows in bands.items()}
    centre = {label: share @ np.arange(8) for label, share in shares.items()}
    assert centre["bass"] < centre["chords"] < centre["lead"]
    for one, two in (("bass", "chords"), ("chords", "lead")):
        assert (np.minimum(shares[one], shares[two]) > 0.03).any()


def test_most_windows_hold_several_parts(songs):
    counts = np.array([len(slot.labels) for slot in songs.grid(16000, 16000)])
    assert (counts >= 2).mean() > 0.9
    assert len(set(counts)) >= 3, "parts rest now and then"


@pytest.mark.parametrize("seed", range(5))
def test_even_a_second_has_every_part(seed):
    assert len(band(seed=seed, songs=1, seconds=1.0, rate=8000).songs[0].parts) == 4


def test_the_rate_is_the_one_asked_for():
    song = band(songs=1, seconds=2.0, rate=44100).songs[0]
    assert song.parts[0].sources[0].sound.rate == 44100
    assert song.length(44100) == 88200


def test_a_window_is_drawn_like_any_other(songs):
    scene = songs.draw(16000, 8000, 3, torch.Generator().manual_seed(0))
    assert scene.parts.shape == (len(scene.labels), 8000)
    assert len(scene.labels) >= 3


@pytest.mark.parametrize("asked", [{"songs": 0}, {"seconds": 0.5}, {"rate": 4000}])
def test_a_band_too_small_is_refused(asked):
    with pytest.raises(_errors.DataError, match="at least 1 song of 1 s at 8000 Hz"):
        band(**asked)


def test_what_is_told_of_a_song_is_what_is_played() -> None:
    played, songs = play(3, 1, 4.0), band(3, 2, 4.0)
    for label, wave in played.waves.items():
        assert torch.equal(wave, torch.from_numpy(songs.scene(Slot(1, 0, (label,)), 16000, 64000).parts[0].numpy()))
    assert "drums" not in played.notes.parts
    assert 0 < played.notes.beats <= 4.0 * played.tempo / 60 + 16
    in_key = {(played.signature + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)}
    assert set((played.notes.pitch % 12).tolist()) <= in_key
