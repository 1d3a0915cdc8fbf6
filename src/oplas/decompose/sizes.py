"""How large the networks are: S for tests, M for a CPU or one GPU, and the sizes of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .._errors import DataError


@dataclass(frozen=True)
class Shape:
    """Of a U-Net: channels at each resolution, first to last, a kernel for each halving between them."""

    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    embedding: int
    dropout: float = 0.0


@dataclass(frozen=True)
class Preset:
    """Networks, and how they are trained: AdamW's rate, windows a step, frames a window."""

    semantic: tuple[int, int, int]
    decoder: Shape
    prior: Shape
    rate: float
    batch: int
    frames: int
    steps: int


Size = Literal["S", "M", "paper"]

SIZES: dict[str, Preset] = {
    "S": Preset((24, 24, 24), Shape((24, 32, 32), (3, 3), 16), Shape((16, 16, 16), (3, 3), 16), 3e-3, 8, 64, 200),
    "M": Preset(
        (48, 64, 96), Shape((48, 64, 96, 128), (3, 3, 3), 64), Shape((48, 64, 96, 128), (3, 3, 3), 64),
        1e-3, 8, 192, 4000,
    ),
    "paper": Preset(
        (128, 256, 512),
        Shape((128, 128, 256, 256, 512), (5, 3, 3, 3), 76, 0.1),
        Shape((64, 128, 256, 256, 384), (5, 3, 3, 3), 128, 0.1),
        1e-4, 64, 512, 100_000,
    ),
}  # fmt: skip


def preset(size: Size) -> Preset:
    """The preset of a name.

    Raises:
        DataError: there is none.
    """
    if size not in SIZES:
        raise DataError(f"there is no size {size!r}; choose {', '.join(SIZES)}")
    return SIZES[size]
