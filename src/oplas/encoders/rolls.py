"""Exact encoders of piano rolls: how long each pitch, or pitch class, sounds."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Encoder

PITCHES = 128


class PitchDurations(Encoder):
    r"""The share of a window's sounding time that each pitch takes: :math:`y_p=\sum_t x_{tp}/\sum_{tq}x_{tq}`.

    With ``classes=12`` pitches an octave apart are one, and transposition is a cyclic shift of the code, exactly.

    Shape:
        - x: ``[batch, frames * 128]`` · y: ``[batch, classes]``; silence is zero
    """

    def __init__(self, classes: int = PITCHES, beats: int = 32, per_beat: int = 4) -> None:
        super().__init__()
        if not 1 <= classes <= PITCHES or beats < 1 or per_beat < 1:
            raise ValueError(f"PitchDurations({classes}, {beats}, {per_beat}): 1 to 128 classes, at least one beat and frame")
        self.name, self.dim = f"pitch durations, {classes} classes", classes
        self.rate, self.samples = per_beat * PITCHES, beats * per_beat * PITCHES

    def forward(self, x: Tensor) -> Tensor:
        time = x.unflatten(1, (-1, PITCHES)).sum(1)
        folded = time.new_zeros(len(time), self.dim).index_add_(1, torch.arange(PITCHES, device=x.device) % self.dim, time)
        return folded / folded.sum(1, keepdim=True).clamp_min(1)


def pitch_durations(beats: int = 32, per_beat: int = 4) -> PitchDurations:
    """Durations of the 128 pitches: octaves are not known to be alike."""
    return PitchDurations(PITCHES, beats, per_beat)


def pitch_classes(beats: int = 32, per_beat: int = 4) -> PitchDurations:
    """Durations of the 12 pitch classes: octaves are alike by construction."""
    return PitchDurations(12, beats, per_beat)
