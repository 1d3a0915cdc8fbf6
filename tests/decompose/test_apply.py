"""Songs of any length, rate and channels: parts that add up, whole files or none, memory that does not grow."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from oplas._errors import DataError, ShapeError
from oplas.decompose.apply import apply, chosen, songs
from oplas.decompose.chunks import Plan, chunked
from oplas.separators import HPSS, Crossover, Mixture, Separator

NAMES = ("hits", "tones")


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "cache"))


def music(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """Clicks on the left, a tone on the right."""
    time = np.arange(round(seconds * rate)) / rate
    clicks = np.random.default_rng(0).standard_normal(len(time)) * np.exp(-100 * (time % 0.5)) * 0.2
    tone = 0.2 * np.sin(2 * np.pi * 330 * time)
    left = np.linspace(1, 0, channels) if channels > 1 else np.ones(1)
    return clicks[:, None] * left + tone[:, None] * (1 - left if channels > 1 else 1)


def song(path: Path, seconds: float = 3.5, rate: int = 16_000, channels: int = 1, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, music(seconds, rate, channels), rate, subtype)
    return path


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def decibels(wave: np.ndarray, truth: np.ndarray) -> float:
    lost = float(np.square(wave - truth).sum())
    return 10 * math.log10(lost / float(np.square(truth).sum())) if lost else -math.inf


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 6), (48_000, 1)])
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_parts_add_up_bit_for_bit_at_the_songs_own_rate_and_channels(tmp_path, rate, channels, format):
    path = song(tmp_path / "song.wav", 3.1, rate, channels)
    done = apply(HPSS(), path, tmp_path / "out", NAMES, chunk=1.5, fade=0.2, format=format)
    files = [tmp_path / "out" / done.files[name] for name in NAMES]
    assert all(soundfile.info(file).samplerate == rate and soundfile.info(file).channels == channels for file in files)
    assert np.array_equal(sum(map(read, files)), read(path)) and done.residual == -math.inf
    assert {each.name for each in (tmp_path / "out").iterdir()} == {file.name for file in files} | {"parts.json"}


def test_parts_of_a_song_of_floats_add_up_below_100_decibels(tmp_path):
    path = song(tmp_path / "song.wav", channels=2, subtype="FLOAT")
    done = apply(HPSS(), path, tmp_path / "out", NAMES, chunk=1.5, fade=0.2)
    assert decibels(sum(read(tmp_path / "out" / f"{name}.wav") for name in NAMES), read(path)) < -100 > done.residual


class Careless(Separator):
    """Parts that do not add up."""

    def split(self, mix: Tensor, rate: int) -> Tensor:
        return torch.stack([0.9 * mix, -0.3 * mix])


def test_a_splitter_that_does_not_add_up_is_made_to_or_is_told(tmp_path):
    path = song(tmp_path / "song.wav")
    assert apply(Careless(), path, tmp_path / "exact", NAMES).residual == -math.inf
    rough = apply(Careless(), path, tmp_path / "rough", NAMES, exact=False)
    assert rough.residual == pytest.approx(20 * math.log10(0.4), abs=1e-3)
    assert np.allclose(read(tmp_path / "rough" / "hits.wav"), 0.9 * read(path), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(20, 400), st.floats(0.05, 0.5))
def test_chunks_cover_every_sample_and_crossfades_sum_to_one(frames, size, share):
    plan, rate = Plan.of(frames, 1, size, share * size), 1
    wave = torch.arange(1.0, frames + 1)[None]
    at = 0

    def some(count: int) -> Tensor:
        nonlocal at
        at += count
        return wave[:, at - count : at]

    blocks = list(chunked(lambda mono, rate: torch.stack([mono, 2 * mono]), some, plan, rate, exact=False))
    assert at == frames and all(stop - start <= max(size, 1) for start, stop in plan)
    assert torch.equal(torch.cat([sound for sound, _ in blocks], -1), wave)
    found = torch.cat([parts for _, parts in blocks], -1)
    assert torch.allclose(found, torch.stack([wave, 2 * wave]), rtol=1e-5)


def test_joints_cannot_be_heard(tmp_path):
    path = song(tmp_path / "song.wav", 8.0)
    apply(HPSS(), path, tmp_path / "one", NAMES, chunk=30)
    apply(HPSS(), path, tmp_path / "many", NAMES, chunk=3, fade=1)
    for name in NAMES:
        assert decibels(read(tmp_path / "many" / f"{name}.wav"), read(tmp_path / "one" / f"{name}.wav")) < -30


def test_each_part_stays_where_it_was_in_the_stereo_image(tmp_path):
    path = song(tmp_path / "song.wav", channels=2)
    apply(HPSS(), path, tmp_path / "out", NAMES)
    loud = {name: np.square(read(tmp_path / "out" / f"{name}.wav")).sum(0) for name in NAMES}
    assert loud["hits"][0] > 20 * loud["hits"][1] and loud["tones"][1] > 20 * loud["tones"][0]


def test_a_channel_that_is_silent_is_silent_in_every_part(tmp_path):
    wave = music(3, 16_000) * [1, 0]
    soundfile.write(tmp_path / "song.wav", wave, 16_000)
    apply(HPSS(), tmp_path / "song.wav", tmp_path / "out", NAMES)
    assert all(np.abs(read(tmp_path / "out" / f"{name}.wav")[:, 1]).max() < 1e-6 for name in NAMES)


def test_only_the_parts_asked_for_are_written_and_are_the_same(tmp_path):
    path = song(tmp_path / "song.wav")
    apply(HPSS(), path, tmp_path / "all", NAMES)
    assert set(apply(HPSS(), path, tmp_path / "one", NAMES, only=["2"]).files) == {"tones"}
    assert {each.name for each in (tmp_path / "one").iterdir()} == {"tones.wav", "parts.json"}
    assert np.array_equal(read(tmp_path / "one" / "tones.wav"), read(tmp_path / "all" / "tones.wav"))
    assert set(apply(HPSS(), path, tmp_path / "one", NAMES, only=["hits"]).files) == {"hits"}
    assert apply(HPSS(), path, tmp_path / "one", NAMES).again  # one after the other, both are there
    with pytest.raises(DataError, match="no part 'voice'; the parts are hits, tones"):
        chosen(NAMES, ["voice"])


def test_what_is_done_is_left_and_what_changed_is_done_again(tmp_path):
    path, out = song(tmp_path / "song.wav"), tmp_path / "out"
    first = apply(HPSS(), path, out, NAMES, made_by={"by": "HPSS()"})
    assert not first.again
    again = apply(HPSS(), path, out, NAMES, made_by={"by": "HPSS()"}, only=["hits"])
    assert again.again and again.residual == first.residual and set(again.files) == {"hits"}
    assert not apply(HPSS(15), path, out, NAMES, made_by={"by": "HPSS(15)"}).again
    (out / "hits.wav").unlink()
    assert not apply(HPSS(15), path, out, NAMES, made_by={"by": "HPSS(15)"}).again
    song(path, seconds=3.0)
    assert apply(HPSS(15), path, out, NAMES, made_by={"by": "HPSS(15)"}).seconds == 3
    (out / "parts.json").write_text("{")
    assert not apply(HPSS(15), path, out, NAMES, made_by={"by": "HPSS(15)"}).again


def test_a_scrap_shorter_than_a_frame_is_split_too(tmp_path):
    path = song(tmp_path / "song.wav", 0.02)
    assert apply(HPSS(), path, tmp_path / "out", NAMES).residual == -math.inf
    assert len(read(tmp_path / "out" / "hits.wav")) == 320


def bad(folder: Path) -> dict[str, Path]:
    """Songs of each kind that will not do."""
    soundfile.write(folder / "silent.wav", np.zeros(16_000), 16_000)
    broken = music(1, 16_000)
    broken[5000] = math.nan
    soundfile.write(folder / "nan.wav", broken, 16_000, "FLOAT")
    song(folder / "cut.wav")
    (folder / "cut.wav").write_bytes((folder / "cut.wav").read_bytes()[:20_000])
    (folder / "text.wav").write_text("la la la")
    (folder / "empty.wav").touch()
    return {path.stem: path for path in folder.glob("*.wav")}


@pytest.mark.parametrize(
    ("name", "words"),
    [("silent", "silent"), ("nan", "NaN"), ("cut", "truncated"), ("text", "as audio"), ("empty", "empty"), ("gone", "opened")],
)
def test_songs_that_will_not_do_are_named_and_nothing_is_written(tmp_path, name, words):
    path = bad(tmp_path).get(name, tmp_path / "gone.wav")
    with pytest.raises(DataError, match=words) as told:
        apply(HPSS(), path, tmp_path / "out", NAMES)
    assert path.name in str(told.value) and not (tmp_path / "out").exists()


class Failing(Separator):
    """Gives up in the third chunk."""

    def __init__(self, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.error, self.calls = error, 0

    def split(self, mix: Tensor, rate: int) -> Tensor:
        self.calls += 1
        if self.calls == 3:
            raise self.error
        return torch.stack([mix, 0 * mix])


def test_what_is_interrupted_leaves_nothing_and_harms_nothing(tmp_path):
    path = song(tmp_path / "song.wav")
    with pytest.raises(KeyboardInterrupt):
        apply(Failing(), path, tmp_path / "out", NAMES, chunk=1, fade=0.1)
    assert not (tmp_path / "out").exists()
    apply(HPSS(), path, tmp_path / "out", NAMES)
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    with pytest.raises(KeyboardInterrupt):
        apply(Failing(), path, tmp_path / "out", NAMES, chunk=1, fade=0.1)
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before


SLOW = """
import sys, time, torch
from oplas.decompose.apply import apply
def split(mono, rate):
    print("chunk", flush=True); time.sleep(float(sys.argv[3])); return torch.stack([mono, 0 * mono])
