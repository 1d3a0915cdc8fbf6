"""How the rate of learning runs over a training."""

from __future__ import annotations

import math


def pace(step: int, steps: int) -> float:
    """Share of the rate at a step: a linear warm-up over a twentieth of the steps, then a cosine to zero.

    >>> [round(pace(step, 100), 2) for step in (0, 4, 5, 52, 99)]
    [0.2, 1.0, 1.0, 0.51, 0.0]
    """
    warm = max(steps // 20, 1)
    return (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
