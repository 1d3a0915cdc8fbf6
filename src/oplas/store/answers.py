"""What the index answers with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Added:
    """How many rows are new, how many were there already, and how many older ones of the same files they took the place of."""

    count: int
    skipped: int
    replaced: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(self.count + other.count, self.skipped + other.skipped, self.replaced + other.replaced)


@dataclass(frozen=True)
class Hit:
    """An answer: a row, and its Euclidean distance to the query. ``start`` in seconds."""

    id: str
    file: str | None
    song: str | None
    start: float | None
    tags: tuple[str, ...]
    distance: float


@dataclass(frozen=True)
class Version:
    """A state of the index that can be gone back to."""

    version: int
    time: datetime
    rows: int
