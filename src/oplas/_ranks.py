"""Data-parallel learning under ``torchrun``: one process a device, gradients averaged; alone, everything is a no-op."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed as dist
from torch import nn


def join(device: str | torch.device) -> tuple[int, int, torch.device]:
    """This process's rank, how many there are, and its own device; joins the group that ``torchrun`` announced."""
    ranks, own = int(os.environ.get("WORLD_SIZE", "1")), torch.device(device)
    if ranks < 2:
        return 0, 1, own
    if str(own) == "cuda":
        own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo")
    return dist.get_rank(), ranks, own


def share(space: nn.Module) -> None:
    """Every rank takes rank 0's values of all but the frozen encoder: parameters, and what was set without a gradient."""
    if dist.is_initialized():
        for name, tensor in space.state_dict().items():
            if not name.startswith("encoder."):
                dist.broadcast(tensor, 0)


def agree(value: float, device: str | torch.device) -> float:
    """Rank 0's value, so that all ranks stop at the same step."""
    if not dist.is_initialized():
        return value
    told = torch.tensor([value], device=device)
    dist.broadcast(told, 0)
    return float(told)


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
