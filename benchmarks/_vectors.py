"""Vectors of the same things by several models, for the benchmark of index migration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from _harness import SHARED
from _prose import lsa, minilm, paragraphs, wordllama
from torch import Generator, Tensor

from oplas._download import cache_folder
from oplas.data.stems import Stems
from oplas.encoders import Cached, Encoder, jamendo, log_mel, mini


@dataclass(frozen=True)
class Pair:
    """Old and new vectors of an index, of anchors and of queries; ``reencode`` is what one new vector costs (CPU s)."""

    name: str
    kind: str
    old: Tensor
    new: Tensor
    reencode: float

    def cut(self, anchors: int, queries: int) -> tuple[slice, slice, slice]:
        """Rows of anchors, of queries, and of the index, which share nothing."""
        return slice(0, anchors), slice(anchors, anchors + queries), slice(anchors + queries, None)


def text(count: int, *, layers: bool = True) -> list[Pair]:
    """Paragraphs: MiniLM as it grew, static vectors, word counts; empty where the model's package is not installed."""
    texts = paragraphs(count) if layers else paragraphs(count, ("sklearn",))
    try:
        known, seconds = minilm(texts)
    except ImportError:
        return []
    static, counts = wordllama(texts), lsa(texts)
    found = [Pair("MiniLM, 5 of 6 layers → MiniLM", "text", known[5], known[6], seconds)]
    found += [Pair("MiniLM, 3 of 6 layers → MiniLM", "text", known[3], known[6], seconds)] if layers else []
    if static is not None:
        found += [Pair("WordLlama → MiniLM", "text", static, known[6], seconds)]
        found += [Pair("MiniLM → WordLlama", "text", known[6], static, 0.0)]
    return [*found, Pair("LSA → MiniLM", "text", counts, known[6], seconds)]


def audio(songs: Stems, count: int) -> list[Pair]:
    """Windows of mixes and single stems, 3 s each: three encoders of sound."""
    import time

    encoders: dict[str, Encoder] = {"log_mel": log_mel(), "mini": mini()}
    weights = SHARED / "encoders" / "jamendo_musicnn.pth"
    if weights.is_file():
        encoders["Musicnn"] = jamendo("musicnn", weights)
    generator, windows = Generator().manual_seed(0), []
    while len(windows) < count:
        parts = songs.draw(16000, 48000, 2, generator).parts
        some = torch.rand(len(parts), generator=generator) < 0.6
        windows.append(parts[some].sum(0) if some.any() else parts.sum(0))
    sound, codes, seconds = torch.stack(windows), {}, {}
    for name, encoder in encoders.items():
        began = time.process_time()
        encoder.encode(sound[:32])
        seconds[name] = (time.process_time() - began) / 32
        codes[name] = Cached(encoder, cache_folder() / "benchmarks" / "clips").encode(sound)
    wanted = [("log_mel", "mini"), ("mini", "Musicnn"), ("Musicnn", "mini"), ("log_mel", "Musicnn")]
    return [Pair(f"{a} → {b}", "audio", codes[a], codes[b], seconds[b]) for a, b in wanted if a in codes and b in codes]
