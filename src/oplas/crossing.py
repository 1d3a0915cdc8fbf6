r"""Certifying a bridge: does what was learned in one space hold in another, on songs neither has heard?

The verdict's rule, on the lower ends of the 95 % intervals over songs, for the carried operator at work in the target space:

- ``vacuous``: the target's latents do not vary, or have an effective rank below 1.5.
- ``no simple operator``: R² < 0.5, or no better than doing nothing, or than the mean as prediction.
- ``holds``: R² >= 0.9 and top-1 >= 0.25, as of any law, and translated latents operated on arrive too (R² >= 0.5).
- ``partly``: everything else.

Where a bridge built from shuffled anchors, or a random rotation, carries the operator as well, the verdict stands and says so:
an operator such as the sum commutes with every linear map and proves nothing of the bridge.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor

from ._errors import DataError
from ._told import Told, figure
from ._types import Trials
from .bridge import Bridge, Carried, Map
from .encoders.both import Both
from .functional.spread import effective_rank
from .laws.base import Seen
from .laws.equivariance import Equivariance
from .measure import Additivity, additivity, bootstrap, ranks
from .operators.base import Operator

if TYPE_CHECKING:
    from .data.base import Dataset

OWN = "carried"
NULLS = ("nothing done", "mean as prediction")
BRIDGES = ("shuffled bridge", "random bridge")


@dataclass(frozen=True)
class Way:
    """One way to the latents of what came out, in the target space. R² and defect in units of their scatter; top-1 in [0, 1]."""

    way: str
    r2: float
    r2_low: float
    r2_high: float
    defect: float
    top1: float
    top1_low: float


@dataclass(frozen=True)
class Crossing(Told):
    """How well a law crosses a bridge. Made by :func:`oplas.certify_bridge`; the first row is the verdict's, others are beside it.

    Attributes:
        gap: root-mean-square of translate-then-operate minus operate-then-translate, in units of the target's scatter.
        kept: share of the native operator's gain over doing nothing that the carried one keeps; NaN without a native one.
        translated: R² of the translated latents themselves, low and high.
    """

    verdict: str
    why: str
    law: str
    rows: tuple[Way, ...]
    gap: float
    kept: float
    translated: tuple[float, float, float]
    songs: int
    trials: int
    candidates: int
    bridge: dict[str, Any]
    seed: int

    def row(self, way: str) -> Way:
        """The row of that name."""
        return next(each for each in self.rows if each.way == way)

    def __str__(self) -> str:
        lines = [f"{'way':<26}{'R²':>8}{'95 %':>18}{'defect':>9}{'top-1':>8}"]
        for r in self.rows:
            interval = f"{figure(r.r2_low)} … {figure(r.r2_high)}"
            lines.append(f"{r.way:<26}{figure(r.r2):>8}{interval:>18}{figure(r.defect):>9}{figure(r.top1):>8}")
        r2, low, high = map(figure, self.translated)
        facts = (
            f"latents translated: R² {r2} ({low} … {high}) · the two ways round differ by {figure(self.gap)} of the scatter · "
            f"kept of the native operator's gain: {figure(self.kept)}",
            f"{self.trials} trials from {self.songs} songs · {self.candidates} candidates · {self.bridge.get('by')} on "
            f"{self.bridge.get('anchors')} anchors · seed {self.seed}",
        )
        return "\n".join((f"{self.law}, carried over: {self.verdict}", self.why, "", *lines, "", *facts))


@torch.no_grad()
def certify_bridge(
    bridge: Bridge,
    data: Dataset | tuple[Trials, Trials],
    *,
    native: Operator | None = None,
    law: int = 0,
    seed: int = 1,
    trials: int = 1000,
) -> Crossing:
    r"""Measure a law of A at work in B: :math:`T R_A T^{+}` on B's latents, beside the ways round the square and controls.

    Ways to the latent of what came out: the carried operator on B's own latents; the native one; operate in A, then translate;
    translate, then operate. Controls: doing nothing; the mean as prediction; the operator carried over a bridge whose anchors
    are shuffled, and over a random rotation.

    Args:
        data: songs that neither space nor bridge has learned from, or their trials as A's and as B's encoder heard them.
        native: the operator learned in B; default that of B's law of the same action, if it has one.
        law: which of the equivariance laws of A.
        trials: at most so many windows; each window of a song serves once.

    Raises:
        DataError: A claims no such law, fewer than two songs, or latents that do not vary.
    """
    if not 0 <= law < len(bridge.laws):
        raise DataError(f"the source space claims {len(bridge.laws)} equivariance laws, number {law} was asked for; give it one")
    a, b = data if isinstance(data, tuple) else paired_trials(bridge, data, trials, seed, law)
    songs = len(b.song.unique())
    if songs < 2 or len(a) != len(b):
        raise DataError(f"certifying needs trials of at least two songs, the same in both spaces; these are of {songs}; add songs")
    original = [each for each in bridge.source.laws if isinstance(each, Equivariance)][law].operator
    carried = bridge.laws[law]
    here, there = Seen.through(bridge.source, a), Seen.through(bridge.target, b)
    native = native or _twin(bridge, carried)
    present, theta = b.present[..., None], b.theta
    crossed = bridge(here.latents)
    parts = torch.zeros_like(there.before).index_put((b.present,), crossed[: int(b.present.sum())])
    ways = {OWN: carried.operator(there.before, theta)}
    if native is not None:
        ways["native"] = native(there.before, theta)
    ways["operate, then translate"] = bridge(original(here.before, theta))
    ways["translate, then operate"] = carried.operator(parts, theta)
    ways["nothing done"] = (there.before * present).sum(1) / present.sum(1)
    for name, (forth, back) in _controls(bridge, here.latents, there.latents, seed).items():
        ways[name] = Carried(original, forth, back)(there.before, theta)
    ways["mean as prediction"] = there.after.mean(0).expand_as(there.after)
    gallery = torch.cat([there.after, there.latents[: int(b.present.sum())]])
    judged = {name: additivity(predicted, there.after, b.count) for name, predicted in ways.items()}
    rows = tuple(_way(name, judged[name], predicted, gallery, b.song) for name, predicted in ways.items())
    translated = additivity(crossed[-len(b) :], there.after, b.count)
    verdict, why = _verdict(rows, judged, effective_rank(there.latents), b.song)
    scatter = math.sqrt(float(judged[OWN].spread.mean())) or math.nan
    gap = (ways["translate, then operate"] - ways["operate, then translate"]).double().square().sum(1).mean().sqrt()
    return Crossing(
        verdict, why, f"{carried.action!r} → {original!r}", rows, float(gap) / scatter, _kept(judged),
        (translated.r2(), *bootstrap(translated.r2, b.song)), songs, len(b), len(gallery), dict(bridge.card), seed,
    )  # fmt: skip


def paired_trials(bridge: Bridge, data: Dataset, count: int = 1000, seed: int = 1, law: int = 0) -> tuple[Trials, Trials]:
    """Trials of a law of the bridge, each heard by both encoders; every window of a song serves at most once."""
    both = Both(bridge.source.encoder, bridge.target.encoder)
    made = bridge.laws[law].trials(both, data, count, Generator().manual_seed(seed), grid=True)
    assert made is not None
    before, after, origin = both.apart(made.before), both.apart(made.after), both.apart(made.origin)
    a, b = (replace(made, before=before[side], after=after[side], origin=origin[side]) for side in (0, 1))
    return a, b


def _twin(bridge: Bridge, carried: Equivariance) -> Operator | None:
    """The operator of B's own law of the same action."""
    laws = [each for each in bridge.target.laws if isinstance(each, Equivariance)]
    return next((each.operator for each in laws if repr(each.action) == repr(carried.action)), None)


