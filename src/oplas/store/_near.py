r"""What lies nearest, by the Euclidean distance :math:`\|q-z\|`: exactly, or through lists of neighbours whose recall is known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ._rows import COLUMNS, matrix

EXACT = 50_000
"""Rows up to which every distance is computed."""

TARGET = 0.99
"""Share of the true ten nearest that a search through lists has to find."""

_BLOCK = 1 << 14


@dataclass(frozen=True)
class Block:
    """Some rows about their mean, which keeps the expanded square exact, and their squared lengths."""

    centre: np.ndarray
    z: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, z: np.ndarray) -> Block:
        centre = z.mean(0, dtype=np.float64).astype(np.float32)
        return cls(centre, z - centre, ((z - centre) ** 2).sum(1))


def cut(matrices: Iterable[np.ndarray]) -> Iterator[Block]:
    """Matrices of any length as blocks of some thousand rows."""
    for whole in matrices:
        for at in range(0, len(whole), _BLOCK):
            yield Block.of(whole[at : at + _BLOCK])


def nearest(queries: np.ndarray, k: int, blocks: Iterable[Block]) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers and distances of the k nearest, ``[m, k]`` each, nearest first; equal distances in the order of rows.

    The expanded square :math:`|z|^2-2qz` chooses some more than k in float32, and their differences, in float64, decide.
    """
    rows, far, seen = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0)), 0
    for block in blocks:
        asked = queries - block.centre
        score = block.square - 2 * asked @ block.z.T
        some = min(len(block.z), 2 * k + 8)
        chosen = np.argpartition(score, some - 1, axis=1)[:, :some]
        exact = np.linalg.norm(block.z[chosen] - asked[:, None].astype(np.float64), axis=2)
        rows, far = np.hstack([rows, chosen + seen]), np.hstack([far, exact])
        order = np.lexsort((rows, far), axis=1)[:, :k]
        rows, far = np.take_along_axis(rows, order, 1), np.take_along_axis(far, order, 1)
        seen += len(block.z)
    return rows, far


