"""One loop for everything that is learned here: resumable, and the same to the last bit whether it was killed or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from .. import _artefact, _checkpoint, _watch
from .._errors import DataError
from ..functional.schedule import pace

#: Seconds between two savings of the state.
OFTEN = 50
Loss = Callable[[Generator], Tensor]


def descend(
    module: nn.Module,
    loss: Loss,
    held: Callable[[], float],
    *,
    steps: int,
    rate: float,
    seed: int,
    run: dict[str, Any],
    folder: Path | None,
    title: str,
    progress: bool,
) -> dict[str, Any]:
    """AdamW with a warm-up and a cosine; chance at a step depends on seed and step alone. Returns the losses by step.

    The state is saved every 50 s and on Ctrl-C, and found again in ``folder``.

    Raises:
        DataError: the loss is no longer finite.
        ArtefactError: ``folder`` holds a damaged state, or that of a run with other settings.
    """
    moving = [each for each in module.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(moving, lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: pace(step, steps))
    state = _checkpoint.State(module, optimiser, schedule, run, folder)  # type: ignore[arg-type]
    state.resume(folder)
    check, saved, mean = max(steps // 10, 1), time.monotonic(), float("nan")
    module.train()
    try:
        with _watch.training(title, steps, state.step, progress) as advance:
            while state.step < steps:
                torch.manual_seed(seed + 7919 * state.step)
                value = loss(Generator().manual_seed(seed * 1_000_033 + state.step))
                if not torch.isfinite(value):
                    raise DataError(f"the loss became {value.item()} at step {state.step}; lower an objective's weight, or use "
                                    "another seed")  # fmt: skip
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                torch.nn.utils.clip_grad_norm_(moving, 1.0)
                with _checkpoint.whole():
                    optimiser.step()
                    schedule.step()
                    state.step += 1
                    if state.step % check == 0 or state.step == steps:
                        module.eval()
                        state.note(value.item(), held())
                        module.train()
                    if time.monotonic() - saved > OFTEN or state.step == steps:
                        state.save()
                        saved = time.monotonic()
                mean = value.item()
                advance(mean)
    except KeyboardInterrupt:
        state.save()
        raise
    finally:
        module.eval()
    return {"steps": state.steps, "train": state.train, "held": state.valid}


def planned(folder: Path | None, minutes: float, step: Callable[[], object]) -> int:
    """Steps that fit into so many minutes; those of the run in ``folder``, if there is one."""
    if folder is not None and folder.exists():
        run = _artefact.load(folder, kind=_checkpoint.KIND)[1].get("run", {})
        if isinstance(run.get("steps"), int):
            return int(run["steps"])
    step()
    began = time.monotonic()
    for _ in range(3):
        step()
    return max(int(minutes * 60 * 3 / (time.monotonic() - began)), 10)
