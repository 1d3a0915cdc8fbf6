"""Decoding: exact, bounded in memory, cached whole or not at all, and plain about bad files."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oplas import _errors
from oplas.data import audio


def partials(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".partial-")]


def test_read_gives_the_samples_of_the_file(tmp_path, save, noise):
    path = save(tmp_path / "a.wav", noise(1), subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(path, 16000), noise(1))


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_resampling_in_blocks_equals_resampling_at_once(tmp_path, save, noise, rate):
    import soxr

    wave = noise(2, seconds=3.7)
    got = audio.read(save(tmp_path / "a.wav", wave, subtype="FLOAT"), rate)
    np.testing.assert_allclose(got, soxr.resample(wave, 16000, rate)[: len(got)], atol=1e-6)
    assert len(got) == audio.length(audio.survey(tmp_path / "a.wav"), rate) == round(len(wave) * rate / 16000)


def test_a_tone_keeps_its_pitch_and_level_through_mp3_and_another_rate(tmp_path, save):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100 * 2) / 44100).astype(np.float32)
    wave = audio.read(save(tmp_path / "a.mp3", tone, 44100), 16000)
    middle = wave[8000:24000]
    assert np.argmax(np.abs(np.fft.rfft(middle * np.hanning(16000)))) == 440  # 1 s: a bin a hertz
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.02)


def test_channels_are_averaged_so_that_a_downmix_of_a_mix_is_the_mix_of_downmixes(tmp_path, save, noise):
    one, two = noise(1, channels=8), noise(2, channels=8)
    waves = {"one.wav": one, "two.wav": two, "mix.wav": one + two}
    first, second, mix = (audio.read(save(tmp_path / name, wave, subtype="FLOAT"), 16000) for name, wave in waves.items())
    np.testing.assert_allclose(first, one.mean(1), atol=1e-6)
    np.testing.assert_allclose(first + second, mix, atol=1e-6)


def test_the_digest_is_of_the_content_not_of_the_container(tmp_path, save, noise):
    wave = (np.round(noise(3) * 32768) / 32768).astype(np.float32)
    digests = {audio.survey(save(tmp_path / name, wave, subtype="PCM_16")).digest for name in ("a.wav", "b.flac", "c.aiff")}
    assert len(digests) == 1
    assert audio.survey(save(tmp_path / "d.wav", wave[::-1], subtype="PCM_16")).digest not in digests


MEMORY = """
import resource, sys, numpy as np, soxr, soundfile
from oplas.data import audio
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wave = audio.read(sys.argv[1], 8000)
assert len(wave) == 8000 * 3600, len(wave)
assert np.isfinite(wave[-8000:]).all()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module measures memory on Unix only")
def test_an_hour_costs_bounded_memory(tmp_path):
    block = np.random.default_rng(0).integers(-3000, 3000, 16000 * 60, dtype=np.int16)
    with soundfile.SoundFile(tmp_path / "hour.wav", "w", 16000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(block)
    ran = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path / "hour.wav")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    grown = int(ran.stdout) / (1024 if sys.platform != "darwin" else 1 << 20)
    assert grown < 40, f"decoding an hour (110 MiB as float32 at 8 kHz) grew the process by {grown:.0f} MiB"


def _read(path: str) -> bytes:
    return audio.read(path, 8000)[:4000].tobytes()


def test_two_processes_may_decode_the_same_file_at_once(tmp_path, save, noise, cache):
    path = save(tmp_path / "a.wav", noise(4, seconds=20))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, *others = pool.map(_read, [str(path)] * 4, chunksize=1)
    assert all(other == first for other in others)
    assert not partials(cache)


def test_a_changed_file_is_decoded_again(tmp_path, save, noise):
    before = np.array(audio.read(save(tmp_path / "a.wav", noise(1), subtype="FLOAT"), 16000))
    after = audio.read(save(tmp_path / "a.wav", noise(2, seconds=1), subtype="FLOAT"), 16000)
    assert len(after) == 16000 < len(before)


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone"])
def test_a_damaged_cache_is_made_anew(tmp_path, save, noise, cache, damage):
    path = save(tmp_path / "a.wav", noise(1), subtype="FLOAT")
    audio.read(path, 16000)
    for kept in (cache / "audio").iterdir():
        if damage == "gone":
            kept.unlink()
        else:
            kept.write_bytes(kept.read_bytes()[:100] if damage == "cut" else b"no such thing")
    np.testing.assert_array_equal(audio.read(path, 16000), noise(1))


