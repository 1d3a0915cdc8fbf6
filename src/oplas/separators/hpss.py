"""Harmonic against percussive, by medians along time and along frequency."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Masking


class HPSS(Masking):
    r"""Parts: percussive, harmonic; :math:`M_p=(\mathrm{med}_f|X|)^2,\ M_h=(\mathrm{med}_t|X|)^2`.

    Medians are over ``kernel`` bins or frames.

    D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010,
    https://dafx10.iem.at/proceedings/papers/DerryFitzGerald_DAFx10_P15.pdf.
    """

    def __init__(self, kernel: int = 31) -> None:
        self.kernel = kernel

    def masks(self, magnitude: Tensor, rate: int) -> Tensor:
        return torch.stack([median(magnitude.T, self.kernel).T, median(magnitude, self.kernel)]).square()


def median(rows: Tensor, kernel: int) -> Tensor:
    """Running median of each row over an odd number of places, ends mirrored, ``[n, m] -> [n, m]``."""
    half = min(kernel // 2, rows.shape[1] - 1)
    padded = torch.nn.functional.pad(rows[None], (half, half), mode="reflect")[0]
    return padded.unfold(1, 2 * half + 1, 1).median(-1).values
