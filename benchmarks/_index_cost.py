"""What building and asking the index costs beside faiss and numpy, on the same vectors in the same run.

Seconds are of the processor, over all threads, so that what else the machine does meanwhile is left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WIDTH, CENTRES, K = 128, 2000, 10


def drawn(n: int, queries: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows about centres, as latents of songs lie, and queries beside rows."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((CENTRES, WIDTH), np.float32)
    z = centres[generator.integers(CENTRES, size=n)] + 0.6 * generator.standard_normal((n, WIDTH), np.float32)
    return z, z[generator.integers(n, size=queries)] + 0.3 * generator.standard_normal((queries, WIDTH), np.float32)


def cost(n: int, queries: int = 100, seed: int = 0) -> dict[str, Any]:
    """One row: seconds to build, milliseconds a query, recall of the ten nearest; the index beside faiss and numpy."""
    import faiss

    from oplas.store import Identity, Index, _near

    z, asked = drawn(n, queries, seed)
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatL2(WIDTH)
    flat.add(z)
    exact, true = timed(lambda: flat.search(asked, K)[1])
    plain, _ = timed(lambda: [numpy_nearest(z, each) for each in asked])
    with tempfile.TemporaryDirectory() as folder:
        ids = [f"{row:032x}" for row in range(n)]
        index = Index.create(f"{folder}/an.index", Identity("benchmark", WIDTH))
        columns = {"file": [None] * n, "id": ids}
        written, _ = timed(lambda: index.insert(z, columns, index.identity))
        tended, _ = timed(index.tend)
        index.nearest(asked[:1], K)
        took, hits = timed(lambda: [index.nearest(each, K)[0] for each in asked])
        batch, _ = timed(lambda: index.nearest(asked, K))
        found = np.array([[int(hit.id, 16) for hit in each] for each in hits])
        row: dict[str, Any] = {
            "rows": n,
            "way": "exact" if n <= _near.EXACT else "IVF_FLAT",
            "write_s": written,
            "build_s": tended,
            "ms_per_query": 1000 * took / queries,
            "ms_in_a_batch": 1000 * batch / queries,
            "recall10": recall(found, true),
            "recall_stated": index.recall,
            "numpy_ms": 1000 * plain / queries,
            "faiss_flat_ms": 1000 * exact / queries,
        }
        lists = _near.lists(index._table)
    if lists is not None:
        import faiss

        centres = round(n**0.5)
        ivf = faiss.IndexIVFFlat(faiss.IndexFlatL2(WIDTH), WIDTH, centres)
        row["faiss_build_s"], _ = timed(lambda: (ivf.train(z), ivf.add(z)))
        ivf.nprobe = lists.probes
        asking, near = timed(lambda: np.concatenate([ivf.search(each[None], K)[1] for each in asked]))
        row |= {"faiss_ms": 1000 * asking / queries, "faiss_recall10": recall(near, true), "lists": centres, "probes": lists.probes}
        row["build_over_faiss"] = tended / row["faiss_build_s"]
        row["query_over_faiss"] = row["ms_per_query"] / row["faiss_ms"]
    row["query_over_numpy"] = row["ms_per_query"] / row["numpy_ms"]
    return row


def numpy_nearest(z: np.ndarray, query: np.ndarray) -> np.ndarray:
    """The ten nearest as one would write it."""
    far = ((z - query) ** 2).sum(1)
    some = np.argpartition(far, K)[:K]
    return some[far[some].argsort()]


def recall(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), true.tolist(), strict=True)]))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    answer = work()
    return time.process_time() - start, answer


if __name__ == "__main__":
    for size in map(int, map(float, sys.argv[1:] or ["1e4", "1e5"])):
        print(json.dumps(cost(size, 20 if size > 1e5 else 100)), flush=True)
