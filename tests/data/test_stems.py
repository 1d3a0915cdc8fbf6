"""Songs as stems: what is heard, drawn, split and left out."""

import copy
import multiprocessing
import warnings

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oplas import _errors
from oplas.data import Slot, Stems, stems

RATE = 16000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def arrays(count, parts=("drums", "bass", "lead"), seconds=1.0, first=0):
    """Songs of independent noise."""
    make = lambda seed: torch.rand(int(seconds * RATE), generator=seeded(seed)) - 0.5  # noqa: E731
    return {f"song {song}": {part: make(first + 100 * song + index) for index, part in enumerate(parts)} for song in range(count)}


@pytest.fixture
def data():
    return Stems.from_arrays(arrays(6), RATE)


def test_a_folder_is_read_as_the_waves_it_holds(songs, noise):
    data = stems(songs)
    assert data.names == tuple(f"song {song}" for song in range(4))
    scene = data.scene(Slot(2, 4000, ("lead", "drums")), RATE, 8000)
    expected = np.stack([noise(22), noise(20)])[:, 4000:12000]
    np.testing.assert_allclose(scene.parts, expected, atol=2**-15)
    assert (scene.labels, scene.song) == (("lead", "drums"), 2)


def test_the_fingerprint_is_of_what_sounds_not_of_names_or_containers(songs, save):
    before = stems(songs).fingerprint
    (songs / "song 1").rename(songs / "renamed")
    assert stems(songs).fingerprint == before
    exact, _ = soundfile.read(songs / "song 0" / "drums.wav", dtype="float32")
    (songs / "song 0" / "drums.wav").unlink()
    save(songs / "song 0" / "drums.flac", exact)
    assert stems(songs).fingerprint == before
    save(songs / "song 0" / "drums.flac", -exact)
    assert stems(songs).fingerprint != before


