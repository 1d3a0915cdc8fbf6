"""Data-parallel learning under ``torchrun``: one process a device, gradients averaged; alone, everything is a no-op."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch import distributed as dist


def join() -> tuple[int, int]:
    """This process's rank and how many there are; joins the group that ``torchrun`` announced."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return (dist.get_rank(), ranks) if ranks > 1 else (0, 1)


def share(tensors: list[Tensor]) -> None:
    """Every rank takes rank 0's values."""
    if dist.is_initialized():
        for tensor in tensors:
            dist.broadcast(tensor.data, 0)


def average(parameters: list[torch.nn.Parameter]) -> None:
    """Every rank takes the mean of the gradients."""
    if dist.is_initialized():
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= dist.get_world_size()


@contextmanager
def reproducible() -> Iterator[None]:
    """Leave the caller's random state as it was."""
    with torch.random.fork_rng(devices=[]):
        yield
