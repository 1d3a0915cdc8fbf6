"""Every method that tells stems apart without learning, the ceilings, and how all of them are judged and kept."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from _decompose_data import Windows
from _harness import tidy
from _pairs import RATE
from torch import Tensor

from oplas._artefact import write_text
from oplas._download import cache_folder
from oplas.measure.separation import separation
from oplas.separators import FT2D, HPSS, NMF, REPET, REPETSIM, RPCA, Crossover, Ideal, Mixture, Separator

RECIPE = 1  # of what a kept row is; another number forgets them
SLOW = 12  # windows for what takes seconds each


class Again(Separator):
    """Three parts by a separator of two: its second part is split once more."""

    parts = 3

    def __init__(self, first: Separator, second: Separator) -> None:
        self.first, self.second = first, second

    def shortest(self, rate: int) -> int:
        return max(self.first.shortest(rate), self.second.shortest(rate))

    def split(self, mix: Tensor, rate: int) -> Tensor:
        one, rest = self.first(mix, rate)
        return torch.cat([one[None], self.second(rest, rate)])


@dataclass(frozen=True)
class Method:
    """A row: from the true sources ``[k, samples]``, of which only a ceiling may use more than their sum, to estimates."""

    name: str
    split: Callable[[Tensor], Tensor]
    ceiling: bool = False
    most: int = 10_000


def baselines(parts: int) -> list[Method]:
    """All that learn nothing. Those of two parts have their second split at 250 Hz where three are wanted."""
    of_two: list[Separator] = [HPSS(), RPCA(), REPET(), REPETSIM(), FT2D()]
    two = of_two if parts == 2 else [Again(each, Crossover()) for each in of_two]
    every = [Mixture(parts), Crossover() if parts == 2 else Crossover(150, 600), *two, NMF(parts)]
    every += [Again(HPSS(), NMF(2))] if parts == 3 else []
    return [
        Method(named(each), lambda sources, each=each: each(sources.sum(0), RATE), most=SLOW if "RPCA" in repr(each) else 10_000)
        for each in every
    ]


def named(separator: Separator) -> str:
    """What its row is called."""
    if isinstance(separator, Again):
        return f"{named(separator.first)}, then {named(separator.second)}"
    return type(separator).__name__


def ideal() -> Method:
    """The best that a mask of the mixture's spectrogram could do."""
    return Method("ideal mask", lambda sources: Ideal(sources)(sources.sum(0), RATE), ceiling=True)


def judge(method: Method, heard: Windows) -> dict[str, Any]:
    """Medians over windows in dB, in one order of parts a song; and in one order for everything."""
    heard, began = heard.few(method.most), time.process_time()
    estimates = [method.split(sources) for sources in heard.sources]
    seconds = (time.process_time() - began) / len(estimates)
    by_song, by_all = (separation(heard.sources, estimates, heard.songs, within=within) for within in ("song", "all"))  # type: ignore[arg-type]
    return {
        "si_sdr": by_song.sdr, "low": by_song.sdr_interval[0], "high": by_song.sdr_interval[1], "si_sir": by_song.sir,
        "si_sar": by_song.sar, "si_sdr_one_order": by_all.sdr, "si_sir_one_order": by_all.sir, "named": by_all.named,
        "each": list(by_all.each), "windows": by_song.windows, "songs": by_song.songs, "seconds": seconds,
    }  # fmt: skip


def kept(key: str, make: Callable[[], dict[str, Any]], *, keep: bool = True) -> dict[str, Any]:
    """What came of a job, from the cache where it was done before: a full run that was killed goes on."""
    if not keep:
        return tidy(make())
    file = cache_folder() / "decompose" / f"{hashlib.sha256(f'{RECIPE} {key}'.encode()).hexdigest()[:24]}.json"
    if not file.is_file():
        write_text(file, json.dumps(tidy(make()) | {"key": key}))
    return json.loads(file.read_text(encoding="utf-8"))


def median(rows: list[dict[str, Any]], key: str) -> float:
    return statistics.median(row[key] for row in rows)
