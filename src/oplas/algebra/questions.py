"""Questions whose answers are known, from songs held out: what calibration is made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..actions.base import Action
from ..data.base import Dataset, Slot
from ..encoders.base import Encoder
from ..laws.equivariance import Equivariance
from ..operators.linear import Sum
from ..space import Space

#: Questions that a law of sums answers: parts to their mix, a mix less some parts, one part in the place of another.
SUMS = ("sum", "difference", "exchange")
#: What each action's law is called in an expression; others go by the action's own name.
CALLED = {"Mix": "sum", "Rendered": "transpose", "CropShift": "transpose", "KeyChange": "key"}


def called(action: Action) -> str:
    """The name by which an expression asks for an action's operator."""
    name = type(action).__name__
    return CALLED.get(name, name.lower())


@dataclass(frozen=True)
class Asked:
    """Questions in one space.

    Shape:
        - query, truth: ``[n, d]`` what algebra says, and the latent of what it should be
        - scale: ``[n]`` root of the sum of the terms' squared lengths
        - song: ``[n]``
    """

    kinds: tuple[str, ...]
    query: Tensor
    truth: Tensor
    scale: Tensor
    song: Tensor

    def of(self, kind: str) -> Asked:
        """Those of one kind."""
        rows = torch.tensor([i for i, each in enumerate(self.kinds) if each == kind], dtype=torch.long)
        return Asked((kind,) * len(rows), self.query[rows], self.truth[rows], self.scale[rows], self.song[rows])


@dataclass(frozen=True)
class Questions:
    """Codes, and which of them make a question: signed terms (of a sum), or one term and theta (of any other law)."""

    law: Equivariance
    codes: Tensor
    rows: tuple[tuple[str, tuple[tuple[float, int], ...], int, int], ...]  # kind, (sign or theta, code), truth, song

    @torch.no_grad()
    def through(self, space: Space) -> Asked:
        """The questions as this space hears them."""
        z = space.project(self.codes)
        if isinstance(self.law.operator, Sum):
            terms = [torch.stack([sign * z[i] for sign, i in each]) for _, each, _, _ in self.rows]
        else:
            theta = torch.tensor([[each[0][0]] for _, each, _, _ in self.rows])
            moved = self.law.operator(z[[each[0][1] for _, each, _, _ in self.rows]][:, None], theta)
            terms = list(moved[:, None])
        return Asked(
            tuple(kind for kind, *_ in self.rows),
            torch.stack([each.sum(0) for each in terms]),
            z[[truth for *_, truth, _ in self.rows]],
            torch.stack([each.square().sum().sqrt() for each in terms]),
            torch.tensor([song for *_, song in self.rows]),
        )


def questions(encoder: Encoder, law: Equivariance, data: Dataset, per_song: int, generator: Generator) -> Questions:
    """Up to ``per_song`` windows of every song, each asked about in all the ways the law allows.

    Raises:
        DataError: no window has parts enough.
    """
    assert law.action is not None
    least = max(law.action.least, getattr(law.action, "least", 1), 2 if isinstance(law.operator, Sum) else 1)
    by_song: dict[int, list[Slot]] = {}
    for slot in data.grid(encoder.rate, encoder.samples, encoder.hop):
        if len(slot.labels) >= least:
            by_song.setdefault(slot.song, []).append(slot)
    if not by_song:
        raise DataError(f"no window of {len(data.names)} songs has {least} parts sounding together, so nothing can be asked")
    codes: list[Tensor] = []
    rows: list[tuple[str, tuple[tuple[float, int], ...], int, int]] = []
    at = 0
    for song, slots in by_song.items():
        waves: list[Tensor] = []
        for index in torch.randperm(len(slots), generator=generator)[:per_song].tolist():
            scene = data.scene(slots[index], encoder.rate, encoder.samples)
            parts, whole, theta, _ = law.action.perform(scene, generator)
            start, n = at + len(waves), len(parts)
            waves += [*parts, whole]
            mine, mix = range(start, start + n), start + n
            if not isinstance(law.operator, Sum):
                rows.append((called(law.action), ((float(theta[0]), start),), mix, song))
                continue
            rows.append(("sum", tuple((1.0, i) for i in mine), mix, song))
            less = int(torch.randint(1, n, (), generator=generator))
            rest = n - 1 + start if less == n - 1 else start + n + 1
            if less < n - 1:
                waves.append(parts[less:].sum(0))
            rows.append(("difference", ((1.0, mix), *((-1.0, i) for i in mine[:less])), rest, song))
            if n > 2:
                waves += [parts[:-1].sum(0), parts[1:].sum(0)]
                before, after = at + len(waves) - 2, at + len(waves) - 1
                rows.append(("exchange", ((1.0, before), (-1.0, mine[0]), (1.0, mine[-1])), after, song))
        codes.append(encoder.encode(torch.stack(waves)))
        at += len(waves)
    return Questions(law, torch.cat(codes), tuple(rows))
