"""Decodes one upload, in a process of its own with little memory and time: run by path, imports nothing of oplas.

Standard input is the file; arguments are the rate (Hz) to give and the longest length (s). Mono float32 goes to standard output,
one line to standard error: ``ok``, or what is wrong.
"""

from __future__ import annotations

import os
import resource
import sys

MEMORY, CPU, CHANNELS, RATES = 1 << 30, 20, 16, (4000, 384000)


def confine() -> None:
    """Give up what decoding does not need."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        if what != resource.RLIMIT_AS or sys.platform != "darwin":  # which knows no such limit
            resource.setrlimit(what, (most, most))


def truncated(size: int) -> bool:
    """Whether a RIFF or AIFF file ends before its header says."""
    with os.fdopen(os.dup(0), "rb") as file:
        file.seek(0)
        magic = file.read(4)
        if magic not in {b"RIFF", b"FORM"}:
            return False
        file.seek(12)
        for _ in range(64):
            head = file.read(8)
            if len(head) < 8:
                return False
            length = int.from_bytes(head[4:], "little" if magic == b"RIFF" else "big")
            if head[:4] in {b"data", b"SSND"}:
                return length < 0xFFFFFF00 and file.tell() + length > size
            file.seek(length + length % 2, 1)
    return True


def main() -> str:
    rate, longest = int(sys.argv[1]), float(sys.argv[2])
    confine()
    size = os.fstat(0).st_size
    if not size:
        return "it is empty (0 bytes)"
    if truncated(size):
        return "it is cut short, or its header promises more than there is"
    import numpy as np
    import soundfile
    import soxr

    os.lseek(0, 0, os.SEEK_SET)
    try:
        file = soundfile.SoundFile(0, closefd=False)
    except (soundfile.LibsndfileError, TypeError, ValueError):
        return "it is no audio that can be read; send WAV, FLAC, Ogg, AIFF or MP3"
    low, high = RATES
    if not 1 <= file.channels <= CHANNELS or not low <= file.samplerate <= high:
        return f"it has {file.channels} channels at {file.samplerate} Hz; at most {CHANNELS} at {low} to {high} Hz are taken"
    if file.format in {"RAW", "SD2"}:
        return "it is no audio that can be read; send WAV, FLAC, Ogg, AIFF or MP3"
    most = int(longest * file.samplerate)
    if file.frames > most and file.frames < 1 << 60:
        return f"it is {file.frames / file.samplerate:.0f} s long; at most {longest:.0f} s are taken"
    stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32") if file.samplerate != rate else None
    seen, loud = 0, False
    while True:
        try:
            block = file.read(1 << 15, dtype="float32", always_2d=True).mean(1, dtype=np.float32)
        except soundfile.LibsndfileError:
            return f"it is damaged: decoding ends after {seen / file.samplerate:.2f} s"
        if not len(block):
            break
        seen += len(block)
        if seen > most:
            return f"it is longer than {longest:.0f} s, which is the most that is taken"
        if not np.isfinite(block).all():
            return "it holds samples that are NaN or infinite"
        loud = loud or bool(block.any())
        sys.stdout.buffer.write((stream.resample_chunk(block) if stream else block).tobytes())
    if stream:
        sys.stdout.buffer.write(stream.resample_chunk(np.zeros(0, np.float32), last=True).tobytes())
    if seen < min(file.frames, 1 << 60) and file.frames < 1 << 60:
        return f"it is cut short: {seen / file.samplerate:.2f} s of {file.frames / file.samplerate:.2f} s are there"
    return "ok" if loud else "it is silent, or holds nothing"


if __name__ == "__main__":
    try:
        said = main()
    except MemoryError:
        said = "it needs more memory to decode than an upload may have"
    except BrokenPipeError:
        said = "nobody waits for it any more"
    sys.stderr.write(said + "\n")
    sys.exit(said != "ok")