apply(split, sys.argv[1], sys.argv[2], ("a", "b"), chunk=1, fade=0.1)
"""


def test_killed_in_the_middle_nothing_half_written_has_a_name_and_the_next_run_tidies_up(tmp_path):
    path, out = song(tmp_path / "song.wav"), tmp_path / "out"
    killed = subprocess.Popen([sys.executable, "-c", SLOW, path, out, "60"], stdout=subprocess.PIPE)
    assert killed.stdout is not None and killed.stdout.readline() == b"chunk\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert [each.name for each in out.iterdir()] == [f".parts-{killed.pid}"]
    subprocess.run([sys.executable, "-c", SLOW, path, out, "0"], check=True, stdout=subprocess.PIPE)
    assert {each.name for each in out.iterdir()} == {"a.wav", "b.wav", "parts.json"}
    assert json.loads((out / "parts.json").read_text())["residual"] is None


def test_memory_does_not_grow_with_the_song(tmp_path):
    most = []

    def split(mono: Tensor, rate: int) -> Tensor:
        most.append(len(mono))
        return torch.stack([mono, 0 * mono])

    for seconds in (20, 60):
        most.clear()
        apply(split, song(tmp_path / f"{seconds}.wav", seconds, 8000), tmp_path / str(seconds), NAMES, chunk=4, fade=0.5)
        assert max(most) <= 4 * 8000 and len(most) == math.ceil((seconds - 0.5) / 3.5)


def test_what_would_clip_in_24_bits_is_refused(tmp_path):
    soundfile.write(tmp_path / "song.wav", np.full(16_000, 0.95), 16_000)

    def split(mono: Tensor, rate: int) -> Tensor:
        return torch.stack([-mono, 2 * mono])

    with pytest.raises(DataError, match="would clip in 24 bits"):
        apply(split, tmp_path / "song.wav", tmp_path / "out", NAMES, format="flac")
    assert apply(split, tmp_path / "song.wav", tmp_path / "out", NAMES).residual == -math.inf


@pytest.mark.parametrize(
    ("split", "error", "words"),
    [
        (Mixture(3), DataError, "makes 3 parts, 2 names"),
        (lambda mono, rate: mono, ShapeError, "has to give"),
        (lambda mono, rate: torch.full((2, len(mono)), torch.nan), DataError, "not finite"),
    ],
)
def test_splitters_that_will_not_do_are_told(tmp_path, split, error, words):
    with pytest.raises(error, match=words):
        apply(split, song(tmp_path / "song.wav"), tmp_path / "out", NAMES)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("chunk", "fade"), [(1, 0.6), (1, 0), (0, 0), (-1, 1)])
def test_chunks_that_cannot_fade_are_told(tmp_path, chunk, fade):
    with pytest.raises(DataError, match="cannot fade"):
        apply(Crossover(), song(tmp_path / "song.wav"), tmp_path / "out", NAMES, chunk=chunk, fade=fade)


def test_folders_keep_their_order_and_parts_are_not_taken_for_songs(tmp_path):
    for name in ("a.wav", "b/a.wav", "b/a.flac", "out/x/drums.wav", ".hidden/no.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    assert list(songs([tmp_path], out)) == [
        (tmp_path / "a.wav", out / "a"), (tmp_path / "b/a.flac", out / "b/a"), (tmp_path / "b/a.wav", out / "b/a.wav"),
    ]  # fmt: skip
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.wav").touch()
    assert [target for _, target in songs([tmp_path / "a.wav", tmp_path / "b/a.wav"], out)] == [out / "a", out / "a.wav"]
    with pytest.raises(DataError, match="would both be written"):
        songs([tmp_path / "a.wav", tmp_path / "b/a.wav", tmp_path / "c/a.wav"], out)
    with pytest.raises(DataError, match="no audio file"):
        songs([tmp_path / "out" / "x"], out)
    with pytest.raises(DataError, match="there is no file or folder"):
        songs([tmp_path / "nowhere"], out)
