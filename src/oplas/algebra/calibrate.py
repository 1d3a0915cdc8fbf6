r"""How far true answers lie from their queries, on songs held out: what a distance is worth."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Generator, Tensor

from .._errors import ArtefactError, DataError
from .._told import Told
from ..data.base import Dataset
from ..laws.equivariance import Equivariance
from ..operators.linear import Sum
from ..space import Space
from ..store import Identity
from .questions import called, questions

FILE = "calibration.json"
FORMAT = 1


@dataclass(frozen=True)
class Calibration(Told):
    r"""Scores :math:`\|q-z^*\|/u` of the true answers :math:`z^*` to questions of each kind, song by song.

    The unit :math:`u=\sqrt{\sum_i\|z_i\|^2}` comes of the query's own signed terms :math:`z_i`: an operator's error grows with
    what it works on.

    A new song's questions are taken to be exchangeable with those of the K songs here. A threshold is then the conformal one of
    two layers (Dunn, Wasserman & Ramdas 2022, https://doi.org/10.1080/01621459.2022.2060112; Lee, Barber & Willett 2023,
    https://arxiv.org/abs/2306.06342): with weight :math:`1/((K+1)n_k)` on each of song k's :math:`n_k` scores and the rest at
    infinity, its quantile covers a random question of a new song with probability >= level, on average over songs.
    """

    identity: str
    scores: dict[str, dict[str, list[float]]]
    seed: int
    data: str

    def songs(self, kind: str) -> int:
        """How many songs a kind of question was asked of."""
        return len(self.scores.get(kind, {}))

    def bound(self, kind: str, level: float = 0.9) -> float:
        """The radius, in units, that holds the true answer with probability >= ``level``; infinite with too few songs."""
        s, weight = self._weighted(kind)
        reached = (weight.cumsum(0) >= level - 1e-12).nonzero()
        return float(s[reached[0]]) if len(reached) else math.inf

    def p(self, kind: str, score: float) -> float:
        """Of "the true answer is here": how often, at most, true answers lie at least as far as ``score``, in units."""
        s, weight = self._weighted(kind)
        return float(weight[s >= score].sum()) + 1 / (self.songs(kind) + 1)

    def _weighted(self, kind: str) -> tuple[Tensor, Tensor]:
        by_song = list(self.scores[kind].values())
        s = torch.tensor([each for song in by_song for each in song], dtype=torch.float64)
        weight = torch.tensor([1 / ((len(by_song) + 1) * len(song)) for song in by_song for _ in song], dtype=torch.float64)
        order = s.argsort()
        return s[order], weight[order]

    def __str__(self) -> str:
        lines = [
            f"{kind}: {self.songs(kind)} songs, radius at 90 % {self.bound(kind):.3f}, at 95 % {self.bound(kind, 0.95):.3f}"
            for kind in self.scores
        ]
        return "\n".join(lines)

    @classmethod
    def load(cls, folder: str | Path, space: Space) -> Self:
        """What :meth:`save` wrote beside a space.

        Raises:
            ArtefactError: it is not there or not readable, or belongs to another space.
        """
        file = Path(folder) / FILE
        try:
            facts: dict[str, Any] = json.loads(file.read_text())
            made = cls(facts["identity"], facts["scores"], facts["seed"], facts["data"])
            if not all(s >= 0 for each in made.scores.values() for song in each.values() for s in song):
                raise ValueError("a score is no number")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArtefactError(f"{file} is not a readable calibration ({error}); run 'oplas calibrate' again") from error
        if made.identity != Identity.of(space).digest:
            raise ArtefactError(f"{file} was made for another state of this space; run 'oplas calibrate' again")
        return made


@torch.no_grad()
def calibrate(space: Space, data: Dataset, *, seed: int = 3, per_song: int = 32) -> Calibration:
    """Ask what the space's laws can answer on songs it has not learned from, and keep how far the true answers lie.

    At least 9 songs state a recall of 90 %, at least 19 refuse at 5 %; the more, the tighter.

    Raises:
        DataError: the space claims no law that makes questions, or no window has parts enough.
    """
    scores: dict[str, dict[str, list[float]]] = {}
    for number, law in enumerate(space.laws):
        if (
            not isinstance(law, Equivariance)
            or law.action is None
            or (called(law.action) == "sum") != isinstance(law.operator, Sum)
        ):
            continue
        asked = questions(space.encoder, law, data, per_song, Generator().manual_seed(seed * 101 + number)).through(space)
        far = (asked.query - asked.truth).norm(dim=1) / asked.scale
        for kind, song, score in zip(asked.kinds, asked.song.tolist(), far.tolist(), strict=True):
            if math.isfinite(score):  # it is not where silence meets silence
                scores.setdefault(kind, {}).setdefault(data.names[song], []).append(float(f"{score:.6g}"))
    if not scores:
        raise DataError("the space claims no law that expressions use, so there is nothing to calibrate; see its card")
    return Calibration(Identity.of(space).digest, scores, seed, data.fingerprint)
