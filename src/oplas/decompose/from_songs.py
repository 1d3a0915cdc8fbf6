"""The recommended way to a decomposition of your own songs: a lesson by a synthesised band, then remixing."""

from __future__ import annotations

from pathlib import Path

import torch

from ..codecs import Codec
from .decomposition import Decomposition
from .learn import learn
from .lesson import KINDS, Lesson
from .objectives import Objective
from .remix import MixIT, Remix
from .sizes import Size
from .windows import Songs

#: Steps in all, by size, and the share of the lesson: a longer one teaches how the synthesiser sounds.
STEPS = {"S": 80, "M": 180, "paper": 20_000}
LESSON = 0.5


def from_songs(
    songs: Songs,
    parts: int = 2,
    *,
    lesson: Lesson | None = None,
    codec: Codec | str = "mel",
    size: Size = "M",
    steps: int | None = None,
    minutes: float | None = None,
    rate: int | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Decomposition:
    """Learn the parts of your own mixtures, without any label or stem of yours.

    A model first learns to tell the players of :func:`oplas.data.band` apart (:class:`Lesson`), which also names the parts; then it
    is adapted to your songs by :class:`Remix`. The band has four players: more than four parts are learned by :class:`MixIT`
    alone, and are not named.

    Args:
        parts: how many, if the lesson does not tell.
        lesson: what each part plays, as ``Lesson("bass", "chords")``; default: drums and the rest, then bass, chords, lead.
        folder: where the states are saved every minute; found there, learning goes on.

    Raises:
        DataError, ArtefactError: as :func:`learn`.
    """
    place, count = Path(folder) if folder else None, None if minutes is not None else steps or STEPS.get(size)

    def stage(name: str, share: float, *objectives: Objective, start: Decomposition | None = None) -> Decomposition:
        return learn(
            songs,
            parts if lesson is None else len(lesson.kinds),
            codec=codec,
            size=size,
            decoder="separate",
            view="clean",
            objectives=objectives,
            steps=count and max(round(count * share), 1),
            minutes=minutes and minutes * share,
            rate=rate,
            seed=seed,
            start=start,
            folder=place and place / name,
            device=device,
            progress=progress,
        )

    if lesson is None and parts in KINDS:
        lesson = Lesson(*KINDS[parts])
    if lesson is None:
        return stage("mixtures", 1.0, MixIT())
    taught = stage("lesson", LESSON, lesson)
    names = tuple("rest" if "+" in kind else kind for kind in lesson.kinds)
    taught.names = names if len(set(names)) == len(names) else taught.names
    return stage("remix", 1 - LESSON, Remix(), start=taught)