def _controls(bridge: Bridge, a: Tensor, b: Tensor, seed: int) -> dict[str, tuple[Map, Map]]:
    """A bridge that was told the wrong pairs, and one that knows how wide both are, and that silence is zero in each."""
    if float((b - b.mean(0)).norm()) <= 1e-6 * float(b.norm()):
        return {}  # a point: the verdict will say so
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(a), generator=generator)
    there = copy.deepcopy(bridge.translator).fit(a, b[order])
    square = torch.linalg.qr(torch.randn(max(a.shape[1], b.shape[1]), max(a.shape[1], b.shape[1]), generator=generator))[0]
    turn = square[: a.shape[1], : b.shape[1]].to(a)
    factor = (b - b.mean(0)).norm() / (a - a.mean(0)).norm()
    return {
        "shuffled bridge": (lambda z: torch.as_tensor(there.transform(z)), lambda z: torch.as_tensor(there.inverse_transform(z))),
        "random bridge": (
            lambda z: z @ turn * factor,
            lambda z: z @ turn.T / factor,
        ),
    }


def _way(name: str, judged: Additivity, predicted: Tensor, gallery: Tensor, song: Tensor) -> Way:
    hit = (ranks(predicted, gallery, torch.arange(len(predicted))) < 1).double()
    low, high = bootstrap(judged.r2, song)
    top_low, _ = bootstrap(lambda rows: float(hit[rows].mean()), song)
    return Way(name, judged.r2(), low, high, judged.defect(), float(hit.mean()), top_low)


def _kept(judged: dict[str, Additivity]) -> float:
    if "native" not in judged:
        return math.nan
    still = judged["nothing done"].error.sum()
    gained = still - judged["native"].error.sum()
    return float((still - judged[OWN].error.sum()) / gained) if float(gained) > 0 else math.nan


def _verdict(rows: tuple[Way, ...], judged: dict[str, Additivity], rank: float, song: Tensor) -> tuple[str, str]:
    named = {r.way: r for r in rows}
    own, path = named[OWN], named["translate, then operate"]
    if not math.isfinite(own.r2) or rank < 1.5:
        return "vacuous", f"the target's latents have effective rank {rank:.1f}: they say too little for a law to mean anything"
    figures = f"R² {own.r2:.3f} (at least {own.r2_low:.3f} over songs)"
    if "native" in named:
        figures += f", the operator learned there {named['native'].r2:.3f}"
    for null in NULLS:

        def gain(at: Tensor, null: str = null) -> float:
            return float((judged[null].error[at] - judged[OWN].error[at]).sum())

        if not bootstrap(gain, song)[0] > 0:
            return "no simple operator", f"{figures}, and the control '{null}' does as well: R² {named[null].r2:.3f}"
    also = [f"'{name}'" for name in BRIDGES if name in named and named[name].r2 >= own.r2 - 0.005]
    if also:
        figures += f"; {' and '.join(also)} carried it as well, so it says nothing of the bridge"
    if not own.r2_low >= 0.5:
        return "no simple operator", figures
    arrives = path.r2_low >= 0.5
    if not arrives:
        figures += f"; latents translated, then operated on, do not arrive: R² {path.r2:.3f}"
    return ("holds" if arrives and own.r2_low >= 0.9 and own.top1_low >= 0.25 else "partly"), figures
