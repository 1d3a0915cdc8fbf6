"""Rows of numbers as translators take and give them: checked once, float64 inside, the same kind out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError, ShapeError

Array = Any
"""A numpy array, a torch tensor, or what numpy makes an array of; ``[n, dimensions]``."""


def pairs_of(X: Array, Y: Array, minimum: int = 3, *, distinct: bool = True) -> tuple[Tensor, Tensor]:
    """Checked rows in correspondence as float64 tensors on X's device, ``[n, d]`` and ``[n, e]``.

    Args:
        distinct: whether pairs that repeat are of account: for what learns, not for what judges.

    Raises:
        ShapeError: no tables, or unequal numbers of rows.
        DataError: fewer than ``minimum`` anchors, NaN or infinity, nothing that varies, or more repeats than distinct anchors.
    """
    x, y = float64(X).detach(), float64(Y).detach()
    for name, rows in (("X", x), ("Y", y)):
        if rows.ndim != 2 or not rows.shape[1]:
            raise ShapeError(f"{name} has the shape {list(rows.shape)}; anchors are rows [n, dimensions]")
    if len(x) != len(y):
        raise ShapeError(f"X has {len(x)} rows and Y has {len(y)}; row i of both must mean the same, so give as many of each")
    if len(x) < minimum:
        raise DataError(f"{len(x)} anchors are too few, at least {minimum} are needed; give more pairs")
    y = y.to(x.device)
    for name, rows in (("X", x), ("Y", y)):
        refuse_sick(rows, name)
        if (rows[:9] == rows[0]).all() and (rows == rows[0]).all():
            raise DataError(f"all {len(rows)} rows of {name} are the same, so they say nothing; look at what made them")
    if distinct:
        _refuse_repeats(x, y, minimum)
    return x, y


def float64(rows: Array) -> Tensor:
    """Rows as a float64 tensor, where they are; a device without float64 hands them to the processor.

    Raises:
        ShapeError: they are not numbers.
    """
    if not isinstance(rows, Tensor):
        try:
            return torch.from_numpy(np.require(rows, np.float64, ["C", "W"]))
        except (TypeError, ValueError) as error:
            raise ShapeError(f"{type(rows).__name__} is no table of numbers ({error}); give an array [n, dimensions]") from error
    return rows.to("cpu" if rows.device.type == "mps" else rows.device, torch.float64)


def like(made: Tensor, given: Array) -> Array:
    """``made`` as the kind, dtype and device of ``given``; whole numbers become float64."""
    if isinstance(given, Tensor):
        return made.to(given.device, given.dtype) if given.is_floating_point() else made.to(given.device)
    dtype = getattr(given, "dtype", None)
    array = made.detach().cpu().numpy()
    return array.astype(dtype, copy=False) if isinstance(dtype, np.dtype) and np.issubdtype(dtype, np.floating) else array


def refuse_sick(rows: Tensor, name: str) -> None:
    """Raise DataError where a row holds NaN or infinity."""
    if rows.sum().isfinite():
        return
    sick = torch.nonzero(~rows.isfinite().all(1)).flatten()
    if len(sick):
        raise DataError(
            f"{len(sick)} of {len(rows)} rows of {name} hold NaN or infinity, the first is row {int(sick[0])}; leave these rows out"
        )


def _refuse_repeats(x: Tensor, y: Tensor, minimum: int) -> None:
    n = len(x)
    few = (rows[:, :: max(rows.shape[1] // 8, 1)] for rows in (x, y))  # a glance that tells most tables apart
    if 20 * _repeats(*few) <= n and n > 2 * minimum:
        return
    repeats = _repeats(x, y)
    if 2 * repeats > n or n - repeats < minimum:
        fact = f"{repeats} of {n} anchors repeat earlier ones, {n - repeats} are distinct"
        raise DataError(f"{fact}; repeats feign certainty: leave each pair once, and give at least {minimum}")
    if 20 * repeats > n:
        warnings.warn(f"{repeats} of {n} anchors repeat earlier ones; cross-validation will look too good", stacklevel=4)


def _repeats(x: Tensor, y: Tensor) -> int:
    marks = sum(_marks(rows, seed) for seed, rows in enumerate((x, y)))
    return len(x) - len(torch.unique(marks))


def _marks(rows: Tensor, seed: int) -> Tensor:
    """A whole number a row, the same for the same row and almost surely another for another."""
    odd = 2 * torch.randint(2**62, (rows.shape[1],), generator=torch.Generator().manual_seed(seed)) + 1
    return (rows.contiguous().view(torch.int64) * odd.to(rows.device)).sum(1)
