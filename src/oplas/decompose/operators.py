r"""How parts become the whole again: an operator over the axis of components that asks for no order, :math:`C(y_{\pi})=C(y)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

from .._errors import DataError

Operator = Literal["mean", "sum", "max", "min"]

_OPERATORS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "mean": lambda y, dim: y.mean(dim),
    "sum": lambda y, dim: y.sum(dim),
    "max": lambda y, dim: y.amax(dim),
    "min": lambda y, dim: y.amin(dim),
}


def compose(y: Tensor, operator: Operator = "mean", dim: int = 1) -> Tensor:
    """Components as one whole, ``[batch, parts, ...] -> [batch, ...]``.

    Raises:
        DataError: there is no such operator.

    >>> import torch
    >>> y = torch.tensor([[1.0, 4.0], [3.0, 2.0]])
    >>> [compose(y, name, 0).tolist() for name in ("mean", "sum", "max", "min")]
    [[2.0, 3.0], [4.0, 6.0], [3.0, 4.0], [1.0, 2.0]]
    """
    if operator not in _OPERATORS:
        raise DataError(f"there is no operator {operator!r}; parts are composed by {', '.join(get_args(Operator))}")
    return _OPERATORS[operator](y, dim)
