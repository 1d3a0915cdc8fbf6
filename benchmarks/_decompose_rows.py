"""Every method that tells stems apart without learning, the ceilings, and how all of them are judged and kept."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from _decompose_data import GROUPS, Windows, loops, pieces, windows
from _harness import tidy
from _pairs import RATE
from torch import Tensor

from oplas._artefact import write_text
from oplas._download import cache_folder
from oplas.codecs import codec
from oplas.measure.separation import separation
from oplas.separators import FT2D, HPSS, NMF, REPET, REPETSIM, RPCA, Crossover, Ideal, Mixture, Separator

RECIPE = 1  # of what a kept row is; another number forgets them
SLOW = 12  # windows for what takes seconds each
MOST = {"band": 4, "songs": 24, "other instruments": 8, "other soundfont": 8, "loops": 16}


def most(kind: str, labels: tuple[str, ...]) -> int:
    """Windows to be judged on; over all there are more than 200."""
    return 42 if (kind, labels) == ("songs", GROUPS[0]) else MOST[kind]


@lru_cache(maxsize=8)
def held_out(kind: str, labels: tuple[str, ...]) -> Windows:
    """Windows to be judged on, of songs nothing was learned from."""
    songs = loops() if kind == "loops" else pieces(kind, labels, held_out=True)
    return windows(songs, most(kind, labels), "+".join(labels))


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

    @property
    def slow(self) -> bool:
        return self.most == SLOW  # and so judged on the songs alone


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


def ceilings() -> list[Method]:
    """The best that a mask of the mixture's spectrogram could do, and the codec's: as a mask, and without the mixture."""
    mel = codec("mel")

    def mask(sources: Tensor) -> Tensor:
        return mel.decode(mel.encode(sources), sources.sum(0))

    def alone(sources: Tensor) -> Tensor:
        return mel.decode(mel.encode(sources), samples=sources.shape[-1])

    ideal = Method("ideal mask", lambda sources: Ideal(sources)(sources.sum(0), RATE), ceiling=True)
    return [ideal, Method("mel: ideal mask", mask, True), Method("mel: stems encoded, decoded", alone, True, SLOW)]


def judge(method: Method, heard: Windows) -> dict[str, Any]:
    """Medians over windows in dB, in one order of parts a song; and in one order for everything."""
    heard, began = heard.few(method.most), time.process_time()
    estimates = [method.split(sources) for sources in heard.sources]
    seconds = (time.process_time() - began) / len(estimates)
    by_all = separation(heard.sources, estimates, heard.songs, within="all")
    by_song = by_all if by_all.named == 1 else separation(heard.sources, estimates, heard.songs)
    return {
        "si_sdr": by_song.sdr, "low": by_song.sdr_interval[0], "high": by_song.sdr_interval[1], "si_sir": by_song.sir,
        "si_sar": by_song.sar, "si_sdr_one_order": by_all.sdr, "si_sir_one_order": by_all.sir, "named": by_all.named,
        "each": list(by_all.each), "windows": by_song.windows, "songs": by_song.songs, "seconds": seconds,
    }  # fmt: skip


def kept(key: str, make: Callable[[], dict[str, Any]], *, keep: bool = True) -> dict[str, Any]:
    """What came of a job, from the cache where it was done before: a full run that was killed goes on."""
    if not keep:
        return tidy(make())
    file = place(key)
    if not file.is_file():
        write_text(file, json.dumps(tidy(make()) | {"key": key}))
    return json.loads(file.read_text(encoding="utf-8"))


def place(key: str) -> Path:
    """Where a job's figures are kept."""
    return cache_folder() / "decompose" / f"{hashlib.sha256(f'{RECIPE} {key}'.encode()).hexdigest()[:24]}.json"


def median(rows: list[dict[str, Any]], key: str) -> float:
    """Of the rows that have it; NaN where there is none."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return statistics.median(values) if values else float("nan")
