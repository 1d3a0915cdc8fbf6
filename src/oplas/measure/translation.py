r"""How good a translation is, on rows it has not learned from, beside what a wrong one would look like."""

from __future__ import annotations

import copy
import math
import platform
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import DataError, OplasError
from ..functional.similarity import cka, cosine, mutual_neighbours, ranks
from ..translators import Translator
from ..translators.rows import Array, float64, pairs_of
from .bounds import bootstrap, conformal
from .figures import Figures, TranslationReport
from .mismatch import Mismatch, group_of, mismatch

__all__ = ["Figures", "Mismatch", "TranslationReport", "mismatch", "report"]

GALLERY = 2000
"""Rows among which partners are looked for; a random draw of more held-out rows."""
FEWEST = 12
"""Held-out rows without which nothing can be said."""
SIGN = 0.01
"""The p-value at which rows are taken to correspond."""
SHUFFLES = 499


def report(
    translator: Translator, X: Array, Y: Array, *, groups: Array | None = None, repeats: Array | None = None, refit: bool = True,
    held_out: float = 0.2, curve: bool = True, level: float = 0.9, seed: int = 0,
) -> TranslationReport:  # fmt: skip
    r"""Fit on some of the pairs, measure on the others, and say what it is worth; the translator given is left as it was.

    The verdict's rule; "low" is the lower end of a 95 % interval, "a sign" is a mutual-neighbour p-value of 0.01 at most
    together with R@10 low above chance:

    - ``no correspondence``: R² low is not above 0 (nor above the R² of shuffled pairs), the translated rows show no sign, and
      neither does the source as it is: the rows do not belong together, or are in another order.
    - ``not found``: the same, but the source as it is shows that rows do belong together (p of 0.01 at most); or the
      translator says itself that it found nothing; or fewer than five groups leave open whether rows belong together.
    - ``holds``: R² low is at least 0.9 of the noise ceiling (of 1, where nothing is repeated).
    - ``retrieves``: R@1 low is at least 0.5: the right row is found, the vector itself is not.
    - ``partly``: everything else.

    Where doing nothing does as well, the verdict stands and says so.

    Args:
        groups: ``[n]``, such as the song of each row; whole groups are held out, resampled and bounded.
        repeats: ``[n]``, what each row is a reading of, where some are read more than once; gives the noise ceiling

            .. math:: 1-\frac{\sum_g\sum_{i\in g}\|y_i-\bar y_g\|^2/\sum_g(n_g-1)}{\sum_i\|y_i-\bar y\|^2/(n-1)}

            and, where no groups are given, keeps them on one side of the split.
        refit: false takes a fitted translator as it is: every row given must be new to it, and neither curve nor
            shuffled control is made.
        held_out: share of the rows that is measured on.
        level: of the split-conformal bound (Vovk et al. 2005).

    Raises:
        ShapeError, DataError: as ``fit``; or too few rows or groups to hold any out.
    """
    x, y = (z.cpu() for z in pairs_of(X, Y, FEWEST))
    group = group_of(groups if groups is not None else repeats, len(x))
    generator = Generator().manual_seed(seed)
    train, test = _split(group, held_out, generator) if refit else (torch.arange(0), torch.arange(len(x)))
    source, target = x[train], y[train]
    judge = _Judge(x[test], y[test], group[test], seed)
    fitted = copy.deepcopy(translator).fit(source, target) if refit else translator
    own = judge.row("this translation", fitted, sure=True)
    controls, curve_points, warnings = [], [], []
    if refit:
        order = torch.randperm(len(train), generator=generator)
        other = order.roll(1)[order.argsort()]  # one cycle: no row keeps its partner
        controls.append(judge.row("shuffled pairs", copy.deepcopy(translator).fit(source, target[other])))
        controls.append(judge.row("mean of the target", target.mean(0).expand(len(test), -1)))
        if curve and getattr(fitted, "found_", True):
            curve_points = [*_curve(translator, source, target, judge, generator), _point(len(train), own)]
        warnings = _warnings(own, curve_points, len(train), x.shape[1])
        if groups is not None and int(judge.group.max()) == 0:
            warnings.append(
                "one group alone is held out, so intervals are over its rows and say nothing of other groups; give more"
            )
    controls.append(judge.row("nothing done", x[test]))
    ceiling = _ceiling(y, group_of(repeats, len(y))) if repeats is not None else math.nan
    some = torch.randperm(len(x), generator=generator)[:GALLERY]
    together = mutual_neighbours(x[some], y[some], judge.k, permutations=SHUFFLES, group=_songs(group[some], judge.k), seed=seed).p
    if len(group.unique()) < 5:
        together = math.nan  # they have fewer orders than the p-value needs
    verdict, why = _verdict(own, controls, judge, ceiling, fitted, together)
    return TranslationReport(
        verdict=verdict, why=why, translator=repr(translator), rows=(own, *controls), curve=tuple(curve_points),
        anchors_needed=_needed(curve_points), ceiling=ceiling, bound=conformal(judge.scores, level), level=level,
        neighbours_p=judge.p, correspondence_p=together, chance=judge.chance, anchors=len(train), held_out=len(test),
        groups=int(judge.group.max()) + 1, candidates=len(judge.gallery), dims=(x.shape[1], y.shape[1]),
        warnings=tuple(warnings), seed=seed, versions=_versions(),
    )  # fmt: skip