class Search:
    """The rows of a table nearest to queries; small tables are kept in memory until they change."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._facts: tuple[int, int, Lists | None] | None = None
        self._held: tuple[int, Any, list[Block]] | None = None

    def __call__(self, queries: np.ndarray, k: int, where: str | None = None) -> tuple[Any, list[int], list[float]]:
        """Rows, the number of the query of each, and its distance."""
        count, found = self._known()
        count = count if where is None else self._table.count_rows(where)
        if count > EXACT and found is not None:
            rows = through(self._table, queries, k, found.probes, list(COLUMNS), where)
            if len(rows) < len(queries) * min(k, count):  # the lists that were opened held fewer
                rows = through(self._table, queries, k, found.trained, list(COLUMNS), where)
            return rows, rows["query_index"].to_pylist(), np.sqrt(rows["_distance"].to_numpy()).tolist()
        if count > EXACT and where is None:
            at, far = nearest(queries, k, cut(matrices(self._table)))
            which, at = np.unique(at, return_inverse=True)
            rows = self._table.take_offsets(which.tolist()).to_arrow()
        else:
            rows, blocks = self._all() if where is None else in_blocks(self._table, where)
            at, far = nearest(queries, k, blocks)
        return rows.take(at.ravel()), np.repeat(np.arange(len(queries)), at.shape[1]).tolist(), far.ravel().tolist()

    def _known(self) -> tuple[int, Lists | None]:
        """How many rows there are, and in what lists, asked once for each version."""
        version, facts = self._table.version, self._facts
        if facts is None or facts[0] != version:
            self._facts = facts = (version, self._table.count_rows(), lists(self._table))
        return facts[1:]

    def some(self, count: int = 512, seed: int = 0) -> np.ndarray:
        """Vectors of rows drawn at random, or all of fewer."""
        n, generator = self._table.count_rows(), np.random.default_rng(seed)
        if n <= EXACT:
            held = [block.z + block.centre for block in self._all()[1]]
            return np.concatenate(held)[generator.permutation(n)[:count]] if held else np.empty((0, 1), np.float32)
        drawn = np.sort(generator.choice(n, count, replace=False)).tolist()
        return matrix(self._table.take_offsets(drawn).select(["vector"]).to_arrow())

    def _all(self) -> tuple[Any, list[Block]]:
        version, held = self._table.version, self._held
        if held is None or held[0] != version:
            self._held = held = (version, *in_blocks(self._table))
        return held[1], held[2]


def in_blocks(table: Any, where: str | None = None) -> tuple[Any, list[Block]]:
    """Rows without their vectors, and the vectors in blocks."""
    rows = read(table, [*COLUMNS, "vector"], where)
    return rows.drop_columns("vector").combine_chunks(), list(cut([matrix(rows)]))


def read(table: Any, columns: list[str], where: str | None = None, limit: int | None = None) -> Any:
    """Rows in the order of the table."""
    search = table.search().select(columns).limit(ALL if limit is None else limit)
    return (search if where is None else search.where(where)).to_arrow()


def matrices(table: Any) -> Iterator[np.ndarray]:
    """The vectors of a table, in order."""
    for batch in table.search().select(["vector"]).limit(ALL).to_batches(_BLOCK):
        if len(batch):
            yield matrix(batch)


ALL = 2**32 - 1


@dataclass(frozen=True)
class Lists:
    """How the rows are searched through IVF lists: how many are opened, and the share of true neighbours then found.

    Every vector lies in the list of its nearest centre; a query opens the ``probes`` lists whose centres are nearest to it
    (Jégou, Douze & Schmid 2011, https://doi.org/10.1109/TPAMI.2010.57, without the compression).
    """

    probes: int
    recall: float
    trained: int


def lists(table: Any) -> Lists | None:
    """What is known of the table's lists; None where it has none."""
    facts = table.schema.field("vector").metadata or {}
    if b"oplas:lists" not in facts or not any("vector" in index.columns for index in table.list_indices()):
        return None
    return Lists(**json.loads(facts[b"oplas:lists"]))


def build(table: Any, seed: int = 0) -> Lists:
    """Put the rows into √n lists, then open as many of them as the recall of 0.99 asks for on 64 sample queries.

    Queries lie a quarter of the way from one row to another, since queries by algebra lie beside rows.
    """
    from lancedb.index import IvfFlat

    n = table.count_rows()
    count = round(math.sqrt(n))
    table.create_index("vector", config=IvfFlat(distance_type="l2", num_partitions=count, max_iterations=15, sample_rate=64))
    generator = np.random.default_rng(seed)
    drawn = matrix(table.take_offsets(np.sort(generator.choice(n, 128, replace=False)).tolist()).select(["vector"]).to_arrow())
    drawn = generator.permutation(drawn)
    queries = 0.75 * drawn[:64] + 0.25 * drawn[64:]
    true = nearest(queries, 10, cut(matrices(table)))[1][:, -1]
    probes, recall = max(1, count // 100), 0.0
    while True:
        found = through(table, queries, 10, probes, ["id"])
        within = true[found["query_index"].to_numpy()] * (1 + 1e-5)
        recall = float((np.sqrt(found["_distance"].to_numpy()) <= within).sum() / (10 * len(queries)))
        if recall >= TARGET or probes >= count:
            break
        probes = min(count, math.ceil(1.4 * probes))
    made = Lists(probes, recall, n)
    table.update_field_metadata({"path": "vector", "metadata": {"oplas:lists": json.dumps(asdict(made))}})
    return made


def through(table: Any, queries: np.ndarray, k: int, probes: int, columns: list[str], filtered: str | None = None) -> Any:
    """Rows nearest to each query through the lists, k of each, with ``_distance`` squared and ``query_index``."""
    search = table.search(queries).select([*columns, "_distance"]).limit(k).nprobes(probes)
    if filtered is not None:
        search = search.where(filtered, prefilter=True)
    found = search.to_arrow()
    if "query_index" not in found.column_names:  # a single query is not numbered
        found = found.append_column("query_index", [np.zeros(len(found), np.int32)])
    return found.sort_by([("query_index", "ascending"), ("_distance", "ascending")])