def test_the_grid_holds_every_window_in_which_something_is_heard():
    loud = torch.rand(4 * RATE, generator=seeded()) - 0.5
    first, last = loud.clone(), loud.clone()
    first[RATE:], last[: 3 * RATE] = 0, 0
    data = Stems.from_arrays({"song": {"first": first, "last": last}}, RATE)
    assert data.grid(RATE, RATE) == [Slot(0, 0, ("first",)), Slot(0, 3 * RATE, ("last",))]
    assert [slot.start for slot in data.grid(RATE, RATE, RATE // 2)] == [0, RATE // 2, 5 * RATE // 2, 3 * RATE]


@pytest.mark.parametrize(("level", "heard"), [(-55, True), (-65, False)])
def test_heard_means_above_minus_60_dB_of_full_scale(level, heard):
    tone = torch.sin(torch.arange(2 * RATE) * 0.3) * 2**0.5
    data = Stems.from_arrays({"song": {"loud": tone * 0.1, "soft": tone * 10 ** (level / 20)}}, RATE)
    assert ("soft" in data.grid(RATE, RATE)[0].labels) == heard


@pytest.mark.parametrize(("drop", "heard"), [(-45, True), (-55, False)])
def test_heard_means_above_minus_50_dB_of_the_parts_own_loudest_window(drop, heard):
    tone = torch.sin(torch.arange(2 * RATE) * 0.3)
    fading = torch.cat([tone[:RATE], tone[RATE:] * 10 ** (drop / 20)])
    data = Stems.from_arrays({"song": {"fading": fading, "steady": tone}}, RATE)
    assert ("fading" in data.grid(RATE, RATE)[1].labels) == heard


def test_every_part_of_a_scene_sounds_in_its_window():
    burst = torch.zeros(4 * RATE)
    burst[2 * RATE : 2 * RATE + 400] = torch.rand(400, generator=seeded()) - 0.5
    data = Stems.from_arrays({"song": {"burst": burst, "steady": torch.rand(4 * RATE, generator=seeded(1)) - 0.5}}, RATE)
    generator = seeded()
    for _ in range(200):
        assert data.draw(RATE, 1600, 2, generator).parts.square().mean(1).sqrt().min() > 10 ** (-60 / 20)


def test_draws_repeat_with_their_seed_and_have_at_least_the_parts_asked_for(data):
    one, two = seeded(3), seeded(3)
    for _ in range(20):
        first, second = data.draw(RATE, 4000, 3, one), data.draw(RATE, 4000, 3, two)
        assert torch.equal(first.parts, second.parts)
        assert first.parts.shape == (3, 4000)
    assert {data.draw(RATE, 4000, 2, one).song for _ in range(100)} == set(range(6))


def test_a_batch_of_draws_keeps_at_most_the_parts_asked_for(data):
    scenes = data.draw_batch(60, 2, 2, RATE, 4000, seeded())
    assert {len(scene.labels) for scene in scenes} == {2}
    assert {scene.labels for scene in scenes} == {("drums", "bass"), ("drums", "lead"), ("bass", "lead")}
    assert all(scene.parts.shape == (2, 4000) for scene in scenes)
    assert {len(scene.labels) for scene in data.draw_batch(5, 2, None, RATE, 4000, seeded())} == {3}


def test_a_draw_is_a_window_of_the_song(data):
    scene = data.draw(RATE, 4000, 2, seeded(5))
    song = data.songs[scene.song]
    whole = song.window(scene.labels, 0, RATE, song.length(RATE))
    starts = [start for start in range(0, 12001, 160) if np.array_equal(whole[:, start : start + 4000], scene.parts)]
    assert len(starts) == 1


def test_no_window_with_enough_parts_is_an_error_with_the_numbers(data):
    with pytest.raises(_errors.DataError, match=r"none of 6 songs has a window of 0\.25 s in which 4 parts"):
        data.draw(RATE, 4000, 4, seeded())


def test_a_song_shorter_than_the_window_is_followed_by_silence(data):
    scene = data.draw(RATE, 3 * RATE, 3, seeded())
    assert scene.parts.shape == (3, 3 * RATE)
    assert scene.parts[:, RATE:].abs().max() == 0
    assert len(data.grid(RATE, 3 * RATE)) == 6


def test_another_rate_gives_the_same_place_in_the_song():
    time = torch.arange(4 * RATE) / RATE
    low, high = (torch.sin(2 * torch.pi * hertz * time) for hertz in (200, 300))
    data = Stems.from_arrays({"song": {"low": low, "high": high}}, RATE)
    scene = data.scene(Slot(0, 22050, ("low",)), 22050, 22050)
    expected = torch.sin(2 * torch.pi * 200 * (1 + torch.arange(22050) / 22050))
    assert (scene.parts[0] - expected).abs().max() < 1e-3


@settings(max_examples=40, deadline=None)
@given(count=st.integers(2, 12), seed=st.integers(0, 99), fractions=st.lists(st.floats(0.05, 0.5), min_size=1, max_size=3))
def test_splits_are_disjoint_by_song_and_none_is_empty(count, seed, fractions):
    data = Stems.from_arrays(arrays(count, seconds=0.05), RATE)
    fractions = [fraction / max(1, sum(fractions)) for fraction in fractions]
    if len(fractions) > count:
        return
    parts = data.split(*fractions, seed=seed)
    names = [name for part in parts for name in part.names]
    assert len(names) == len(set(names))
    assert set(names) <= set(data.names)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * count) <= 2


def test_a_split_that_adds_up_to_one_uses_every_song_and_repeats_with_its_seed(data):
    train, test = data.split(0.5, 0.5, seed=1)
    assert sorted(train.names + test.names) == list(data.names)
    assert data.split(0.5, 0.5, seed=1)[0].names == train.names
    assert len({data.split(0.5, 0.5, seed=seed)[0].names for seed in range(10)}) > 1


def test_a_split_outlives_renaming_and_reordering(data):
    waves = arrays(6)
    renamed = Stems.from_arrays({f"other {name}": waves[name] for name in reversed(list(waves))}, RATE)
    assert {f"other {name}" for name in data.split(0.5, 0.5)[0].names} == set(renamed.split(0.5, 0.5)[0].names)


@pytest.mark.parametrize("seed", range(8))
def test_songs_that_share_a_part_never_fall_into_two_splits(seed):
    waves = arrays(6)
    waves["copy"] = {"percussion": waves["song 0"]["drums"], "hum": waves["song 5"]["bass"], "new": waves["song 1"]["lead"] / 2}
    for part in Stems.from_arrays(waves, RATE).split(0.4, 0.3, 0.3, seed=seed):
        assert len({"song 0", "copy", "song 5"} & set(part.names)) in {0, 3}


@pytest.mark.parametrize(
    ("waves", "fact"),
    [
        (arrays(1), r"1 song\(s\), 1 when"),
        ({f"copy {index}": arrays(1)["song 0"] for index in range(5)}, r"5 song\(s\), 1 when those that share a part"),
        (arrays(2), r"2 song\(s\), 2 when .* cannot make 3"),
    ],
    ids=["one song", "all identical", "fewer than splits"],
)
def test_too_few_songs_for_a_split_is_an_error_with_the_numbers(waves, fact):
    with pytest.raises(_errors.DataError, match=fact):
        Stems.from_arrays(waves, RATE).split(0.6, 0.2, 0.2)


@pytest.mark.parametrize("fractions", [(), (0.0, 0.5), (0.8, 0.3), (-1.0,)])
def test_fractions_that_make_no_sense_are_refused(data, fractions):
    with pytest.raises(_errors.DataError, match="must be positive and add up to at most 1"):
        data.split(*fractions)


def test_select_keeps_the_songs_named_and_refuses_others(data):
    assert data.select(["song 3", "song 1"]).names == ("song 3", "song 1")
    with pytest.raises(_errors.DataError, match=r"no song is called 'nobody' \(1 of 2 unknown\)"):
        data.select(["song 3", "nobody"])
    with pytest.raises(_errors.DataError):
        data.select([])


def _drawn(data):
    return data.draw(RATE, 4000, 2, seeded()).parts.numpy()


def test_a_dataset_travels_to_another_process_and_leaves_its_decoded_audio_behind(songs):
    data = stems(songs, rate=RATE)
    here = _drawn(data)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_drawn, (data,)), here)
    assert not copy.deepcopy(data).songs[0].parts[0].sources[0]._waves