class _Judge:
    """The held-out rows, and everything a table row says of one prediction of them."""

    def __init__(self, x: Tensor, y: Tensor, group: Tensor, seed: int) -> None:
        if len(y) < FEWEST:
            raise DataError(f"{len(y)} rows held out are too few to measure on, {FEWEST} are needed; give more pairs")
        self.x, self.y, self.seed = x, y, seed
        self.group = group.unique(return_inverse=True)[1]
        self.spread = (y - y.mean(0)).square().sum(1)
        if float(self.spread.mean()) <= 1e-24 * float(y.square().sum(1).mean()):
            raise DataError(f"the {len(y)} rows held out are all the same vector; give rows that differ, or other groups")
        # single rows are drawn in lots, which is as good and quicker; so are those of a group that is alone
        self.lots = self.group if 1 < len(self.group.unique()) < len(y) else torch.arange(len(y)) % 200
        self.gallery = torch.randperm(len(y), generator=Generator().manual_seed(seed))[:GALLERY]
        self.k = min(10, len(self.gallery) // 3)
        self.chance = {f"top{k}": min(k / len(self.gallery), 1.0) for k in (1, 5, 10)} | {
            "neighbours": self.k / (len(self.gallery) - 1)
        }
        self.songs = _songs(self.group[self.gallery], self.k)
        self.p, self.scores = 1.0, torch.zeros(0)

    def row(self, name: str, made: Translator | Tensor, *, sure: bool = False) -> Figures:
        """Figures of a fitted translator or of rows; ``sure`` adds intervals, the null and the scores of new rows."""
        if not isinstance(made, Tensor):
            if not getattr(made, "found_", True):
                return Figures(name)
            made = float64(made.transform(self.x)).cpu()
        found: dict[str, float] = {}
        some, there = made[self.gallery], self.y[self.gallery]
        if float((made - made.mean(0)).square().sum()) > 1e-24 * float(made.square().sum()):
            near = mutual_neighbours(some, there, self.k, permutations=SHUFFLES if sure else 0, group=self.songs, seed=self.seed)
            found |= {"neighbours": near.share, "cka": cka(some, there)}
            if sure:
                self.p, self.chance["neighbours"] = near.p, near.chance
        if made.shape[1] != self.y.shape[1]:
            return Figures(name, **found)
        error, rank = (made - self.y).square().sum(1), ranks(some, there)
        found |= {f"top{k}": float((rank < k).double().mean()) for k in (1, 5, 10)}
        found |= {
            "r2": 1 - float(error.sum() / self.spread.sum()),
            "r2_scaled": _scaled(made, self.y),
            "cosine": cosine(made, self.y),
        }
        if sure:
            lots = self.lots[self.gallery]
            found["r2_low"], found["r2_high"] = bootstrap(lambda r: 1 - float(error[r].sum() / self.spread[r].sum()), self.lots)
            found["top1_low"], found["top1_high"] = bootstrap(lambda r: float((rank[r] < 1).double().mean()), lots)
            found["top10_low"], _ = bootstrap(lambda r: float((rank[r] < 10).double().mean()), lots)
            mean = torch.zeros(int(self.group.max()) + 1, dtype=error.dtype).index_add_(0, self.group, error)
            self.scores = (mean / torch.bincount(self.group) / self.spread.mean()).sqrt()
        return Figures(name, **found)


def _songs(group: Tensor, k: int) -> Tensor | None:
    """The groups where rows share some, and where other groups hold k neighbours of every row."""
    size = group.unique(return_counts=True)[1]
    return group if 1 < int(size.max()) <= len(group) - k else None


def _split(group: Tensor, held_out: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Rows of whole groups: those learned from and those held out."""
    if not 0 < held_out < 1:
        raise OplasError(f"held_out={held_out} is no share of the rows; give a number between 0 and 1, such as 0.2")
    size = torch.bincount(group)
    if len(size) < 2:
        raise DataError("all rows are of one group, so none can be held out; give rows of more groups, or leave groups out")
    order = torch.randperm(len(size), generator=generator)
    want = max(held_out * len(group), FEWEST)
    out = int((size[order].cumsum(0) < want).sum()) + 1
    test = torch.isin(group, order[: min(out, len(size) - 1)])
    train = (~test).nonzero().flatten()
    return train[torch.randperm(len(train), generator=generator)] if len(size) == len(group) else train, test.nonzero().flatten()


def _curve(translator: Translator, x: Tensor, y: Tensor, judge: _Judge, generator: Generator) -> list[dict[str, float]]:
    """R² and R@1 on the held-out rows, learned from ever more of the anchors."""
    order, points = torch.randperm(len(x), generator=generator), []
    sizes = torch.logspace(1, math.log10(len(x)), 7)[:-1].round().long().unique().tolist() if len(x) > 12 else []
    for n in sizes:
        some = order[:n].sort().values
        try:
            points.append(_point(n, judge.row("", copy.deepcopy(translator).fit(x[some], y[some]))))
        except DataError:
            points.append(_point(n, Figures("")))  # too few for this translator
    return points


def _point(anchors: int, figures: Figures) -> dict[str, float]:
    return {"anchors": anchors, "r2": figures.r2, "top1": figures.top1}


def _needed(points: list[dict[str, float]]) -> float:
    """Where the curve enters the last 5 % for good, between its points on a logarithmic axis."""
    if len(points) < 2 or not points[-1]["r2"] > 0:
        return math.nan
    goal, last = 0.95 * points[-1]["r2"], points[-1]
    for point in reversed(points[:-1]):
        if not point["r2"] >= goal:
            share = (goal - point["r2"]) / (last["r2"] - point["r2"]) if math.isfinite(point["r2"]) else 1.0
            return point["anchors"] ** (1 - share) * last["anchors"] ** share
        last = point
    return last["anchors"]


def _warnings(own: Figures, points: list[dict[str, float]], n: int, d: int) -> list[str]:
    told = []
    if 0.5 <= n / d <= 2:
        told.append(f"{n} anchors for {d} dimensions: least squares without a penalty is at its worst where they are as many")
    before = [p["r2"] for p in points[:-1] if math.isfinite(p["r2"])]
    if before and max(before) > own.r2 + 0.02:
        told.append(f"fewer anchors gave a better R² ({max(before):.3f}, all: {own.r2:.3f}); a penalty is missing: try Ridge()")
    elif before and own.r2 - before[-1] > 0.02:
        last = points[-1]["anchors"] - points[-2]["anchors"]
        told.append(f"still rising: the last {last:.0f} anchors raised R² by {own.r2 - before[-1]:.3f}; give more")
    if own.r2_scaled > own.r2 + 0.1:
        told.append(f"scale or offset is off: R² {own.r2:.3f}, and {own.r2_scaled:.3f} once both are granted")
    return told


def _ceiling(y: Tensor, item: Tensor) -> float:
    count = torch.bincount(item).to(y)
    mean = torch.zeros(len(count), y.shape[1], dtype=y.dtype).index_add_(0, item, y) / count[:, None]
    free = float((count - 1).sum())
    if not free:
        raise DataError("no row is a reading of the same thing as another, so repeats say nothing; leave the argument out")
    noise = float((y - mean[item]).square().sum()) / free
    return 1 - noise / (float((y - y.mean(0)).square().sum()) / (len(y) - 1))


def _scaled(made: Tensor, y: Tensor) -> float:
    a, b = made - made.mean(0), y - y.mean(0)
    size = float(a.square().sum() * b.square().sum())
    return max(float((a * b).sum()), 0.0) ** 2 / size if size > 0 else 0.0


def _verdict(own: Figures, controls: list[Figures], judge: _Judge, ceiling: float, fitted: Any, together: float) -> tuple[str, str]:
    if not getattr(fitted, "found_", True):
        return "not found", str(getattr(fitted, "why_", "the translator found no map it could stand by"))
    named = {each.name: each for each in controls}
    figures = f"R² {own.r2:.3f} ({own.r2_low:.3f} … {own.r2_high:.3f}), R@1 {own.top1:.3f} of {len(judge.gallery)}"
    null = 0.0
    if (shuffled := named.get("shuffled pairs")) and math.isfinite(shuffled.r2) and getattr(fitted, "paired", True):
        null = max(shuffled.r2, 0.0)
        figures += f"; fitted on shuffled pairs R² {shuffled.r2:.3f}, R@1 {shuffled.top1:.3f}"
    sign = judge.p <= SIGN and own.top10_low > judge.chance["top10"]
    if own.r2_low <= null and not sign:
        if together <= SIGN:
            return "not found", f"{figures}; the rows do correspond (p = {together:.2g}), this translation does not find how"
        if math.isnan(together):
            return "not found", f"{figures}; the groups are too few to tell whether their rows belong together"
        fact = f"nothing says that the rows belong together (p = {together:.2g})"
        return "no correspondence", f"{figures}; {fact}: look at their order"
    nothing = named["nothing done"]
    if nothing.r2 >= own.r2 - 0.005:
        figures += f"; doing nothing did as well (R² {nothing.r2:.3f})"
    if own.r2_low >= 0.9 * (ceiling if math.isfinite(ceiling) else 1.0):
        return "holds", figures
    return ("retrieves" if own.top1_low >= 0.5 else "partly"), figures


def _versions() -> dict[str, str]:
    from .. import __version__

    return {"oplas": __version__, "torch": torch.__version__, "python": platform.python_version()}
