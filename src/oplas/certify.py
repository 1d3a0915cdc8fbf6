r"""Certifying: the laws' residuals on songs never heard, beside controls, and a verdict.

The verdict's rule, on the lower ends of the 95 % intervals over songs, of R² and of how often the missing part is found first:

- ``vacuous``: the latents do not vary or their effective rank is below 1.5, which is a line's; or R² >= 0.5 while the missing
  part is found no
  oftener than chance allows: the law is met by having nothing to say.
- ``no simple operator``: R² < 0.5, or no better than shuffled parts or the mean as prediction: this operator does not
  describe the action.
- ``holds``: R² >= 0.9 and top-1 >= 0.25.
- ``partly``: everything else.

Where the encoder's own space or an untrained projector does as well, the verdict stands and says so.
"""

from __future__ import annotations

import copy
import math
import platform
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ._errors import DataError
from ._types import Trials
from .actions.audio import Gain
from .certificate import Certificate, Row
from .evidence import Evidence, gather, refuse_constant
from .functional.spread import effective_rank, spectrum
from .laws.base import Seen
from .laws.equivariance import Equivariance
from .measure import Additivity, additivity, bootstrap, conformal, family_probe, homogeneity, missing_part, neighbour_overlap, ranks
from .operators.linear import Sum
from .projectors import Identity
from .space import Space

if TYPE_CHECKING:
    from .data.base import Dataset

LEVEL = 0.9


