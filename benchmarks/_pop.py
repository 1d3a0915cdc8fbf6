"""POP909 for the benchmarks: songs in one key, folds by song, and the two baselines for keys."""

from __future__ import annotations

import torch
from _harness import SHARED
from torch import Tensor

from oplas.data.pop909 import Key, Song, pop909

#: Krumhansl & Kessler 1982, "Tracing the dynamic changes in perceived tonal organization": probe-tone ratings, major and minor.
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def load() -> list[Song]:
    """Every song there is, in one key or several."""
    return pop909(SHARED / "pop909.tar.gz")


def folds(groups: list[list[int]], count: int, seed: int) -> list[Tensor]:
    """Rows of each fold; songs of a group (:func:`oplas.data.rolls.same_song`) are in the same fold."""
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    return [torch.tensor([row for place in order[fold::count] for row in groups[place]]) for fold in range(count)]


def krumhansl(y: Tensor) -> list[Key]:
    """The key whose profile correlates best with the durations."""
    profiles = torch.stack([torch.tensor(profile, dtype=y.dtype).roll(k) for profile in (MAJOR, MINOR) for k in range(12)])
    best = torch.corrcoef(torch.cat([profiles, y]))[24:, :24].argmax(1).tolist()
    return [Key(place % 12, place >= 12) for place in best]


def fifths(y: Tensor) -> Tensor:
    """The one number: the Fourier coefficient of the durations that winds once around the circle of fifths, ``[n]`` complex."""
    return torch.fft.fft(y)[:, 7].conj()


def mirex(found: Key, true: Key) -> float:
    """MIREX's key score: 1 exact, 0.5 a fifth above, 0.3 relative, 0.2 parallel, else 0."""
    if found == true:
        return 1.0
    if found.minor == true.minor:
        return 0.5 if (found.tonic - true.tonic) % 12 == 7 else 0.0
    return 0.3 if found.signature == true.signature else 0.2 if found.tonic == true.tonic else 0.0
