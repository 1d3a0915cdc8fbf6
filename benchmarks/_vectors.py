"""Vectors of the same things by several models, for the benchmark of index migration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from _harness import SHARED
from _prose import PACKAGES, lsa, minilm, pages, paragraphs, wordllama
from torch import Generator, Tensor

from oplas._download import cache_folder
from oplas.data.stems import Stems
from oplas.encoders import Cached, Encoder, jamendo, log_mel, mini


@dataclass(frozen=True)
class Pair:
    """Vectors of the same things by two models.

    Attributes:
        page: ``[n]``, the docstring or the song each is from: what a search is to find, whatever the model.
        reencode: what one new vector costs, CPU seconds.
    """

    name: str
    kind: str
    old: Tensor
    new: Tensor
    page: Tensor
    reencode: float

    def cut(self, anchors: int, queries: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of anchors, of queries and of the index; no page of the anchors is in the other two.

        Queries and index are the same whatever the number of anchors, of which there are ``most`` at most.
        """
        names = self.page.unique()
        order = names[torch.randperm(len(names), generator=Generator().manual_seed(0))]
        rank = torch.empty(int(names.max()) + 1, dtype=torch.long).index_put((order,), torch.arange(len(order)))
        rows = rank[self.page].argsort(stable=True)
        last = rank[self.page[rows[most]]]
        known, rest = rows[:most], rows[most:]
        rest = rest[rank[self.page[rest]] > last]
        rest = rest[torch.randperm(len(rest), generator=Generator().manual_seed(1))]
        known = known[torch.randperm(most, generator=Generator().manual_seed(2))]
        return known[:anchors], rest[:queries], rest[queries:]


def text(count: int, *, layers: bool = True) -> list[Pair]:
    """Paragraphs: MiniLM as it grew, static vectors, word counts; empty where the model's package is not installed."""
    packages = PACKAGES if layers else ("sklearn",)
    texts = paragraphs(count, packages)
    page = pages(texts, packages)
    try:
        known, seconds = minilm(texts)
    except ImportError:
        return []
    static, counts = wordllama(texts), lsa(texts)
    found = [Pair("MiniLM, 5 of 6 layers → MiniLM", "text", known[5], known[6], page, seconds)]
    found += [Pair("MiniLM, 3 of 6 layers → MiniLM", "text", known[3], known[6], page, seconds)] if layers else []
    if static is not None:
        found += [Pair("WordLlama → MiniLM", "text", static, known[6], page, seconds)]
        found += [Pair("MiniLM → WordLlama", "text", known[6], static, page, 0.0)]
    return [*found, Pair("LSA → MiniLM", "text", counts, known[6], page, seconds)]


def audio(songs: Stems, count: int) -> list[Pair]:
    """Windows of mixes and single stems, 3 s each: three encoders of sound."""
    import time

    encoders: dict[str, Encoder] = {"log_mel": log_mel(), "mini": mini()}
    weights = SHARED / "encoders" / "jamendo_musicnn.pth"
    if weights.is_file():
        encoders["Musicnn"] = jamendo("musicnn", weights)
    generator, windows, song = Generator().manual_seed(0), [], []
    while len(windows) < count:
        scene = songs.draw(16000, 48000, 2, generator)
        parts = scene.parts
        song.append(scene.song)
        some = torch.rand(len(parts), generator=generator) < 0.6
        windows.append(parts[some].sum(0) if some.any() else parts.sum(0))
    sound, codes, seconds = torch.stack(windows), {}, {}
    for name, encoder in encoders.items():
        began = time.process_time()
        encoder.encode(sound[:32])
        seconds[name] = (time.process_time() - began) / 32
        codes[name] = Cached(encoder, cache_folder() / "benchmarks" / "clips").encode(sound)
    wanted = [("log_mel", "mini"), ("mini", "Musicnn"), ("Musicnn", "mini"), ("log_mel", "Musicnn")]
    return [
        Pair(f"{a} → {b}", "audio", codes[a], codes[b], torch.tensor(song), seconds[b])
        for a, b in wanted
        if a in codes and b in codes
    ]
