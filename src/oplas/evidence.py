"""Evidence for all laws of a space at once: gathered from songs, streamed endlessly, drawn in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ._errors import DataError
from ._types import Trials, concatenate
from .laws.base import Law

if TYPE_CHECKING:
    from .data.base import Dataset
    from .space import Space

_SHARDS = 8


@dataclass(frozen=True)
class Evidence:
    """Trials of each distinct action, with the laws they bear on; laws without an action share the first's."""

    shares: tuple[tuple[tuple[Law, ...], Trials], ...]

    @property
    def codes(self) -> Tensor:
        """Every code in it, ``[m, dim]``."""
        return torch.cat([trials.codes for _, trials in self.shares])

    def draw(self, batch: int, generator: Generator) -> Evidence:
        """``batch`` random trials of each share, with replacement."""
        return Evidence(
            tuple((laws, trials.pick(torch.randint(len(trials), (batch,), generator=generator))) for laws, trials in self.shares)
        )

    def to(self, device: str | torch.device) -> Evidence:
        return Evidence(tuple((laws, trials.to(device)) for laws, trials in self.shares))


def gather(space: Space, data: Dataset | Trials, count: int, seed: int, *, grid: bool = False) -> Evidence:
    """Evidence for every law of the space: ``count`` trials an action.

    Raises:
        DataError: the space claims nothing, or gathered trials are given to laws of several actions.
    """
    groups: dict[str, list[Law]] = {}
    for law in space.laws:
        assert isinstance(law, Law)
        groups.setdefault(repr(law.action) if law.action else "", []).append(law)
    free = groups.pop("", [])
    if not groups:
        fact = "the space claims no law with an action, so there is no evidence to gather"
        raise DataError(f"{fact}; give it Equivariance(Mix(), Sum())")
    if isinstance(data, Trials) and len(groups) > 1:
        fact = f"gathered trials serve one action, the space's laws have {len(groups)}: {', '.join(groups)}"
        raise DataError(f"{fact}; pass the songs")
    shares = []
    for index, laws in enumerate(groups.values()):
        generator = Generator().manual_seed(seed * 1009 + index)
        trials = data if isinstance(data, Trials) else laws[0].trials(space.encoder, data, count, generator, grid=grid)
        if trials is None:
            raise DataError(f"{laws[0]!r} has an action but gathered no trials; a law's trials() must return them")
        shares.append((tuple(laws + (free if index == 0 else [])), trials))
    return Evidence(tuple(shares))


def refuse_constant(codes: Tensor, space: Space) -> None:
    """Raises DataError where the codes do not vary, so that no figure is made of them."""
    if float(codes.var(0).sum()) <= 1e-12 * float(codes.square().mean()) + 1e-30:
        raise DataError(
            f"all {len(codes)} codes of {space.encoder.name} are the same; the songs are identical or the encoder is broken"
        )


class Stream:
    """A window of evidence over an endless stream of draws: each renewal replaces the oldest eighth.

    What it holds at a step depends on seed and step alone, so a run that was killed goes on with the same evidence.
    """

    def __init__(self, space: Space, data: Dataset | Trials, seed: int, size: int, every: int) -> None:
        self.space, self.data, self.seed, self.every = space, data, seed, every
        self.shard = max(size // _SHARDS, 1)
        self._shards: dict[int, Evidence] = {}
        self._now: tuple[int, Evidence] | None = None

    def at(self, step: int) -> Evidence:
        """The evidence to draw from at ``step``."""
        first = 0 if isinstance(self.data, Trials) else step // self.every
        if self._now is None or self._now[0] != first:
            self._now = (first, self._window(first))
        return self._now[1]

    def _window(self, first: int) -> Evidence:
        if isinstance(self.data, Trials):
            return gather(self.space, self.data, 0, self.seed)
        wanted = range(first, first + _SHARDS)
        self._shards = {
            j: self._shards.get(j) or gather(self.space, self.data, self.shard, self.seed * 1_000_033 + j) for j in wanted
        }
        shares = list(zip(*(self._shards[j].shares for j in wanted), strict=True))
        return Evidence(tuple((share[0][0], concatenate([trials for _, trials in share])) for share in shares))
