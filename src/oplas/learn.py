"""Learning: one loop that minimises the laws' mean squared residuals on songs, and stops on songs it does not train on."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor

from . import _checkpoint, _ranks, _watch
from ._errors import DataError
from ._types import Trials
from .evidence import Evidence, Stream, gather, refuse_constant
from .functional.schedule import pace
from .settle import orient, settle

if TYPE_CHECKING:
    from .data.base import Dataset
    from .space import Space


@dataclass(frozen=True)
class History:
    """What happened during learning: losses by step, on the training songs and on the songs held out to stop on."""

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    best_step: int = 0
    stopped: str = "finished"
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        if not self.steps:
            return "nothing was learned: no step was taken"
        at = self.steps.index(self.best_step)
        best = f"best at {self.best_step}: held-out loss {self.valid[at]:.4f}"
        return f"{self.stopped} after {self.steps[-1]} steps in {self.seconds:.0f} s; {best}"


def learn(
    space: Space,
    data: Dataset | Trials,
    valid: Dataset | Trials | None = None,
    *,
    seed: int = 0,
    steps: int = 3000,
    batch: int = 256,
    rate: float = 1e-3,
    evidence: int = 16384,
    checks: int = 30,
    patience: int = 8,
    folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> History:
    r"""Minimise :math:`\sum_{\text{laws}} w\,\overline{r^2}` over projector, inverse and operators; the encoder stays frozen.

    Evidence is a window of ``evidence`` trials over an endless stream of fresh mixes: an eighth is renewed every
    ``steps / 16`` steps. Optimiser AdamW, warm-up over a twentieth of the steps, then a cosine to zero. The state with
    the least loss on the held-out songs is kept. Before the first step and at seven tenths of them the projector's head is
    solved in closed form where the law allows it (:func:`oplas.settle.settle`).

    Args:
        data: songs to learn from, or evidence already gathered.
        valid: songs to stop on; by default a tenth of ``data``'s songs, at least one, is set aside.
        folder: where the state is saved ten times on the way and on Ctrl-C; found there, learning goes on
            where it stopped, to the same result as if it had not.
        checks: how often the held-out loss is read; ``patience`` checks without a better one end learning.

    Raises:
        DataError: too few songs to set any aside, constant codes, or a loss that is no longer finite.
        ArtefactError: ``folder`` holds a damaged state, or the state of another run.
    """
    began = time.monotonic()
    if valid is None:
        if isinstance(data, Trials):
            raise DataError("gathered evidence was given to learn from, but none to stop on; pass valid=, from other songs")
        data, valid = data.split(0.9, 0.1, seed=seed)
    rank, ranks, device = _ranks.join(device)
    stream = Stream(space, data, seed=seed + 1_000_003 * rank, size=evidence, every=max(steps // 16, 1))
    held = gather(space, valid, count=min(1024, evidence), seed=seed + 1)
    space.to(device).train()
    held = held.to(device)
    _prepare(space, stream.at(0).to(device))
    moving = [p for p in space.parameters() if p.requires_grad]
    _ranks.share(space)
    optimiser = torch.optim.AdamW(moving, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: pace(step, steps))
    run = {"seed": seed, "steps": steps, "batch": batch, "rate": rate, "evidence": evidence,
           "laws": [repr(law) for law in space.laws],
           "projector": repr(space.projector), "inverse": repr(space.inverse), "checks": checks, "patience": patience,
           "encoder": space.encoder.identity, "ranks": ranks, "data": data.fingerprint, "valid": valid.fingerprint}  # fmt: skip
    state = _checkpoint.State(space, optimiser, schedule, run, Path(folder) if folder and rank == 0 else None)
    state.resume(Path(folder) if folder else None)
    settling = int(0.7 * steps)
    if not state.steps:
        first = stream.at(0).draw(batch, Generator().manual_seed(seed)).to(device)
        with _ranks.reproducible():
            state.note(float(total(space, first).detach()), _ranks.agree(_held_out(space, held), device))
    check, keep = max(steps // checks, 1), max(steps // 10, 1)
    try:
        with _watch.training("learning", steps, state.step, progress and rank == 0) as advance, _ranks.reproducible():
            while state.step < steps and (state.stale < patience or state.step <= settling):
                step = state.step
                torch.manual_seed(seed + 7919 * step + 104729 * rank)
                if step == settling:
                    state.stale = 0
                    settle(space, stream.at(step).to(device))
                    _ranks.share(space)
                trials = stream.at(step).draw(batch, Generator().manual_seed(seed + step + 1_000_003 * rank))
                loss = total(space, trials.to(device))
                if not torch.isfinite(loss):
                    raise DataError(f"the loss became {loss.item()} at step {step}; lower rate={rate} or look for extreme codes")
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                _ranks.average(moving)
                torch.nn.utils.clip_grad_norm_(moving, 1.0)
                with _checkpoint.whole():
                    optimiser.step()
                    schedule.step()
                    state.step += 1
                    if state.step % check == 0 or state.step == steps:
                        state.note(loss.item(), _ranks.agree(_held_out(space, held), device))
                if state.step % keep == 0:
                    state.save()
                advance(loss.item())
    except KeyboardInterrupt:
        state.save()
        raise
    finally:
        state.restore_best()
        space.eval()
    orient(space, stream.at(max(state.step - 1, 0)).to(device), held)
    _ranks.share(space)
    state.save()
    stopped = "finished" if state.step >= steps else "stopped early: the held-out loss no longer fell"
    history = History(stopped=stopped, seconds=time.monotonic() - began, **state.log())
    space.card |= {"learned": {**run, "history": history.to_dict()}}
    return history


def total(space: Space, evidence: Evidence, *, judging: bool = False) -> Tensor:
    """The loss: for each law its weight times the mean square of its residual; ``judging`` leaves out laws of the batch."""
    loss = space.origin.new_zeros(())
    for laws, trials in evidence.shares:
        seen = space.see(trials)
        for law in laws:
            if judging and law.of_batch:
                continue
            loss = loss + law.weight * law.residual(seen).square().mean()
    return loss


@torch.no_grad()
def _held_out(space: Space, evidence: Evidence) -> float:
    space.eval()
    value = float(total(space, evidence, judging=True))
    space.train()
    return value


def _prepare(space: Space, evidence: Evidence) -> None:
    """Let projector and inverse take the codes' scale; refuse codes that do not vary."""
    codes = evidence.codes
    refuse_constant(codes, space)
    space.frame.copy_(torch.eye(space.width))
    space.projector.prepare(codes)
    settle(space, evidence, options=True)
    if space.inverse is not None:
        with torch.no_grad():
            space.inverse.prepare(space.project(codes), codes)
