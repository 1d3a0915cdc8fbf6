"""Transposing sound: songs played again from moved notes, and constant-Q codes cropped elsewhere."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .._types import Trials
from ..data.base import Dataset, Scene
from ..encoders.base import Encoder
from ..encoders.cropped import CroppedCQT
from .base import Action, _assemble


class Rendered(Action):
    """The song played again, theta semitones higher, theta from ``low`` to ``high``.

    Its songs are those of :func:`oplas.data.transposed.render_transposed`, whose parts are named by the semitones they are moved.
    """

    least = 2

    def __init__(self, low: int = -6, high: int = 6) -> None:
        if low > high:
            raise ValueError(f"Rendered({low}, {high}): give two whole numbers, from low to high")
        self.low, self.high = low, high

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        moved = [_semitones(label) for label in scene.labels]
        pairs = [(a, b) for a, x in enumerate(moved) for b, y in enumerate(moved) if a != b and self.low <= y - x <= self.high]
        if not pairs:
            raise DataError(
                f"no two of the transpositions {', '.join(scene.labels)} are {self.low} to {self.high} semitones apart; "
                "render more, or ask for a wider range"
            )
        a, b = pairs[int(torch.randint(len(pairs), (), generator=generator))]
        return scene.parts[a : a + 1], scene.parts[b], torch.tensor([float(moved[b] - moved[a])]), [a]


class CropShift(Action):
    """Transposition of a constant-Q code by theta semitones, read off the same sound: other bins are cut out of a wider code.

    Exact for the encoder, and nothing is played again; timbre does not move with the notes. Needs
    :class:`oplas.encoders.cropped.CroppedCQT`, whose margin bounds theta.
    """

    def __init__(self, low: int = -6, high: int = 6) -> None:
        if low > high:
            raise ValueError(f"CropShift({low}, {high}): give two whole numbers, from low to high")
        self.low, self.high = low, high

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        theta = int(torch.randint(self.low, self.high + 1, (), generator=generator))
        whole = scene.parts.sum(0, keepdim=True)
        return whole, whole[0], torch.tensor([float(theta)]), [0]

    def trials(self, encoder: Encoder, data: Dataset, count: int, generator: Generator, *, grid: bool = False) -> Trials:
        if not isinstance(encoder, CroppedCQT) or max(-self.low, self.high) > encoder.margin:
            raise ShapeError(
                f"{self!r} cuts its codes out of a wider constant-Q code; {encoder.name} has a margin of "
                f"{getattr(encoder, 'margin', 0)} semitones: use cropped_cqt(margin={max(-self.low, self.high)})"
            )
        rows: list[tuple[int, list[str], Tensor]] = []
        codes: list[Tensor] = []
        for scene in self._grid(encoder, data, count, generator) if grid else self._draws(encoder, data, count, generator):
            whole, _, theta, chosen = self.perform(scene, generator)
            wide = encoder.wide.encode(whole)
            rows.append((scene.song, [scene.labels[i] for i in chosen], theta))
            codes += [encoder.crop(wide, 0), encoder.crop(wide, int(theta))]
        if not rows:
            raise DataError(f"{self!r} found no window of {encoder.samples} samples in {len(data.names)} songs in which one sounds")
        return _assemble(rows, torch.cat(codes), encoder, data)


def _semitones(label: str) -> int:
    try:
        return int(label)
    except ValueError:
        raise DataError(f"the part {label!r} is not named by semitones, such as +3; use render_transposed's folders") from None