def test_a_bad_file_is_told_once_and_the_rest_of_the_song_goes_on(songs, save, noise):
    wave = noise(1)
    wave[100] = np.nan
    save(songs / "song 0" / "drums.wav", wave, subtype="FLOAT")
    with pytest.warns(UserWarning, match=r"drums\.wav holds NaN") as told:
        data = stems(songs)
    assert len(told) == 1
    assert [part.label for part in data.songs[0].parts] == ["bass", "lead"]


def test_a_song_left_with_one_part_is_left_out_by_name(songs, save):
    for stem in ("drums", "bass"):
        (songs / "song 0" / f"{stem}.wav").write_text("not audio")
    with pytest.warns(UserWarning, match="left out") as told:
        data = stems(songs)
    assert data.names == ("song 1", "song 2", "song 3")
    assert sorted(str(each.message).partition(" ")[0] for each in told) == ["left", "left", "song"]


def test_nothing_usable_is_an_error(tmp_path, save):
    for stem in ("drums", "bass"):
        save(tmp_path / "songs" / "one" / f"{stem}.wav", np.zeros(1000, np.float32))
    with (
        pytest.warns(UserWarning, match="left out") as told,
        pytest.raises(_errors.DataError, match="no song with at least 2 usable parts"),
    ):
        stems(tmp_path / "songs")
    assert len([each for each in told if "silent" in str(each.message)]) == 2


def test_unequal_lengths_are_evened_with_silence_and_said_once(songs, save, noise):
    for song in range(3):
        save(songs / f"song {song}" / "bass.wav", noise(90 + song, seconds=1))
    with pytest.warns(UserWarning, match=r"3 song\(s\) have parts of unequal length, the first song 0") as told:
        data = stems(songs)
    assert len(told) == 1
    scene = data.scene(Slot(0, RATE // 2, ("bass", "drums")), RATE, RATE)
    assert scene.parts[0, RATE // 2 :].abs().max() == 0
    assert scene.parts[1, RATE // 2 :].abs().max() > 0.1


def test_mixed_rates_meet_at_the_rate_asked_for(tmp_path, save):
    for name, rate in (("low", 8000), ("cd", 44100), ("studio", 48000)):
        save(tmp_path / "songs" / "one" / f"{name}.wav", 0.5 * np.sin(2 * np.pi * 500 * np.arange(2 * rate) / rate), rate)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = stems(tmp_path / "songs")
    parts = data.scene(Slot(0, 4000, ("low", "cd", "studio")), RATE, RATE).parts
    assert (parts - parts[0]).abs().max() < 1e-3


def test_eight_channels_are_averaged_and_said_once(songs, save, noise):
    eight = noise(50, channels=8)
    save(songs / "song 0" / "bass.wav", eight, subtype="FLOAT")
    save(songs / "song 1" / "bass.wav", noise(51, channels=8), subtype="FLOAT")
    with pytest.warns(UserWarning, match=r"2 file\(s\) have more than 2 channels") as told:
        data = stems(songs)
    assert len(told) == 1
    np.testing.assert_allclose(data.scene(Slot(0, 0, ("bass",)), RATE, RATE).parts[0], eight.mean(1)[:RATE], atol=1e-6)


def test_files_of_one_part_are_summed(tmp_path, save, noise):
    save(tmp_path / "db" / "song" / "drums" / "kick.wav", noise(1, seconds=1))
    save(tmp_path / "db" / "song" / "drums" / "snare.wav", noise(2))
    save(tmp_path / "db" / "song" / "bass" / "b.wav", noise(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = stems(tmp_path / "db")
    got = data.scene(Slot(0, 0, ("drums",)), RATE, 2 * RATE).parts[0]
    np.testing.assert_allclose(got, np.pad(noise(1, seconds=1), (0, RATE)) + noise(2), atol=2**-14)


@pytest.mark.parametrize(
    ("wave", "fact"),
    [
        (torch.zeros(RATE), "silent"),
        (torch.full((RATE,), torch.nan), "NaN"),
        (torch.zeros(0), "0 samples"),
        (torch.ones(1), "1 samples"),
    ],
)
def test_bad_waves_in_memory_are_named(wave, fact):
    with pytest.raises(_errors.DataError, match=f"one/bad .*{fact}"):
        Stems.from_arrays({"one": {"good": torch.ones(RATE), "bad": wave}}, RATE)


def test_a_song_in_memory_needs_two_parts():
    with pytest.raises(_errors.DataError, match="'one' has 1 part"):
        Stems.from_arrays({"one": {"only": torch.ones(RATE)}}, RATE)
