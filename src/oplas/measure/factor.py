"""How far a space is factored into pitch and time: every probe, beside an untrained control and a null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from .._errors import DataError
from .._told import Told, figure, table
from ..functional.spread import effective_rank
from .grids import additive_share, axes, composed_error, home, kernel_axes, leading_share, linear_share, order_error
from .moved import Moved, See, look
from .steps import angle, cosines, cross_shape, directions, errors, found, own_move

__all__ = ["FactorReport", "Factors", "Moved", "See", "factor_report", "factors", "look"]


@dataclass(frozen=True)
class Factors:
    r"""The probes of one space. A vector per semitone and one per time step (v) are learned on some things and judged on others.

    Displacements of one thing: ``cross``, mean :math:`|\cos|` between a move in pitch and one in time (0); ``same``, ``opposite``,
    mean cosine along one axis (1, -1); ``angle_pitch``, ``angle_time``, degrees between the mean displacements forth and back
    (180); ``plane``, their variance on two principal axes, ``plane_angle``, the degrees between pitch and time there (90).

    The step: ``translation_error``, root-mean-square of z + s v - z' over that of z' - z (0; 1 is not to move),
    ``translation_median``; ``top1``, z + s v is nearest to the thing's own moved view among all things moved alike, ``top1_still``
    without the vector, ``top1_resting`` among things at rest; ``own_move``, the right one of the thing's own views.

    The grid of both: ``order_error``, pitch then time against time then pitch; ``composed_error``, z + p v + t v'; ``additive``,
    ``linear``, shares of the variance within things; ``svd_pitch``, ``svd_time``, the seed's first singular value, ``svd_centred``
    the same without the thing's mean; ``kernel12``, ``kernel34``, held-out R² of the moves from kernel components.

    ``effective_rank`` of the things at rest, and ``rank_moved`` of all their views along the axes.
    """

    cross: float
    same: float
    opposite: float
    angle_pitch: float
    angle_time: float
    plane: float
    plane_angle: float
    translation_error: float
    translation_median: float
    top1: float
    top1_still: float
    top1_resting: float
    own_move: float
    order_error: float
    composed_error: float
    additive: float
    linear: float
    svd_pitch: float
    svd_time: float
    svd_centred: float
    kernel12: float
    kernel34: float
    effective_rank: float
    rank_moved: float


@dataclass(frozen=True)
class FactorReport(Told):
    """The probes of a space, of its controls and of the null: the same views, which move made which drawn anew.

    Attributes:
        rows: by name, the space first.
        chance: what a blind guess finds.
    """

    rows: dict[str, Factors]
    things: int
    learned_on: int
    candidates: int
    dim: int
    pitches: tuple[int, ...]
    times: tuple[int, ...]
    chance: dict[str, float]

    @property
    def row(self) -> Factors:
        """The space's own figures."""
        return next(iter(self.rows.values()))

    def __str__(self) -> str:
        names = [field.name for field in fields(Factors)]
        lines: list[tuple[str, ...]] = [("probe", *self.rows, "ideal")]
        for name in names:
            values = (getattr(row, name) for row in self.rows.values())
            lines.append((name, *(figure(value) for value in values), IDEAL.get(name, "–")))
        told = f"{self.things} things held out, vectors learned on {self.learned_on} others, retrieval among {self.candidates}"
        steps = f"{self.dim} dimensions · pitch {list(self.pitches)} · time {list(self.times)}"
        return "\n".join((table(lines), "", f"{told} · {steps}"))


#: What each probe is where pitch and time are two orthogonal translations; the rest say something else, or nothing.
IDEAL = {
    "cross": "0", "same": "1", "opposite": "-1", "angle_pitch": "180", "angle_time": "180", "plane": "1", "plane_angle": "90",
    "translation_error": "0", "translation_median": "0", "top1": "1", "top1_resting": "1", "own_move": "1", "order_error": "0",
    "composed_error": "0", "additive": "1", "linear": "1",
}  # fmt: skip


def factors(moved: Moved, learn: Moved) -> Factors:
    """Every probe on ``moved``, with the vectors learned on ``learn``."""
    v = directions(learn)
    cross, same, opposite = cosines(moved)
    plane, plane_angle = cross_shape(moved)
    error, median = errors(moved, v)
    top1, still, resting = found(moved, v)
    by_pitch, by_time = leading_share(moved.grid)
    return Factors(
        float(cross.abs().mean()), float(same.mean()), float(opposite.mean()),
        angle(moved.pitch, moved.rest, moved.pitches), angle(moved.time, moved.rest, moved.times), plane, plane_angle,
        error, median, top1, still, resting, own_move(moved, v),
        order_error(moved.grid, home(moved)), composed_error(moved, v), additive_share(moved.grid),
        linear_share(moved.grid, *axes(moved)), by_pitch, by_time, sum(leading_share(moved.grid, centred=True)) / 2,
        *kernel_axes(moved), effective_rank(moved.rest), effective_rank(moved.moved.flatten(0, 1)),
    )  # fmt: skip


def factor_report(
    space: Moved, controls: Mapping[str, Moved] | None = None, *, learn: int | None = None, seed: int = 0
) -> FactorReport:
    """Judge a space on moved things, made by :func:`look`, beside controls that saw the same things.

    Args:
        controls: by name, such as the untrained network's; the null is added.
        learn: the first so many things teach the vectors, the others are judged; by default half. Things on the grid come first
            in ``look``: the vectors are blind to it, as they are learned from the axes alone.

    Raises:
        DataError: too few things on either side, or a space of which all latents are the same.
    """
    n = len(space.rest)
    learn = n // 2 if learn is None else learn
    if not 6 <= learn <= n - 6:
        raise DataError(f"{learn} of {n} things to learn two vectors from leave too few on one side; give 6 or more on each")
    if float(space.moved.var((0, 1)).sum()) <= 1e-20 * float(space.moved.square().mean()) + 1e-300:
        raise DataError(f"all {n} things have the same latent wherever they are moved; the network has collapsed to a point")
    every = {"space": space, "moves shuffled": space.shuffled(seed), **(controls or {})}
    rows = {name: factors(each.pick(slice(learn, None)), each.pick(slice(learn))) for name, each in every.items()}
    chance = {"top1": 1 / (n - learn), "own_move": 1 / (1 + space.moved.shape[1]), "cross": _random_cosine(space.rest.shape[1])}
    return FactorReport(
        rows, n - learn, learn, n - learn, space.rest.shape[1],
        tuple(int(s) for s in space.pitches), tuple(int(s) for s in space.times), chance,
    )  # fmt: skip


def _random_cosine(dim: int) -> float:
    r"""Mean :math:`|\cos|` of two random directions, :math:`\Gamma(d/2)/(\sqrt\pi\,\Gamma((d+1)/2))`."""
    return math.exp(math.lgamma(dim / 2) - math.lgamma((dim + 1) / 2)) / math.sqrt(math.pi)


def as_row(factors: Factors) -> dict[str, float]:
    """The probes by name."""
    return asdict(factors)
