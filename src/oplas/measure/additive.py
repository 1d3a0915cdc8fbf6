"""Are labelled latents sums of ideal words? Analysis of variance, combinations never seen, and shuffled labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .._errors import DataError
from .._told import Told, figure, table
from ..functional.additive import cells, design, ideal_words


@dataclass(frozen=True)
class Additive(Told):
    """How far latents with labels of several factors are sums of one vector a label.

    Attributes:
        r2: share of the variance between combinations that the sum explains (an analysis of variance without interactions).
        factors: each factor's own share of that variance.
        unseen: the same share for combinations left out of the fit, each in turn; NaN where none can be.
        found: how often the latent predicted for such a one lies nearest its own mean; ``chance``: one over the combinations.
        shuffled: ``unseen`` where the combinations' labels are shuffled: the 95th percentile; p: how often that is as large.
    """

    verdict: str
    r2: float
    factors: dict[str, float]
    unseen: float
    found: float
    chance: float
    shuffled: float
    p: float
    combinations: int
    possible: int
    rows: int
    seed: int

    def __str__(self) -> str:
        shares = [("factor", "share of variance"), *((name, figure(share)) for name, share in self.factors.items())]
        return "\n".join((
            f"additive: {self.verdict}", "", table(shares), "",
            f"R² of the sum {figure(self.r2)} · of combinations never seen {figure(self.unseen)} "
            f"(labels shuffled: below {figure(self.shuffled)}, p = {self.p:.2g})",
            f"nearest to its own mean: {self.found:.0%} of those never seen, chance {self.chance:.0%}",
            f"{self.combinations} of {self.possible} combinations, {self.rows} rows · seed {self.seed}",
        ))  # fmt: skip


def additive(z: Tensor, factors: dict[str, Sequence[object]], *, draws: int = 99, seed: int = 0) -> Additive:
    """Decompose latents ``[n, d]`` whose rows carry a label of each factor, and measure it beside shuffled labels.

    Verdict ``holds`` where combinations never seen are foretold to a half at least and shuffled labels are not (p <= 0.05),
    ``partly`` where only the second is so, else ``no simple operator``; ``vacuous`` where nothing can be left out.

    Raises:
        DataError: fewer than two factors, a factor of one label, or latents that do not vary.
    """
    if len(factors) < 2 or any(len(set(column)) < 2 for column in factors.values()):
        seen = ", ".join(f"{name}: {len(set(column))}" for name, column in factors.items())
        raise DataError(f"labels of each factor: {seen or 'none'}; give two factors at least, each with two labels")
    means, levels, names = cells(z, list(factors.values()))
    sizes = [len(each) for each in names]
    centred = means - means.mean(0)
    total = float(centred.square().sum())
    if not total > 1e-12 * max(float(means.square().sum()), 1e-300):
        raise DataError(f"the latents of all {len(means)} combinations are alike; give latents that vary with the labels")
    words = ideal_words(means, levels, sizes)
    r2 = 1 - float((means - words(levels)).square().sum()) / total
    shares = {
        name: float(each[column].square().sum()) / total
        for name, each, column in zip(factors, words.words, levels.T, strict=True)
    }  # fmt: skip
    unseen, found = _unseen(means, levels, sizes)
    generator = Generator().manual_seed(seed)
    null = [_unseen(means[torch.randperm(len(means), generator=generator)], levels, sizes)[0] for _ in range(draws)]
    p = (1 + sum(each >= unseen for each in null)) / (draws + 1)
    limit = float(torch.quantile(torch.tensor(null, dtype=torch.float64), 0.95)) if null else math.nan
    told = "vacuous" if not math.isfinite(unseen) else "no simple operator" if p > 0.05 else "holds" if unseen >= 0.5 else "partly"
    p = p if told != "vacuous" else math.nan
    return Additive(told, r2, shares, unseen, found, 1 / len(means), limit, p, len(means), math.prod(sizes), len(z), seed)


def _unseen(means: Tensor, levels: Tensor, sizes: Sequence[int]) -> tuple[float, float]:
    r"""R² and share found of combinations left out one at a time, :math:`\hat z_i=z_i-e_i/(1-h_i)` with the leverage h.

    Combinations without which a word could not be told (h = 1) are not judged.
    """
    x = design(levels, sizes)
    hat = x @ torch.linalg.pinv(x)
    free = 1 - hat.diagonal()
    judged = free > 1e-9
    if not bool(judged.any()):
        return math.nan, math.nan
    guess = (means - (means - hat @ means) / free.clamp_min(1e-9)[:, None])[judged]
    n = len(means)
    around = ((means - means.mean(0)) * n / (n - 1))[judged].square().sum()  # from the mean of all others
    hits = (torch.cdist(guess, means).argmin(1) == judged.nonzero().flatten()).double().mean()
    return float(1 - (guess - means[judged]).square().sum() / around), float(hits)