def bad(folder: Path, save, noise) -> dict[str, tuple[Path, str]]:
    """Each kind of bad file, and what the message must say about it."""
    wave = noise(5)
    nan, inf = wave.copy(), wave.copy()
    nan[20000], inf[8000] = np.nan, -np.inf
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("These are not the samples you are looking for.")
    for suffix in ("wav", "flac", "ogg"):
        whole = save(folder / f"whole.{suffix}", noise(6, seconds=5)).read_bytes()
        (folder / f"truncated.{suffix}").write_bytes(whole[: len(whole) // 2])
    return {
        "silent": (save(folder / "silent.wav", np.zeros(16000, np.float32)), "silent"),
        "cancelling": (save(folder / "cancelling.wav", np.stack([wave, -wave], 1), subtype="FLOAT"), "silent.*2 channels"),
        "nan": (save(folder / "nan.wav", nan, subtype="FLOAT"), r"NaN or infinite.*at 1\.25 s"),
        "inf": (save(folder / "inf.wav", inf, subtype="FLOAT"), r"NaN or infinite.*at 0\.50 s"),
        "empty": (folder / "empty.wav", "empty"),
        "no samples": (save(folder / "none.wav", np.zeros(0, np.float32)), "0 samples"),
        "one sample": (save(folder / "one.wav", np.ones(1, np.float32) / 2), "1 samples"),
        "text": (folder / "text.wav", "could not be read as audio"),
        "truncated wav": (folder / "truncated.wav", "truncated"),
        "truncated flac": (folder / "truncated.flac", "truncated"),
        "truncated ogg": (folder / "truncated.ogg", "truncated"),
        "folder": (folder, "could not be opened"),
        "missing": (folder / "missing.wav", "could not be opened"),
    }


KINDS = ("silent", "cancelling", "nan", "inf", "empty", "no samples", "one sample", "text", "truncated wav", "truncated flac",
         "truncated ogg", "folder", "missing")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_named_with_the_fact_and_leaves_nothing_behind(tmp_path, save, noise, cache, kind):
    path, fact = bad(tmp_path, save, noise)[kind]
    with pytest.raises(_errors.DataError, match=f"(?s){fact}") as caught:
        audio.read(path, 8000)
    assert str(path) in str(caught.value)
    assert ";" in str(caught.value), "the message ends in what to do next"
    assert not cache.exists() or not list(cache.rglob("*.*"))


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_a_file_cut_anywhere_never_passes_for_whole(tmp_path, save, noise, suffix):
    whole = save(tmp_path / f"whole.{suffix}", noise(1, seconds=4)).read_bytes()
    audio.survey(tmp_path / f"whole.{suffix}")
    for kept in [*np.random.default_rng(0).integers(1, len(whole), 30), len(whole) - 1]:
        (tmp_path / f"cut.{suffix}").write_bytes(whole[:kept])
        with pytest.raises(_errors.DataError, match=rf"cut\.{suffix} (is truncated|could not be read as audio)"):
            audio.survey(tmp_path / f"cut.{suffix}")


def test_audio_under_a_wrong_name_is_known_by_its_content(tmp_path, save, noise):
    path = save(tmp_path / "a.flac", noise(1)).rename(tmp_path / "a.wav")
    np.testing.assert_allclose(audio.read(path, 16000), noise(1), atol=2**-14)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_write_then_read_gives_the_wave(tmp_path, noise, name):
    wave = np.convolve(noise(7, seconds=4), np.ones(16) / 16, "same").astype(np.float32)
    audio.write(tmp_path / name, wave, 16000)
    got = audio.read(tmp_path / name, 16000)
    exact = {"a.wav": 0.0, "a.flac": 2e-7}
    if name in exact:
        np.testing.assert_allclose(got, wave, atol=exact[name])
    else:
        assert np.corrcoef(got[: len(wave)], wave[: len(got)])[0, 1] > 0.98
    assert not partials(tmp_path)


def test_a_long_ogg_is_written(tmp_path, noise):
    audio.write(tmp_path / "long.ogg", np.tile(noise(8, seconds=60), 10), 16000)
    assert soundfile.info(tmp_path / "long.ogg").frames == 600 * 16000


@pytest.mark.parametrize(
    ("name", "wave", "fact"),
    [
        ("a.flac", np.array([0.5, -1.5]), "peaks at 1.50 and would clip"),
        ("a.wav", np.array([0.5, np.nan]), "holds NaN"),
        ("a.wav", np.zeros(0), "mono wave"),
        ("a.wav", np.zeros((2, 100)), "mono wave"),
        ("a.xyz", np.zeros(100), "ends in"),
    ],
)
def test_a_wave_that_a_file_cannot_hold_is_refused_and_an_older_file_stays(tmp_path, name, wave, fact):
    (tmp_path / name).write_bytes(b"older")
    with pytest.raises(_errors.DataError, match=fact):
        audio.write(tmp_path / name, wave, 16000)
    assert (tmp_path / name).read_bytes() == b"older"
    assert not partials(tmp_path)


def test_a_float_wav_holds_what_is_louder_than_full_scale(tmp_path):
    audio.write(tmp_path / "loud.wav", np.tile([3.0, -3.0], 400), 16000)
    assert np.abs(audio.read(tmp_path / "loud.wav", 16000)).max() == 3


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(tmp_path, save, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "file"))
    with pytest.raises(_errors.DataError, match=r"could not be written .*OPLAS_CACHE"):
        audio.read(save(tmp_path / "a.wav"), 8000)


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(_errors.DataError, match=r"b\.wav could not be written .*; free disk space or choose a folder"):
        audio.write(tmp_path / "file" / "b.wav", np.ones(100), 16000)


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from oplas.data import audio
audio.read(sys.argv[1], 16000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a file size limit stands in for a full disk, on Unix only")
def test_a_full_disk_is_reported_and_leaves_no_half_file(tmp_path, save, noise, cache):
    path = save(tmp_path / "a.wav", noise(1, seconds=20))
    ran = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert ran.returncode == 1
    assert "could not be written" in ran.stderr
    assert "set OPLAS_CACHE" in ran.stderr
    assert not list(cache.rglob("*.f32"))
    assert not partials(cache)
