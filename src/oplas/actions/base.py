"""What is done to data, and how the evidence of it is gathered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .._spelled import Spelled
from .._types import Trials
from ..data.base import Dataset, Scene
from ..encoders.base import Encoder

_WINDOWS = 256  # encoded at a time: bounds the memory, whatever the number of trials


class Action(Spelled, ABC):
    """A deed done to the parts of a scene. Draws its own parameter theta and applies it."""

    least: int = 1
    """Parts a scene must have for the deed to make sense."""

    @abstractmethod
    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        """Act on one scene.

        Returns:
            before ``[k, samples]``, after ``[samples]``, theta ``[k]``, and which of the scene's parts the k are.
        """

    def trials(self, encoder: Encoder, data: Dataset, count: int, generator: Generator, *, grid: bool = False) -> Trials:
        """Gather ``count`` encoded trials; with ``grid`` every window of every song serves at most once.

        Raises:
            DataError: no window has enough parts sounding at the same time.
        """
        scenes = self._grid(encoder, data, count, generator) if grid else self._draws(encoder, data, count, generator)
        rows: list[tuple[int, list[str], Tensor]] = []  # song, labels, theta: the sound itself is let go
        codes: list[Tensor] = []
        windows: list[Tensor] = []
        waiting = 0
        for scene in scenes:
            before, after, theta, chosen = self.perform(scene, generator)
            rows.append((scene.song, [scene.labels[i] for i in chosen], theta))
            windows += [before, after[None]]
            waiting += len(before) + 1
            if waiting >= _WINDOWS:
                codes.append(encoder.encode(torch.cat(windows)))
                windows.clear()
                waiting = 0
        if windows:
            codes.append(encoder.encode(torch.cat(windows)))
        if not rows:
            raise DataError(
                f"{self!r} needs windows of {encoder.samples} samples in which at least {self.least} parts sound together; "
                f"the {len(data.names)} songs given hold none; check for silent stems or songs shorter than a window"
            )
        return _assemble(rows, torch.cat(codes), encoder, data)

    def _draws(self, encoder: Encoder, data: Dataset, count: int, generator: Generator) -> Iterator[Scene]:
        for _ in range(count):
            yield data.draw(encoder.rate, encoder.samples, self.least, generator)

    def _grid(self, encoder: Encoder, data: Dataset, count: int, generator: Generator) -> Iterator[Scene]:
        slots = [s for s in data.grid(encoder.rate, encoder.samples, encoder.hop) if len(s.labels) >= self.least]
        for index in torch.randperm(len(slots), generator=generator)[:count].tolist():
            yield data.scene(slots[index], encoder.rate, encoder.samples)


def _assemble(rows: list[tuple[int, list[str], Tensor]], codes: Tensor, encoder: Encoder, data: Dataset) -> Trials:
    labels = tuple(sorted({name for _, names, _ in rows for name in names}))
    n, width = len(rows), max(len(names) for _, names, _ in rows)
    before, after = codes.new_zeros(n, width, codes.shape[1]), codes.new_zeros(n, codes.shape[1])
    present, theta = torch.zeros(n, width, dtype=torch.bool), codes.new_zeros(n, width)
    label, at = torch.full((n, width), -1), 0
    for row, (_, names, drawn) in enumerate(rows):
        k = len(names)
        before[row, :k], after[row] = codes[at : at + k], codes[at + k]
        present[row, :k], theta[row, :k] = True, drawn
        label[row, :k] = torch.tensor([labels.index(name) for name in names])
        at += k + 1
    song = torch.tensor([song for song, _, _ in rows])
    origin = encoder.encode(encoder.silence().to(codes.dtype))
    return Trials(before, present, after, theta, song, label, origin, tuple(data.names), labels)


def decibels(low: float, high: float, count: int, generator: Generator) -> Tensor:
    """Gains drawn uniformly in dB, ``[count]``."""
    return low + (high - low) * torch.rand(count, generator=generator)
