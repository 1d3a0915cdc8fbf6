"""Ideal words: labelled latents as a sum of one vector for each factor's value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .._errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class IdealWords:
    r""":math:`z\approx u_0+\sum_iu_{i,l_i}`, one vector for each value (level) of each factor.

    Attributes:
        origin: :math:`u_0`, ``[d]``.
        words: for each factor ``[levels, d]``; over its levels they sum to zero.
    """

    origin: Tensor
    words: tuple[Tensor, ...]

    def __call__(self, levels: Tensor) -> Tensor:
        """Latents of combinations ``[n, factors]``, seen or not: ``[n, d]``."""
        return self.origin + sum((words[column] for words, column in zip(self.words, levels.T, strict=True)), torch.zeros(()))


def ideal_words(means: Tensor, levels: Tensor, sizes: Sequence[int] | None = None) -> IdealWords:
    r"""The decomposition of the mean latents of combinations that were seen.

    .. math:: u_{i,l}=\text{mean of }z\text{ over the combinations with level }l\text{ of factor }i\;-\;u_0

    where all combinations are there, each counted once; where some are missing, the least-squares fit of the same form, which is
    then the same formula's unbiased extension. Trager, Perera, Zancato, Achille, Bhatia & Soatto 2023
    (https://arxiv.org/abs/2302.14383).

    Args:
        means: ``[cells, d]``. levels: ``[cells, factors]``, integers. sizes: how many levels each factor has.

    Raises:
        ShapeError: means and levels differ in number.
        DataError: the combinations seen do not tie the labels together.
    """
    if levels.ndim != 2 or len(levels) != len(means) or not len(means):
        raise ShapeError(
            f"means {list(means.shape)} and levels {list(levels.shape)} do not go together; give one row of each a cell"
        )
    sizes = list(sizes or (levels.amax(0) + 1).tolist())
    x = design(levels, sizes)
    if int(torch.linalg.matrix_rank(x)) < x.shape[1]:
        fact = f"{len(means)} combinations do not tie {sum(sizes)} labels together"
        raise DataError(f"{fact}; give more of the {math.prod(sizes)} there are, with every label")
    fitted = torch.linalg.lstsq(x, means.double()).solution
    words, at = [], 1
    for size in sizes:
        rows = fitted[at : at + size - 1]
        words.append(torch.cat([rows, -rows.sum(0, keepdim=True)]))
        at += size - 1
    return IdealWords(fitted[0], tuple(words))


def design(levels: Tensor, sizes: Sequence[int]) -> Tensor:
    """One column for the origin, and one fewer than there are levels for each factor, whose words sum to zero."""
    columns = [torch.ones(len(levels), 1, dtype=torch.float64)]
    for column, size in zip(levels.T, sizes, strict=True):
        one = torch.nn.functional.one_hot(column.long(), size).double()
        columns.append(one[:, :-1] - one[:, -1:])
    return torch.cat(columns, 1)


def cells(z: Tensor, labels: Sequence[Sequence[object]]) -> tuple[Tensor, Tensor, tuple[tuple[object, ...], ...]]:
    """Mean latent of each combination of labels that occurs ``[cells, d]``, its levels ``[cells, factors]``, and all labels."""
    names = tuple(tuple(sorted(set(column), key=str)) for column in labels)
    table = torch.tensor([[name.index(each) for each in column] for name, column in zip(names, labels, strict=True)]).T
    if len(table) != len(z):
        raise ShapeError(f"{len(z)} latents have {len(table)} labels; give each factor one label a row")
    found, which, count = table.unique(dim=0, return_inverse=True, return_counts=True)
    means = torch.zeros(len(found), z.shape[1], dtype=torch.float64).index_add_(0, which, z.double()) / count[:, None]
    return means, found, names
