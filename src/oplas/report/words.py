"""What a report says in words: the columns, the controls, the plots, the verdict's rule, and numbers as they are read."""

from __future__ import annotations

import math
import re
from importlib import import_module
from typing import Any

#: Row's field, heading, digits, meaning.
COLUMNS = (
    ("r2", "R²", None, "1: the prediction is the latent. 0: no better than always answering the mean. Below 0: worse than that."),
    ("interval", "95 %", None, "The interval of R² when songs are drawn anew with replacement; windows of a song stay together."),
    (
        "affinity",
        "affine",
        None,
        "R² when each number of parts may add its own constant. Far above R²: the law fails by an offset.",
    ),
    ("defect", "defect", None, "The error in units of the space's own scatter, √(1 − R²); shrinking a space does not improve it."),
    ("top1", "top-1", None, "How often the missing part is the nearest of all candidates to the mix minus its other parts."),
    ("top5", "top-5", None, "How often it is among the five nearest."),
    ("median_rank", "median rank", 0, "Where the missing part stands in the middle case; 1 is a hit."),
    ("effective_rank", "eff. rank", 1, "How many dimensions are in use; a law is easy to keep in very few."),
    ("probe", "probe", None, "How well a linear probe reads a part's label, such as its instrument, from songs it has not seen."),
    ("overlap", "overlap", None, "The share of a part's nearest neighbours in the encoder's space that are still its neighbours."),
)

CONTROLS = {
    "encoder's own": "No projector at all: what learning added.",
    "untrained": "The same network before learning: what the architecture alone does.",
    "shuffled parts": "The sums of another trial's parts: whether the law is about these parts.",
    "collapsed": "Every sound on one point: it obeys exactly and knows nothing.",
    "mean as prediction": "Always answers the mean: R² is 0 by definition.",
}

PLOTS = {
    "pca": ("Sums over mixes", "Each line joins a mix to what its parts make of it: the shorter, the better the law holds. "
            "Two principal axes of the mixes show only part of the space."),
    "defects": ("Defects against controls", "Each mix's own error. The space should stand well left of its controls and of 1."),
    "retrieval": ("Finding the missing part", "Take all parts but one away from a mix and look for what is left among all parts. "
                  "The dashed line is guessing."),
    "spectrum": ("Spectrum of the space", "How the variance is shared among principal axes. "
                 "Few tall bars: the law may hold because the space says little."),
}  # fmt: skip

VERDICTS = {"holds": "✓", "partly": "◐", "no simple operator": "✕", "vacuous": "○"}

AXIOMS = {
    "commutes": "y ⊕ w = w ⊕ y",
    "associates": "(y ⊕ w) ⊕ v = y ⊕ (w ⊕ v)",
    "zero": "y ⊕ origin = y",
    "negative": "y ⊕ (−1 ⊙ y) = origin",
    "distributes": "a ⊙ (y ⊕ w) = a ⊙ y ⊕ a ⊙ w",
    "scalars": "a ⊙ (b ⊙ y) = ab ⊙ y",
}


def figure(value: Any, digits: int | None = None) -> str:
    """A number to read, or – where nothing was measured: three decimals, fewer where the number is large.

    >>> figure(0.92161), figure(-1911.658), figure(float("nan")), figure(13.04, 1), figure(0)
    ('0.922', '−1912', '–', '13.0', '0')
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    if isinstance(value, int):
        return f"{value}".replace("-", "−")
    places = digits if digits is not None else 3 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    text = f"{value:.{places}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")


def share(value: Any) -> str:
    """A share as a percentage with the digits it needs, or –.

    >>> share(0.55), share(0.0061), share(None), share(1.0)
    ('55 %', '0.61 %', '–', '100 %')
    """
    if figure(value) == "–":
        return "–"
    value = 100 * value
    return f"{value:.0f} %" if value >= 9.95 or not value else f"{value:.1f} %" if value >= 0.995 else f"{value:.2g} %"


def rule() -> dict[str, str]:
    """Verdict to its rule, in the order they are tried, as the certifier's own documentation states them: said once, there."""
    text = import_module("oplas.certify").__doc__ or ""
    found = re.findall(r"^- ``([^`]+)``:\s*(.+?)(?=^- ``|^\s*$|\Z)", text, flags=re.M | re.S)
    return {name: " ".join(words.replace(">=", "≥").split()).rstrip(".") for name, words in found}
