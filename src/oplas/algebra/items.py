"""Where expressions look for what they name, and for what answers them: a folder of sound files, or an index."""

from __future__ import annotations

import functools
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Generator, Tensor

from .._errors import DataError
from ..space import Space
from ..store import Index
from ..store import where as equal
from .files import every, latent, listed, resolve
from .grammar import Item


@dataclass(frozen=True)
class Found:
    """An answer: a file, or the window of it that starts at ``start`` seconds; ``distance`` is Euclidean, in the space."""

    file: Path
    start: float | None
    distance: float
    id: str = ""
    likely: bool = False
    """Whether it is in the conformal set."""


class Collection(ABC):
    """Latents that can be named and searched."""

    whole: bool
    """Whether answers are files, by the mean of their windows, or windows."""

    @abstractmethod
    def place(self, item: Item) -> Tensor:
        """The latent of what an expression names, ``[d]``.

        Raises:
            DataError: it names nothing here, or more than one thing.
        """

    @abstractmethod
    def nearest(self, queries: Tensor, k: int, skip: Iterable[Item] = ()) -> list[list[Found]]:
        """The k nearest to each query ``[m, d]``, nearest first; files and rows that ``skip`` names are left out."""

    @abstractmethod
    def draw(self, count: int, generator: Generator) -> Tensor:
        """Latents of random answers, ``[count, d]``."""


class Folder(Collection):
    """The sound files below a folder, or MIDI files where the space hears notes, embedded when first asked for."""

    def __init__(self, space: Space, folder: str | os.PathLike[str], *, whole: bool = True) -> None:
        self.space, self.folder, self.whole = space, Path(folder), whole

    def place(self, item: Item) -> Tensor:
        if item.by_id:
            raise DataError(f"#{item.name} names a row of an index, and {self.folder} is a folder of files; name a file")
        return latent(self.space, resolve(item.name, self._files, self.folder), item.start)

    @cached_property
    def _files(self) -> list[Path]:
        return listed(self.space, self.folder)

    @cached_property
    def _all(self) -> tuple[list[Found], Tensor]:
        rows: list[Found] = []
        latents: list[Tensor] = []
        for each in every(self.space, self._files):
            rows += [
                Found(each.file, None if self.whole else start, 0.0) for start in each.start.tolist()[: 1 if self.whole else None]
            ]
            latents.append(each.z.mean(0, keepdim=True) if self.whole else each.z)
        return rows, torch.cat(latents)

    def nearest(self, queries: Tensor, k: int, skip: Iterable[Item] = ()) -> list[list[Found]]:
        rows, z = self._all
        named = {resolve(item.name, self._files, self.folder).resolve() for item in skip}
        kept = torch.tensor([i for i, row in enumerate(rows) if row.file.resolve() not in named], dtype=torch.long)
        if not len(kept):
            raise DataError(f"{self.folder} holds no audio file besides those in the expression, so nothing can be found; add some")
        far = torch.cdist(queries, z[kept], compute_mode="donot_use_mm_for_euclid_dist")
        best = far.topk(min(k, len(kept)), largest=False)
        return [
            [replace(rows[int(kept[i])], distance=d) for i, d in zip(at.tolist(), distances.tolist(), strict=True)]
            for at, distances in zip(best.indices, best.values, strict=True)
        ]

    def draw(self, count: int, generator: Generator) -> Tensor:
        z = self._all[1]
        return z[torch.randint(len(z), (count,), generator=generator)]


class Rows(Collection):
    """The rows of an index; ``where`` filters the answers, not what can be named."""

    whole = False

    def __init__(self, space: Space, index: Index, where: str | None = None) -> None:
        index.belongs(space)
        self.space, self.index, self.where = space, index, where
        self._named = functools.cache(self._named)  # type: ignore[method-assign]
        self._out: dict[tuple[str, ...], set[str]] = {}

    def place(self, item: Item) -> Tensor:
        where = self._named(item)
        if where is None:
            path = Path(item.name)
            if item.by_id or not path.is_file():
                raise DataError(f"nothing in the index is called {item}, and no file here is; check the name")
            return latent(self.space, path, item.start)
        z = self.index.vectors(where)[1]
        if item.start is not None:
            told = self.index.table(["start"], where)["start"].to_pylist()
            starts = torch.tensor([math.inf if each is None else each for each in told], dtype=torch.float64)
            near = (starts - item.start).abs()
            if not float(near.min()) <= 0.01:
                nearby = float(starts[near.argmin()])
                raise DataError(f"{item} is not in the index: the nearest window of {item.name} starts at {nearby:g} s")
            return z[near.argmin()]
        return z.mean(0)

    def _named(self, item: Item) -> str | None:
        """A filter for the rows that an item names."""
        if item.by_id:
            ids = self.index.table(["id"], f"starts_with(id, '{item.name}')")["id"].to_pylist()
            if len(ids) > 1:
                raise DataError(f"{item} may be {len(ids)} rows of the index, such as {ids[0]} and {ids[1]}; give more of its id")
            return equal(id=ids[0]) if ids else None
        name = item.name
        files = [f for f in self._files if f"/{f}".endswith((f"/{name}", f"/{name}{Path(f).suffix}"))]
        exact = [f for f in files if f in {item.name, str(Path(item.name).resolve())}] or files
        if len(exact) > 1:
            raise DataError(f"{item.name!r} may be {len(exact)} files of the index: {', '.join(exact[:3])}; say which, by its path")
        return equal(file=exact[0]) if exact else None

    @cached_property
    def _files(self) -> list[str]:
        return [f for f in self.index.table(["file"])["file"].unique().to_pylist() if f]

    def nearest(self, queries: Tensor, k: int, skip: Iterable[Item] = ()) -> list[list[Found]]:
        named = tuple(sorted({where for item in skip if (where := self._named(item))}))
        if named not in self._out:  # left out afterwards: a filter would have the index read its rows anew for each query
            rows = [each for where in named for each in self.index.table(["id"], where)["id"].to_pylist()]
            self._out[named] = set(rows)
        out = self._out[named]
        found = [[hit for hit in hits if hit.id not in out] for hits in self.index.nearest(queries, k + len(out), self.where)]
        if not found[0]:
            raise DataError("the index holds nothing besides what the expression names, or the filter leaves nothing; add rows")
        return [[Found(Path(hit.file or ""), hit.start, hit.distance, hit.id) for hit in hits[:k]] for hits in found]

    def draw(self, count: int, generator: Generator) -> Tensor:
        z = self._sample
        return z[torch.randint(len(z), (count,), generator=generator)]

    @cached_property
    def _sample(self) -> Tensor:
        """Some thousands of rows: ids are hashes, so that those which begin alike are a random few."""
        digits = max(0, round(math.log(max(len(self.index), 1) / 4096, 16))) if len(self.index) > 50_000 else 0
        some = f"starts_with(id, '{'0' * digits}')" if digits else None
        z = self.index.vectors(" AND ".join(f"({each})" for each in (self.where, some) if each) or None)[1]
        return z if len(z) >= 256 or some is None else self.index.vectors(self.where)[1]
