"""Progress on the terminal while evidence is encoded and files are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor

from .encoders.base import Encoder
from .space import Space


class Watched(Encoder):
    """The same encoder, which tells how many windows it has been given."""

    def __init__(self, encoder: Encoder, tell: Callable[[int], object]) -> None:
        super().__init__()
        self.encoder, self.tell = encoder, tell
        self.name, self.rate, self.samples, self.dim = encoder.name, encoder.rate, encoder.samples, encoder.dim

    @property
    def identity(self) -> str:
        return self.encoder.identity

    @property
    def hop(self) -> int:
        return self.encoder.hop

    def forward(self, x: Tensor) -> Tensor:
        code: Tensor = self.encoder(x)
        return code

    def silence(self) -> Tensor:
        return self.encoder.silence()

    def encode(self, x: Tensor, batch: int = 64) -> Tensor:
        y = self.encoder.encode(x, batch)
        self.tell(len(x))
        return y


@contextmanager
def bar(title: str, total: float | None = None, *, unit: str = "") -> Iterator[Callable[[float], None]]:
    """A bar on stderr; call what it yields with how much was done. Gone when the work is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    figures = "{task.completed:.0f}/{task.total:.0f}" if total else "{task.completed:.0f}"
    columns = (title, BarColumn(), TextColumn(f"{figures} {unit}"), TimeRemainingColumn() if total else TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=total)
        yield lambda done: shown.update(task, advance=done)


@contextmanager
def training(title: str, steps: int, done: int, wanted: bool) -> Iterator[Callable[[float], None]]:
    """A bar of a training's steps, if it is wanted; call what it yields with each step's loss."""
    if not wanted:
        yield lambda loss: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    told = TextColumn("{task.completed}/{task.total} steps · loss {task.fields[loss]:.3f}")
    console = Console(stderr=True)
    columns = (title, BarColumn(), told, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=steps, completed=done, loss=math.nan)
        yield lambda loss: shown.update(task, advance=1, loss=loss)


@contextmanager
def first_evidence(gathers: int) -> Iterator[Callable[[int], None]]:
    """A bar while learning gathers its first evidence, for :class:`Watched`; gone before learning draws its own.

    Each gathering ends with the code of silence, one window on its own, and so does the making of a space.
    """
    with ExitStack() as stack:
        advance, left = stack.enter_context(bar("encoding the first mixes", gathers + 1, unit="parts")), gathers + 1

        def tell(windows: int) -> None:
            nonlocal left
            if windows == 1 and left:
                advance(1)
                left -= 1
                if not left:
                    stack.close()

        yield tell


@contextmanager
def counting(space: Space, title: str) -> Iterator[None]:
    """A bar that counts the windows a space's encoder is given meanwhile."""
    frozen = space.encoder
    with bar(title, unit="windows") as advance:
        space.encoder = Watched(frozen, advance)
        try:
            yield
        finally:
            space.encoder = frozen
