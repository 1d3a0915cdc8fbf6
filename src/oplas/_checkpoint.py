"""The state of a learning run: saved on the way, found again after a kill, bit for bit."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from . import _artefact
from ._errors import ArtefactError, DataError

if TYPE_CHECKING:
    from .space import Space

KIND = "state of learning"


@contextmanager
def whole() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, so that no step is taken by half."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
    if heard:
        signal.raise_signal(signal.SIGINT)


class State:
    """Where a run stands: parameters, optimiser moments, the best parameters so far and the losses noted."""

    def __init__(self, space: Space, optimiser: Any, schedule: Any, run: dict[str, Any], folder: Path | None) -> None:
        self.space, self.optimiser, self.schedule, self.run, self.folder = space, optimiser, schedule, run, folder
        self.step, self.stale, self.best_step = 0, 0, 0
        self.steps: list[int] = []
        self.train: list[float] = []
        self.valid: list[float] = []
        self.best: dict[str, Tensor] = {}

    def note(self, train: float, valid: float) -> None:
        """Note the losses; keep the parameters if the held-out one is the least so far.

        Raises:
            DataError: the held-out loss is no number.
        """
        if not math.isfinite(valid):
            raise DataError(f"the loss on the songs held out became {valid} at step {self.step}; look for extreme codes among them")
        better = not self.valid or valid < min(self.valid)
        self.steps.append(self.step)
        self.train.append(train)
        self.valid.append(valid)
        self.stale = 0 if better else self.stale + 1
        if better:
            self.best_step = self.step
            self.best = {key: value.detach().clone() for key, value in self._parameters().items()}

    def restore_best(self) -> None:
        self.space.load_state_dict(self.best, strict=False)

    def log(self) -> dict[str, Any]:
        return {"steps": self.steps, "train": self.train, "valid": self.valid, "best_step": self.best_step}

    def save(self) -> None:
        if self.folder is None:
            return
        tensors = {f"now.{key}": value for key, value in self._parameters().items()}
        tensors |= {f"best.{key}": value for key, value in self.best.items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"moment.{index}.{name}": value for name, value in moments.items()}
        card = {"run": self.run, "step": self.step, "stale": self.stale, **self.log()}
        _artefact.save(self.folder, tensors, card, kind=KIND)

    def resume(self, folder: Path | None) -> None:
        """Take up the state in ``folder``, if there is one.

        Raises:
            ArtefactError: it is damaged, or of a run with other settings.
        """
        if folder is None or not folder.exists():
            return
        tensors, card = _artefact.load(folder, kind=KIND)
        theirs = card["run"]
        other = [f"{key}={theirs.get(key)!r}, now {value!r}" for key, value in self.run.items() if theirs.get(key) != value]
        if other:
            fact = f"{folder} holds a run with other settings ({'; '.join(other)})"
            raise ArtefactError(f"{fact}; give the same ones, or another folder")
        part: dict[str, dict[str, Any]] = {"now": {}, "best": {}, "moment": {}}
        for key, value in tensors.items():
            kind, rest = key.split(".", 1)
            part[kind][rest] = value
        self.space.load_state_dict(part["now"], strict=False)
        state = self.optimiser.state_dict()
        for key, value in part["moment"].items():
            index, name = key.split(".")
            state["state"].setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict(state)
        self.step, self.stale, self.best_step, self.best = card["step"], card["stale"], card["best_step"], part["best"]
        self.steps, self.train, self.valid = card["steps"], card["train"], card["valid"]
        self.schedule.last_epoch = self.step
        for group, base, pace in zip(self.optimiser.param_groups, self.schedule.base_lrs, self.schedule.lr_lambdas, strict=True):
            group["lr"] = base * pace(self.step)

    def _parameters(self) -> dict[str, Tensor]:
        """What is learned, by name; a tensor that two names share under the first of them."""
        named: dict[int, tuple[str, Tensor]] = {}
        for key, value in self.space.state_dict().items():
            if not key.startswith("encoder."):
                named.setdefault(value.data_ptr() or id(value), (key, value))
        return dict(named.values())
