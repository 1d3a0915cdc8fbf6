"""Sequences of latents, one step a row: read from what people have, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .._errors import DataError, ShapeError


@dataclass(frozen=True)
class Orbits:
    """Sequences ``z [orbits, length, d]``; ``closed`` where the last row's next step is the first."""

    z: Tensor
    period: int | None
    closed: bool
    rows: int
    scatter: float = 0.0
    """RMS distance of rows from the mean of their place, where places hold several."""

    @property
    def steps(self) -> tuple[Tensor, Tensor]:
        """Every step: where it starts, where it ends, ``[orbits, steps, d]``."""
        return (self.z, self.z.roll(-1, 1)) if self.closed else (self.z[:, :-1], self.z[:, 1:])

    def some(self, half: int) -> Orbits:
        """Every other sequence, from the first or the second on."""
        return replace(self, z=self.z[half::2])

    def places(self, period: int) -> Tensor:
        """The mean latent of each place, ``[period, d]``."""
        place = torch.arange(self.z.shape[1]) % period
        return torch.stack([self.z[:, place == k].flatten(0, 1).mean(0) for k in range(period)])


def orbits_of(z: Tensor, period: int | None, position: Tensor | None) -> Orbits:
    """Check what was given, and order it."""
    flat = z.reshape(-1, z.shape[-1])
    if z.ndim not in (2, 3) or z.shape[-1] < 2 or (position is not None and z.ndim != 2):
        raise ShapeError(
            f"a ring needs sequences [orbits, length, d] or rows [n, d] with their positions, of two dimensions or more; "
            f"this is {list(z.shape)}"
        )
    if period is not None and (period != int(period) or period < 3):
        reason = "stands still" if period == 1 else "is a half turn, which a reflection does as well" if period == 2 else "is none"
        raise DataError(f"a period of {period} {reason}; a ring has a whole period of 3 or more")
    if not bool(torch.isfinite(flat).all()):
        bad = int((~torch.isfinite(flat).all(1)).sum())
        raise DataError(f"{bad} of {len(flat)} latents hold NaN or infinity; leave those rows out, or mend what made them")
    flat = flat.double()
    if float((flat - flat.mean(0)).square().sum()) <= 1e-18 * float(flat.square().sum()) + 1e-300:
        raise DataError(f"the {len(flat)} latents do not vary, so nothing turns; look for an encoder that gives constants")
    if position is not None:
        return _placed(flat, period, position)
    sequences = (z if z.ndim == 3 else z[None]).double()
    length = sequences.shape[1]
    if length < (period or 3):
        need = f"the period of {period}" if period else "three steps, the least a ring has"
        raise DataError(f"sequences of {length} rows are shorter than {need}: they cannot come round; give longer ones")
    return Orbits(sequences, period, length == period, len(flat))


def _placed(z: Tensor, period: int | None, position: Tensor) -> Orbits:
    if position.shape != (len(z),) or position.is_floating_point():
        raise ShapeError(f"{len(z)} rows need {len(z)} whole positions; got {list(position.shape)} of {position.dtype}")
    n = period or int(position.max()) + 1
    missing = sorted(set(range(n)) - set(position.tolist()))
    if missing or n < 3:
        raise DataError(
            f"of {n} places {missing or 'too few'} have no row: a gap in a ring cannot be told from a ring with fewer places; "
            "add rows for them, or say the true period"
        )
    if int(position.min()) < 0 or int(position.max()) >= n:
        raise DataError(f"positions run from {int(position.min())} to {int(position.max())}; with period {n}: 0 to {n - 1}")
    means = torch.stack([z[position == k].mean(0) for k in range(n)])
    scatter = float((z - means[position]).square().sum(1).mean().sqrt())
    return Orbits(means[None], n, True, len(z), scatter)
