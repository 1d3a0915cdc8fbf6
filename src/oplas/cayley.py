r"""What follows what: do two deeds commute, and which deed are two deeds in a row? A Cayley table, read off pairs.

Each deed's map is fitted from its own pairs (:func:`oplas.discover`); compositions were never seen and are predicted:
:math:`gh` is the deed k whose map is nearest to :math:`M_gM_h` on the latents. A category's functor, asked to be one (morphism
consistency :math:`\|M_{gh}-M_gM_h\|`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ._errors import DataError
from .discover import NONE, Discovery, discover


@dataclass(frozen=True)
class Commuting:
    """How far ``one`` after ``other`` ends from ``other`` after ``one``, in units of the scatter, beside the maps' own errors."""

    defect: float
    floor: float

    @property
    def commute(self) -> bool:
        """Whether the order makes no more difference than the maps' own errors do."""
        return self.defect <= 2 * self.floor + 1e-6


def commuting(one: Discovery, other: Discovery, z: Tensor) -> Commuting:
    """Whether two maps commute on latents ``[n, d]``."""
    z = z.double()
    gap = (one(other(z)) - other(one(z))).square().sum(1).mean()
    scatter = (z - z.mean(0)).square().sum(1).mean()
    return Commuting(float((gap / scatter).sqrt()), max(1 - one.r2, 0.0) ** 0.5 + max(1 - other.r2, 0.0) ** 0.5)


@dataclass(frozen=True)
class Cayley:
    """Which deed each two deeds in a row are: ``product[g][h]`` is h first, then g; None where it is none of them."""

    names: tuple[str, ...]
    product: tuple[tuple[int | None, ...], ...]
    defect: tuple[tuple[float, ...], ...]

    @property
    def identity(self) -> int | None:
        """The deed that changes nothing."""
        n = range(len(self.names))
        return next((e for e in n if all(self.product[e][g] == g == self.product[g][e] for g in n)), None)

    @property
    def group(self) -> bool:
        """Whether the deeds are a group: closed, with an identity, inverses, and it does not matter where the brackets are."""
        n, p = range(len(self.names)), self.product
        if self.identity is None or any(k is None for row in p for k in row):
            return False
        latin = all(len(set(p[g])) == len(n) and len({p[h][g] for h in n}) == len(n) for g in n)
        return latin and all(p[p[a][b] or 0][c] == p[a][p[b][c] or 0] for a in n for b in n for c in n)

    @property
    def orders(self) -> tuple[int | None, ...]:
        """How often each deed must be done until nothing is changed; None where it never comes back."""
        found: list[int | None] = []
        for g in range(len(self.names)):
            power: int | None = g
            times: int | None = 1
            while power is not None and power != self.identity and times is not None:
                power = self.product[g][power]
                times = times + 1 if times < len(self.names) else None
            found.append(times if power is not None and power == self.identity else None)
        return tuple(found)

    @property
    def abelian(self) -> bool:
        """Whether no two deeds care which comes first."""
        n = range(len(self.names))
        return all(self.product[a][b] == self.product[b][a] for a in n for b in n)

    def __str__(self) -> str:
        width = max(map(len, self.names)) + 1
        head = " " * width + "".join(name.rjust(width) for name in self.names)
        rows = [
            name.rjust(width) + "".join(("?" if k is None else self.names[k]).rjust(width) for k in row)
            for name, row in zip(self.names, self.product, strict=True)
        ]
        kind = "a group" if self.group else "not a group"
        return "\n".join([head, *rows, f"{kind}, {'abelian' if self.abelian else 'not abelian'}; orders {self.orders}"])


def cayley(pairs: Mapping[str, tuple[Tensor, Tensor]], *, seed: int = 0) -> Cayley:
    """The table of deeds, each given by its pairs (latents before, latents after), ``[n, d]``; compositions are not needed.

    Raises:
        DataError: fewer than two deeds, or a deed that no simple map describes.
    """
    if len(pairs) < 2:
        raise DataError(f"{len(pairs)} deed makes no table; give the pairs of two or more")
    maps = {name: discover(before, after, seed=seed) for name, (before, after) in pairs.items()}
    lost = [name for name, found in maps.items() if found.family == NONE]
    if lost:
        raise DataError(f"no simple map describes {', '.join(lost)}, so nothing can be composed; leave out, or give more pairs")
    z = torch.cat([before.double() for before, _ in pairs.values()])
    z = z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))[:2000]]
    done = torch.stack([found(z) for found in maps.values()])
    apart = torch.cdist(done.flatten(1), done.flatten(1))
    nearest = apart.masked_fill(torch.eye(len(done), dtype=torch.bool), torch.inf).min()
    scatter = (z - z.mean(0)).square().sum().sqrt()
    product: list[tuple[int | None, ...]] = []
    defect: list[tuple[float, ...]] = []
    for first in maps.values():
        gaps = torch.stack([torch.cdist(first(second)[None].flatten(1), done.flatten(1))[0] for second in done])
        least, which = gaps.min(1)
        product.append(tuple(int(k) if gap < nearest / 2 else None for gap, k in zip(least, which, strict=True)))
        defect.append(tuple((least / scatter).tolist()))
    return Cayley(tuple(maps), tuple(product), tuple(defect))
