"""Is the prediction nearest to what it should be, among everything that was heard?"""

from __future__ import annotations

import torch
from torch import Tensor


def missing_part(before: Tensor, after: Tensor, predicted: Tensor, present: Tensor) -> Tensor:
    """Ranks of each trial's first part among all parts heard, asked for by mix minus the other parts, ``[n]``; 0 is a hit.

    Shape:
        - before: ``[n, k, d]`` · after, predicted: ``[n, d]`` · present: ``[n, k]``
    """
    index = torch.full(present.shape, -1, device=present.device)
    index[present] = torch.arange(int(present.sum()), device=present.device)
    return ranks(after - predicted + before[:, 0], before[present], index[:, 0])


def ranks(query: Tensor, candidates: Tensor, truth: Tensor, batch: int = 256) -> Tensor:
    """How many candidates are at least as near to the query as the true one, itself not counted, ``[q]``; 0 is a hit.

    Ties count against the query, and so do latents that are not numbers: a space collapsed to a point finds nothing.

    Shape:
        - query: ``[q, d]`` · candidates: ``[m, d]`` · truth: ``[q]``, index of the true candidate

    >>> ranks(torch.tensor([[0.1]]), torch.tensor([[0.0], [1.0]]), torch.tensor([0]))
    tensor([0])
    >>> ranks(torch.tensor([[5.0]]), torch.tensor([[2.0], [2.0], [2.0]]), torch.tensor([1]))
    tensor([2])
    """
    found = []
    for some, which in zip(query.split(batch), truth.split(batch), strict=True):
        distance = torch.cdist(some, candidates, compute_mode="donot_use_mm_for_euclid_dist")
        own = distance.gather(1, which[:, None])
        found.append((~(distance > own)).sum(1) - 1)  # what is not a number is not farther
    return torch.cat(found) if found else truth.new_zeros(0)
