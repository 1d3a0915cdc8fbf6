"""Models to be learned, one a job: learned on songs' mixtures, judged on songs held out, kept in the cache."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from _decompose_data import pieces
from _decompose_recipes import ABLATIONS, OTHERS, RECIPES, Recipe, train
from _decompose_rows import Method, held_out, judge, kept, place
from _pairs import RATE

from oplas._download import cache_folder
from oplas.decompose import Decomposition

LEARNED = 2  # of what learning is; another number forgets what was learned
ALIGNED = 1.0  # dB above the mixture, in one order of parts for all windows


@dataclass(frozen=True)
class Job:
    """One model, by recipe, stems, seed, and how long it learns.

    Attributes:
        elsewhere: judged on other instruments, another soundfont and loops too.
        few: judged on so many windows.
    """

    name: str
    labels: tuple[str, ...]
    seed: int
    steps: int
    size: str = "S"
    data: str = "songs"
    elsewhere: bool = False
    few: int = 10_000

    @property
    def recipe(self) -> Recipe:
        return (RECIPES | ABLATIONS | OTHERS)[self.name]

    @property
    def file(self) -> Path:
        """Where the model is kept."""
        words = (str(LEARNED), self.data, "-".join(self.labels), self.name, self.size, str(self.steps), str(self.seed))
        return cache_folder() / "decompose" / ("_".join(words).replace(" ", "_").replace(",", "") + ".oplas")

    @property
    def taken(self) -> int:
        """Steps that its stages take together."""
        return max(round(self.steps * sum(stage.share for stage in self.recipe.stages)), 1)

    @property
    def key(self) -> str:
        return f"{LEARNED} {self}"

    @property
    def done(self) -> bool:
        return place(self.key).is_file()

    def figures(self) -> dict[str, Any]:
        """Judged once, then from the cache."""
        return kept(self.key, self.run, keep=self.data != "band")

    def run(self) -> dict[str, Any]:
        """Learn, unless a model is there, and judge."""
        torch.set_num_threads(1)
        began = time.process_time()
        spent = None
        if self.file.is_file() and self.data != "band":
            model: Any = Decomposition.load(self.file)
            spent = model.card.get("cpu_seconds")
        else:
            model = train(
                self.recipe, self.labels, pieces(self.data, self.labels, held_out=False), self.seed, self.steps, self.size
            )
            spent = time.process_time() - began
            if isinstance(model, Decomposition):
                model.card["cpu_seconds"] = spent
                if self.data != "band":
                    self.file.parent.mkdir(parents=True, exist_ok=True)
                    model.save(self.file)
        method = Method(self.name, lambda sources: model.split(sources.sum(0), RATE, steps=self.recipe.noise_steps), most=self.few)
        found = judge(method, held_out(self.data, self.labels))
        if self.elsewhere:
            others = ("other instruments", "other soundfont", *(("loops",) if self.labels == ("drums", "bass") else ()))
            found["elsewhere"] = {kind: judge(method, held_out(kind, self.labels)) for kind in others}
        return found | {"train_cpu_s": spent}

    def kept(self) -> Path:
        """The file of what was learned."""
        self.figures()
        return self.file

    def model(self) -> Decomposition:
        """What was learned."""
        return Decomposition.load(self.kept())


def aligned(rows: list[dict[str, Any]], mixture: float) -> float:
    """The share of seeds whose parts are the stems in one order for all windows of all songs: 1 dB above the mixture."""
    return sum(row["si_sdr_one_order"] > mixture + ALIGNED for row in rows) / max(len(rows), 1)