@torch.no_grad()
def certify(space: Space, data: Dataset | Trials, *, seed: int = 1, trials: int = 1000, gain: Trials | None = None) -> Certificate:
    r"""Measure the space's first equivariance law on songs it has not learned from.

    Figures: additivity :math:`R^2=1-\sum\|z_{mix}-\sum_i z_i\|^2/\sum\|z_{mix}-\bar z\|^2`; retrieval of the missing part
    (mix minus all parts but one, nearest among every part heard); effective rank; a linear probe of the part's label and
    the share of the encoder's neighbours kept; each beside the same figures of the encoder's own space, an untrained
    projector, shuffled parts, a collapsed space and the mean as prediction.

    Args:
        data: songs never learned from, or trials gathered from such.
        trials: at most so many windows; each window of a song serves once.
        gain: trials of :class:`oplas.actions.Gain`, gathered from ``data`` when songs are given.

    Raises:
        DataError: no equivariance law, fewer than two songs, or codes that do not vary.
    """
    law = next((each for each in space.laws if isinstance(each, Equivariance)), None)
    if law is None:
        raise DataError(
            "the space claims no Equivariance law, so there is nothing to certify; give it one, such as Equivariance(Mix(), Sum())"
        )
    if not isinstance(data, Trials):
        data.split(0.5, 0.5)  # refuses songs that are all the same one
    evidence = gather(space, data, trials, seed, grid=True).to("cpu")
    mixes = next(t for laws, t in evidence.shares if law in laws)
    if len(mixes.song.unique()) < 2:
        raise DataError(
            f"certifying needs at least two songs; the evidence comes from {len(mixes.song.unique())}; "
            "add songs it has not learned from"
        )
    refuse_constant(mixes.after, space)
    if gain is None and not isinstance(data, Trials):
        gain = Gain().trials(space.encoder, data, max(trials // 2, 64), Generator().manual_seed(seed + 1), grid=True)
    home = space.origin.device
    space.to("cpu")  # figures are in double precision, which not every accelerator has
    try:
        fingerprint = str(getattr(data, "fingerprint", "unnamed"))
        return _certificate(space, law, evidence, mixes, gain.to("cpu") if gain is not None else None, seed, fingerprint)
    finally:
        space.to(home)


def _certificate(
    space: Space, law: Equivariance, evidence: Evidence, mixes: Trials, gain: Trials | None, seed: int, data: str
) -> Certificate:
    judged = _judge_all(space, law, mixes, seed)
    rows, own = [each.row() for each in judged], judged[0]
    seen = space.see(mixes)
    exponent = fit = math.nan
    if gain is not None:
        louder = space.see(gain)
        exponent, fit = homogeneity(louder.before[:, 0], louder.after, gain.theta[:, 0])
    by_count = {
        int(k): {
            "r2": own.additive.r2(mixes.count == k),
            "top1": own.top(1, mixes.count == k),
            "trials": int((mixes.count == k).sum()),
        }
        for k in mixes.count.unique()
    }
    scores = torch.stack([own.additive.each[mixes.song == s].square().mean().sqrt() for s in mixes.song.unique()])
    chance = {"top1": 1 / own.candidates, "probe": own.probe_chance}
    verdict, why = _verdict(rows, chance["top1"])
    return Certificate(
        verdict=verdict, why=why, law=f"{law.action!r} → {law.operator!r}", rows=tuple(rows), by_count=by_count,
        homogeneity={"exponent": exponent, "r2": fit},
        conformal={"level": LEVEL, "bound": conformal(scores, LEVEL), "songs": len(scores)},
        residuals=_residuals(space, evidence), axioms=_axioms(space, mixes), code_r2=_code_r2(space, law, seen),
        chance=chance, songs=len(scores), trials=len(mixes), candidates=own.candidates,
        encoder={"name": space.encoder.name, "identity": space.encoder.identity, "dim": space.encoder.dim, "width": space.width},
        seed=seed, data=data, versions=_versions(), plots=_plots(judged),
    )  # fmt: skip


class Judged:
    """One space's latents on the evidence, and everything the table says of them."""

    def __init__(self, name: str, before: Tensor, after: Tensor, predicted: Tensor, mixes: Trials, *, sums: bool) -> None:
        self.name, self.mixes, self.after, self.predicted = name, mixes, after, predicted
        self.parts = before[mixes.present]
        self.additive = additivity(predicted, after, mixes.count)
        if sums:
            self.ranks = missing_part(before, after, predicted, mixes.present)
            self.candidates = len(self.parts)
        else:
            gallery = torch.cat([after, self.parts])
            self.ranks = ranks(predicted, gallery, torch.arange(len(after)))
            self.candidates = len(gallery)
        song = mixes.song[:, None].expand_as(mixes.present)[mixes.present]
        self.probe, self.probe_chance = family_probe(self.parts, mixes.label[mixes.present], song)

    def top(self, k: int, rows: Tensor | None = None) -> float:
        hit = (self.ranks < k).double()
        return float((hit if rows is None else hit[rows]).mean())

    def row(self) -> Row:
        mixes, add = self.mixes, self.additive
        r2_low, r2_high = bootstrap(add.r2, mixes.song)
        top_low, top_high = bootstrap(lambda rows: self.top(1, rows), mixes.song)
        codes = mixes.before[mixes.present]
        return Row(
            self.name, add.r2(), r2_low, r2_high, add.affinity(), add.defect(), self.top(1), top_low, top_high, self.top(5),
            float(self.ranks.median()) + 1, effective_rank(torch.cat([self.parts, self.after])),
            self.probe, neighbour_overlap(self.parts, codes),
        )  # fmt: skip


def _judge_all(space: Space, law: Equivariance, mixes: Trials, seed: int) -> list[Judged]:
    """The space first, then its controls."""
    seen = space.see(mixes)
    sums = isinstance(law.operator, Sum)

    def judge(name: str, seen: Seen) -> Judged:
        return Judged(name, seen.before, seen.after, law.predict(seen), mixes, sums=sums)

    own = judge("this space", seen)
    raw = Space(space.encoder, Identity(space.encoder.dim))
    raw.projector.prepare(mixes.codes)
    raw.origin.zero_()  # codes as people add them: silence is not at zero
    order = torch.randperm(len(mixes), generator=Generator().manual_seed(seed))
    order = order.roll(1)[order.argsort()]  # one cycle: no trial keeps its own parts
    shuffled = Seen(space, mixes, seen.before[order] * mixes.present[..., None], seen.after)
    point = Seen(space, mixes, seen.before * 0, seen.after * 0)
    mean = Judged("mean as prediction", seen.before, seen.after, seen.after.mean(0).expand_as(seen.after), mixes, sums=False)
    controls = [judge("encoder's own", raw.see(mixes))] if sums else []
    controls += [
        judge("untrained", _untrained(space, mixes, seed).see(mixes)),
        judge("shuffled parts", shuffled),
        judge("collapsed", point),
        mean,
    ]
    return [own, *controls]


def _untrained(space: Space, mixes: Trials, seed: int) -> Space:
    """The same kind of projector as it comes, standardised on the evidence."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        other = Space(space.encoder, space.projector.again()).to(mixes.after)
    other.projector.prepare(mixes.codes)
    return other


def _verdict(rows: list[Row], chance: float) -> tuple[str, str]:
    own, named = rows[0], {r.space: r for r in rows[1:]}
    if not math.isfinite(own.r2) or own.effective_rank < 1.5:
        return "vacuous", f"the space has effective rank {own.effective_rank:.1f}: it says too little for a law to mean anything"
    figures = f"R² {own.r2:.3f} (at least {own.r2_low:.3f} over songs), missing part found first in {own.top1:.0%} of cases"
    for null in ("shuffled parts", "mean as prediction"):
        if not own.r2 > named[null].r2:
            return "no simple operator", f"{figures}, and the control '{null}' does as well: R² {named[null].r2:.3f}"
    if not own.r2_low >= 0.5:
        return "no simple operator", figures
    if not own.top1_low > chance:
        return "vacuous", f"{figures}: no oftener than by chance ({chance:.2%})"
    also = [f"'{name}'" for name in ("encoder's own", "untrained") if name in named and named[name].r2 >= own.r2 - 0.005]
    if also:
        figures += f"; {' and '.join(also)} did as well without learning"
    return ("holds" if own.r2_low >= 0.9 and own.top1_low >= 0.25 else "partly"), figures


def _residuals(space: Space, evidence: Evidence) -> dict[str, dict[str, float | str]]:
    found: dict[str, dict[str, float | str]] = {}
    for laws, trials in evidence.shares:
        seen = space.see(trials)
        for law in laws:
            found[repr(law)] = {"rms": float(law.residual(seen).square().mean().sqrt()), "status": "measured"}
    return found


def _axioms(space: Space, mixes: Trials) -> dict[str, float | str]:
    """Where the projector inverts itself, the induced addition on codes: its axioms' worst errors, in float64."""
    if not space.projector.exact_inverse or space.inverse is not None:
        return {"status": "none: the projector has no exact inverse, or the space comes back by another one"}
    double = copy.deepcopy(space).double()
    y = mixes.after[torch.arange(96) % len(mixes)].double()
    a, b, c = y.chunk(3)
    unit = float(mixes.after.double().std())

    def worst(p: Tensor, q: Tensor) -> float:
        return float((p - q).abs().max()) / unit

    plus, times = double.add, double.scale
    errors = {
        "commutes": worst(plus(a, b), plus(b, a)),
        "associates": worst(plus(plus(a, b), c), plus(a, plus(b, c))),
        "zero": worst(plus(a, double.origin.expand_as(a)), a),
        "negative": worst(plus(a, times(-1.0, a)), double.origin.expand_as(a)),
        "distributes": worst(times(2.0, plus(a, b)), plus(times(2.0, a), times(2.0, b))),
        "scalars": worst(times(1.5, times(2.0, a)), times(3.0, a)),
    }
    return {"status": "exact" if max(errors.values()) < 1e-6 else "lost to rounding", **errors}


def _code_r2(space: Space, law: Equivariance, seen: Seen) -> float:
    """R² of the mix's *code* predicted by operating in the space and coming back; NaN without a way back."""
    if space.inverse is None and not space.projector.exact_inverse:
        return math.nan
    back = space.lift(law.predict(seen))
    return Additivity.r2(additivity(back, seen.trials.after, seen.trials.count))


def _versions() -> dict[str, str]:
    from . import __version__

    return {"oplas": __version__, "torch": torch.__version__, "python": platform.python_version()}


def _plots(judged: list[Judged], points: int = 400) -> dict[str, object]:
    """What the report draws: sums over mixes in two principal axes, defects, retrieval curve, spectrum."""
    own = judged[0]
    compared = ("this space", "encoder's own", "untrained", "shuffled parts")
    centred = own.after.double() - own.after.double().mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    flat = {
        name: ((z[:points].double() - own.after.double().mean(0)) @ axes).tolist()
        for name, z in (("mix", own.after), ("sum", own.predicted))
    }
    thresholds = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000]
    return {
        "pca": flat,
        "defects": {each.name: each.additive.each[:2000].tolist() for each in judged if each.name in compared},
        "retrieval": {"rank": thresholds, "found": [own.top(k) for k in thresholds]},
        "spectrum": spectrum(torch.cat([own.parts, own.after]))[:64].tolist(),
    }
