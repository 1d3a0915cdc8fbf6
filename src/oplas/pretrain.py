"""Self-supervised learning: one loop that trains a network on fresh views, by laws and terms that need no labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, nn

from . import _checkpoint, _watch
from ._errors import DataError
from ._told import Told
from .data.views import Views
from .functional.schedule import pace
from .laws.base import Law
from .laws.views import Batch, Term

Stream = Callable[[int, Generator], Views]
"""Fresh views of so many things; the generator alone decides which."""


@dataclass(frozen=True)
class Pretraining(Told):
    """What happened: the loss by step on views held out, and at the end each term's share of it, before its weight."""

    steps: tuple[int, ...]
    loss: tuple[float, ...]
    terms: dict[str, float]
    seconds: float

    def __str__(self) -> str:
        last = " · ".join(f"{name} {value:.4f}" for name, value in self.terms.items())
        return f"{self.steps[-1]} steps in {self.seconds:.0f} s: loss {self.loss[-1]:.4f} ({last})"


def pretrain(
    network: nn.Module,
    terms: Sequence[Law | Term],
    stream: Stream,
    *,
    steps: int = 1500,
    batch: int = 128,
    rate: float = 4e-3,
    seed: int = 0,
    folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Pretraining:
    r"""Minimise :math:`\sum w\,\overline{r^2}` over the network and whatever the laws and terms learn, on views never seen twice.

    Adam; warm-up over a twentieth of the steps, then a cosine to zero. What is drawn at a step depends on ``seed`` and step alone.

    Args:
        network: things to latents, ``[n, ...] -> [n, d]``; trained in place, left in evaluation mode.
        terms: laws whose evidence is found among the views, and terms that look at the views themselves.
        stream: fresh views; a dataset's ``views`` method is one.
        batch: things a step, each seen as often as the stream shows it.
        folder: where the state is saved ten times on the way and on Ctrl-C; found there, training goes on where it stopped, to
            the same end as if it had not.

    Raises:
        DataError: no term is given, or the loss is no longer finite.
        ArtefactError: ``folder`` holds a damaged state, or that of another run.
    """
    if not terms:
        raise DataError("nothing to learn: give laws or terms, such as Equivariance(Transpose(), Translation(16))")
    began = time.monotonic()
    trained = nn.ModuleDict({"network": network, "terms": nn.ModuleList(terms)}).to(device).train()
    moving = [p for p in trained.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(moving, lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: pace(step, steps))
    run = {"network": repr(network), "terms": [f"{term.weight:g} × {term!r}" for term in terms], "steps": steps, "batch": batch,
           "rate": rate, "seed": seed, "stream": repr(getattr(stream, "__self__", stream))}  # fmt: skip
    state = _checkpoint.State(trained, optimiser, schedule, run, Path(folder) if folder else None)  # type: ignore[arg-type]
    state.resume(Path(folder) if folder else None)
    held = stream(batch, Generator().manual_seed(seed - 1)).to(device)
    check = max(steps // 10, 1)
    if not state.steps:
        _prepare(network, held)
        state.note(*2 * [_weighed(terms, _values(trained, terms, held))])
    try:
        with _watch.training("pretraining", steps, state.step, progress) as advance:
            while state.step < steps:
                torch.manual_seed(seed + 7919 * state.step)
                views = stream(batch, Generator().manual_seed(seed * 1_000_033 + state.step)).to(device)
                seen = Batch.through(network, views)
                loss = torch.stack([term.weight * seen.loss(term) for term in terms]).sum()
                if not torch.isfinite(loss):
                    raise DataError(f"the loss became {loss.item()} at step {state.step}; lower rate={rate}, or a term's weight")
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(moving, 1.0)
                with _checkpoint.whole():
                    optimiser.step()
                    schedule.step()
                    state.step += 1
                    if state.step % check == 0 or state.step == steps:
                        state.note(*2 * [_weighed(terms, _values(trained, terms, held))])
                        state.save()
                advance(loss.item())
    except KeyboardInterrupt:
        state.save()
        raise
    finally:
        trained.eval()
    named = {repr(term): value for term, value in zip(terms, _values(trained, terms, held), strict=True)}
    trained.eval()
    return Pretraining(tuple(state.steps), tuple(state.valid), named, time.monotonic() - began)


@torch.no_grad()
def _values(trained: nn.ModuleDict, terms: Sequence[Law | Term], held: Views) -> list[float]:
    """Each term on the views held out, with the same chance each time."""
    trained.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen = Batch.through(trained["network"], held)
        values = [float(seen.loss(term)) for term in terms]
    trained.train()
    return values


def _weighed(terms: Sequence[Law | Term], values: Sequence[float]) -> float:
    return sum(term.weight * value for term, value in zip(terms, values, strict=True))


@torch.no_grad()
def _prepare(network: nn.Module, views: Views) -> None:
    """Let a network that can take the scale of its first views: latents then start with mean 0 and deviation 1."""
    if callable(prepare := getattr(network, "prepare", None)):
        prepare(views.flat)
