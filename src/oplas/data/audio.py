"""Audio files: decoded, averaged to mono and resampled block by block into a cache that is read without loading it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._download import cache_folder
from .._errors import DataError
from .files import whole
from .sound import Sound, Survey

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".opus", ".mp3")
_ADVICE = "free disk space, or set OPLAS_CACHE to a folder you may write to"
_VERSION = 1


def read(path: str | os.PathLike[str], rate: int, cache: str | os.PathLike[str] | None = None) -> np.ndarray:
    """The file as mono float32 at ``rate`` samples per second, memory-mapped: ``[samples]``, an hour costs no memory.

    Channels, however many, are averaged: a linear map, so that the downmix of a mix is the mix of the downmixes.
    Decoded once; the cache is keyed by path, size, time of change and rate.

    Raises:
        DataError: the file is missing, not audio, truncated, empty, silent, or holds NaN; or the cache cannot be written.
    """
    path, target = Path(path), _key(Path(path), cache).with_suffix(f".{rate}.f32")
    sound = _stored(path, cache)
    if sound is None or not target.is_file() or target.stat().st_size != 4 * length(sound, rate):
        sound = _decode(path, cache, rate)
    return np.memmap(target, np.float32, "r", shape=(length(sound, rate),))


def survey(path: str | os.PathLike[str], cache: str | os.PathLike[str] | None = None) -> Sound:
    """Facts about the file, kept in the cache. Raises what :func:`read` raises."""
    return _stored(Path(path), cache) or _decode(Path(path), cache, None)


def length(sound: Sound, rate: int) -> int:
    """Samples the sound has at another rate (Hz), rounded half up."""
    return (2 * sound.frames * rate + sound.rate) // (2 * sound.rate)


def resample(wave: np.ndarray, rate: int, to: int) -> np.ndarray:
    """A mono wave at another rate (Hz), float32."""
    import soxr

    return wave if rate == to else np.asarray(soxr.resample(wave, rate, to), np.float32)


def write(path: str | os.PathLike[str], wave: ArrayLike, rate: int) -> Path:
    """Write a mono wave ``[samples]``, full scale 1, as the suffix says: wav (float32), flac (24 bit), ogg, mp3.

    Raises:
        DataError: the wave is empty, not mono, holds NaN, or would clip in a format that cannot hold more than full
            scale; or the file cannot be written.
    """
    import soundfile

    path, wave = Path(path), np.asarray(wave)
    formats = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS"), ".mp3": ("MP3", "MPEG_LAYER_III")}
    if path.suffix.lower() not in formats:
        raise DataError(f"{path} ends in {path.suffix!r}; oplas writes {', '.join(formats)}")
    if wave.ndim != 1 or not wave.size:
        raise DataError(f"{path}: a mono wave [samples] is needed, this one is {list(wave.shape)}; average its channels first")
    kind, subtype = formats[path.suffix.lower()]
    with whole(path) as fresh:
        try:
            with soundfile.SoundFile(fresh, "w", rate, 1, subtype, format=kind) as sound:
                for start in range(0, len(wave), 1 << 16):  # libsndfile crashes on one long Ogg write
                    block = np.asarray(wave[start : start + (1 << 16)], np.float32)
                    peak = float(np.abs(block).max())
                    if not np.isfinite(block).all() or (peak > 1 and subtype != "FLOAT"):
                        fact = "holds NaN or infinity" if not np.isfinite(peak) else f"peaks at {peak:.2f} and would clip in {kind}"
                        raise DataError(f"the wave for {path} {fact}; lower its gain, or write a .wav, which holds any level")
                    sound.write(block)
        except soundfile.LibsndfileError as error:
            raise OSError(str(error)) from error
    return path


def _key(path: Path, cache: str | os.PathLike[str] | None) -> Path:
    try:
        stat = path.stat()
    except OSError as error:
        raise _closed(path, error) from error
    text = f"{_VERSION} {path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    return Path(cache or cache_folder()) / "audio" / hashlib.sha256(text.encode()).hexdigest()[:32]


def _stored(path: Path, cache: str | os.PathLike[str] | None) -> Sound | None:
    try:
        with np.load(_key(path, cache).with_suffix(".npz"), allow_pickle=False) as kept:
            rate, frames, channels = (int(value) for value in kept["shape"])
            return Sound(rate, frames, channels, bytes(kept["digest"]).hex(), kept["energy"].astype(np.float32))
    except DataError:
        raise
    except Exception:  # absent or damaged (zip has a checksum): decode again
        return None


def _decode(path: Path, cache: str | os.PathLike[str] | None, rate: int | None) -> Sound:
    """One pass over the file: facts, and the wave at ``rate`` where one is asked."""
    import soxr

    target = _key(path, cache)
    with ExitStack() as stack:
        file = stack.enter_context(_open(path))
        facts = Survey(str(path), file.samplerate, file.channels)
        out = None
        if rate is not None:
            out = stack.enter_context(stack.enter_context(whole(target.with_suffix(f".{rate}.f32"), _ADVICE)).open("wb"))
        stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32") if rate and rate != file.samplerate else None
        for block in _blocks(path, file, facts.cell * 512):
            facts.add(block)
            if out is not None:
                block = stream.resample_chunk(block) if stream else block
                out.write(block.tobytes())
        sound = facts.finish()
        if out is not None:
            tail = stream.resample_chunk(np.zeros(0, np.float32), last=True) if stream else np.zeros(0, np.float32)
            out.write(tail.tobytes())
            out.truncate(4 * length(sound, rate or sound.rate))
        with whole(target.with_suffix(".npz"), _ADVICE) as fresh, fresh.open("wb") as kept:
            digest = np.frombuffer(bytes.fromhex(sound.digest), np.uint8)
            np.savez(kept, shape=np.array([sound.rate, sound.frames, sound.channels]), digest=digest, energy=sound.energy)
    return sound


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import soundfile

    try:
        _check_ending(path)
    except OSError as error:
        raise _closed(path, error) from error
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except soundfile.LibsndfileError as error:
        fact = str(error).rpartition(": ")[2] or "the decoder gave up"
        raise DataError(f"{path} could not be read as audio ({fact}); if it plays elsewhere, convert it to .wav") from error


def _blocks(path: Path, file: Any, size: int) -> Iterator[np.ndarray]:
    import soundfile

    seen = 0
    while True:
        try:
            block = file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            break
        if not len(block):
            break
        seen += len(block)
        yield block.mean(1, dtype=np.float32)
    if seen < file.frames:
        held = f"{seen / file.samplerate:.2f} s of the {file.frames / file.samplerate:.2f} s its header promises"
        raise DataError(f"{path} is truncated or damaged: decoding ends after {held}; copy or download it again")


def _closed(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} could not be opened ({error.strerror}); check its name and its permissions")


def _check_ending(path: Path) -> None:
    """Refuse what libsndfile forgives: a RIFF or AIFF file shorter than its header says, an Ogg stream without its
    last page."""
    if not (size := path.stat().st_size):
        raise DataError(f"{path} is empty (0 bytes); copy or export it again")
    with path.open("rb") as file:
        magic, missing = file.read(4), 0
        if magic in {b"RIFF", b"FORM"}:
            file.seek(12)
            while len(head := file.read(8)) == 8:
                chunk = int.from_bytes(head[4:], "little" if magic == b"RIFF" else "big")
                if head[:4] in {b"data", b"SSND"} and chunk < 0xFFFFFF00:  # streamed files promise the largest number
                    missing = max(0, file.tell() + chunk - size)
                file.seek(chunk + chunk % 2, 1)
        elif magic == b"OggS":
            file.seek(max(0, size - (1 << 16)))
            tail = file.read()
            page = tail[max(0, tail.rfind(b"OggS")) :]
            body = page[27 : 27 + page[26]] if len(page) > 26 else b""  # lengths of the last page's segments
            missing = int(not body or not page[5] & 4 or len(page) < 27 + len(body) + sum(body) or len(body) < page[26])
    if missing:
        raise DataError(f"{path} is truncated: its end is missing ({size} bytes are there); copy or download it again")
