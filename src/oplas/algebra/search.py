"""Search by algebra, with answers that say what they are worth."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .._told import Told, figure, table
from ..certificate import Certificate
from ..data.midi import KINDS
from ..space import Space
from ..store import Index
from .calibrate import Calibration
from .compile import OutOfRange, Plan, plan
from .grammar import Item
from .items import Collection, Folder, Found, Rows

#: Share of true answers that may be refused, and how many random queries a p-value compares with.
REFUSED, RANDOM = 0.05, 199


@dataclass(frozen=True)
class Answer(Told):
    """What a search found.

    Attributes:
        found: the nearest, nearest first; none where the query was refused.
        kind: the question that was asked, as it is calibrated.
        level, radius, candidates: the true answer is among the ``candidates`` things within ``radius`` with probability >=
            ``level``, if it is here at all; NaN and -1 where that is not known.
        p: of "a random query of this form finds something as near", by random queries.
        fits: of "the true answer is here", by calibration.
        refused: why there is no answer; empty where there is one.
        note: what is not known, and how to get it.
    """

    expression: str
    found: tuple[Found, ...]
    kind: str = ""
    level: float = math.nan
    radius: float = math.nan
    candidates: int = -1
    p: float = math.nan
    fits: float = math.nan
    refused: str = ""
    note: str = ""

    def __iter__(self) -> Iterator[Found]:
        return iter(self.found)

    def __str__(self) -> str:
        if self.refused:
            return f"{self.expression}\n{self.refused}"
        lines: list[tuple[str, ...]] = [("nearest to " + self.expression, "distance", "start", "likely")]
        for each in self.found:
            unit = "beats" if each.file.suffix.lower() in KINDS else "s"
            start = "–" if each.start is None else f"{each.start:.2f} {unit}"
            lines.append((str(each.file) or f"#{each.id}", figure(each.distance), start, "*" if each.likely else ""))
        said = f"random queries of this form find something as near with p = {self.p:.3g}"
        if self.candidates == 0:
            said += f"\nnothing lies within {figure(self.radius)}, where {self.level:.0%} of true answers do: it may not be here"
        elif self.candidates > 0:
            many = f"among the {self.candidates} within {figure(self.radius)}" if self.candidates > 1 else "the one"
            said += f"\nif the answer is here, it is {many} (*) with probability {self.level:.0%} or more, over songs"
        return "\n".join([table(lines), said, *([self.note] if self.note else [])])


@torch.no_grad()
def search(
    space: Space,
    expression: str,
    among: str | os.PathLike[str] | Index | Collection,
    k: int = 5,
    *,
    at: float | None = None,
    where: str | None = None,
    trust: str = "holds",
    uncertified: bool = False,
    certificates: Sequence[Certificate | Mapping[str, Any]] = (),
    calibration: Calibration | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> Answer:
    """What lies nearest to what an expression says, in a folder of sound files or in an index.

    In a folder a file stands for the mean of its windows, unless a window is named; the rows of an index are windows. What the
    expression names is no answer. Levels count: a stem is taken away as loud as its file is.

    Args:
        at: every file stands for its window that starts there (s).
        where: a filter of the index's rows.
        trust, uncertified, certificates: as :func:`oplas.algebra.plan` has them.
        calibration: as :func:`oplas.algebra.calibrate` made it; without one, no recall is stated and no answer refused as too far.
        level: probability with which the conformal set is to hold the true answer.

    Raises:
        DataError: the expression cannot be read or names nothing here, or its law is not certified.
    """
    if k < 1:
        raise DataError(f"{k} answers were asked for; ask for at least 1")
    if not 0 < level < 1:
        raise DataError(f"a recall of {level:g} cannot be stated; give a level between 0 and 1")
    try:
        made = plan(expression, space, trust=trust, uncertified=uncertified, certificates=certificates)
    except OutOfRange as error:
        return Answer(expression, (), refused=f"out of the certified range: {error}")
    items = [replace(item, start=at if item.start is None else item.start) for item in made.items]
    windows = all(item.start is not None or item.by_id for item in items)
    if isinstance(among, Index):
        here: Collection = Rows(space, among, where)
    else:
        here = among if isinstance(among, Collection) else Folder(space, among, whole=not any(i.start is not None for i in items))
    terms = made.latents(lambda item: here.place(replace(item, start=at if item.start is None else item.start)))
    query, size = terms.sum(0), float(terms.square().sum().sqrt())
    if not float(query.norm()) > 1e-6 * size:
        raise DataError(f"{expression!r} comes to nothing: what is taken away is all there was")
    found = here.nearest(query[None], k, items)[0]
    best = found[0].distance / size
    p = _against_random(made, here, best, items, Generator().manual_seed(seed))
    if calibration is None or uncertified or not windows or not calibration.songs(made.kind):
        return Answer(str(made.expression), tuple(found), made.kind, p=p, note=_why_not(made, calibration, windows, uncertified))
    fits, radius = calibration.p(made.kind, best), calibration.bound(made.kind, level) * size
    if fits <= REFUSED:
        fact = f"the nearest lies {best:.2f} units away, and hardly a true answer ({fits:.1%}) did"
        told = "so the query leaves what the space was certified on, or its answer is not here"
        return Answer(str(made.expression), (), made.kind, p=p, fits=fits, refused=f"out of the certified range: {fact}; {told}")
    if not math.isfinite(radius):
        note = f"no recall of {level:.0%} can be stated from {calibration.songs(made.kind)} songs; calibrate on more"
        return Answer(str(made.expression), tuple(found), made.kind, p=p, fits=fits, note=note)
    count = _within(here, query, radius, items)
    likely = tuple(replace(each, likely=each.distance <= radius) for each in found)
    return Answer(str(made.expression), likely, made.kind, level, radius, count, p, fits)


def _against_random(made: Plan, here: Collection, best: float, items: list[Item], generator: Generator) -> float:
    """How often a random query of the same form comes as near, the query itself counted among them."""
    drawn: dict[int, Tensor] = {}

    def place(item: Item) -> Tensor:
        return drawn[item.at]

    terms = []
    for _ in range(RANDOM):
        z = here.draw(len(made.items), generator)
        drawn = {item.at: row for item, row in zip(made.items, z, strict=True)}
        terms.append(made.latents(place))
    stack = torch.stack(terms)
    queries = stack.sum(1)
    size = stack.square().sum((1, 2)).sqrt()
    kept = (queries.norm(dim=1) > 1e-6 * size) & queries.isfinite().all(1)  # a thing less itself asks nothing
    near = torch.tensor([hits[0].distance for hits in here.nearest(queries[kept], 1, items)])
    return float((1 + (near / size[kept] <= best).sum()) / (1 + kept.sum()))


def _within(here: Collection, query: Tensor, radius: float, items: list[Item]) -> int:
    """How many answers lie within a radius."""
    k = 64
    while True:
        far = [each.distance for each in here.nearest(query[None], k, items)[0]]
        if len(far) < k or far[-1] > radius:
            return sum(distance <= radius for distance in far)
        k *= 8


def _why_not(made: Plan, calibration: Calibration | None, windows: bool, uncertified: bool) -> str:
    if uncertified:
        return "no recall is stated: --uncertified"
    if not made.kind:
        return "no recall is stated: no single law answers this question, so it could not be asked of songs with a known answer"
    if calibration is None:
        return "no recall is stated: run 'oplas calibrate' on songs the space has not heard"
    if not windows:
        return "no recall is stated for means of whole files; name a window: mix.wav@12"
    return f"no recall is stated: the calibration holds no question of the kind '{made.kind}'"
