"""Writers that are killed: started as a program of its own, because LanceDB has to be loaded and unused where it is forked.

``faults.py kills FOLDER TIMES`` · ``faults.py two FOLDER``: one JSON object on stdout.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import IO

import lancedb  # noqa: F401  loaded before any fork, first used after
import numpy as np
import pyarrow.compute  # noqa: F401

from oplas.store import Identity, Index, _near, where

WIDTH, ROWS = 8, 40


def vectors(names: list[str]) -> np.ndarray:
    """The vector that belongs to each name."""
    seeds = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") for name in names]
    return np.stack([np.random.default_rng(seed).standard_normal(WIDTH) for seed in seeds]).astype(np.float32)


def forked(work: Callable[[IO[str]], None]) -> tuple[int, IO[str]]:
    """A child that works and tells, line by line, what it has done."""
    hears, tells = os.pipe()
    if (child := os.fork()) == 0:
        os.close(hears)
        with os.fdopen(tells, "w", buffering=1) as out:
            try:
                work(out)
            except BaseException:
                out.write(json.dumps({"fault": traceback.format_exc()}) + "\n")
        os._exit(0)
    os.close(tells)
    return child, os.fdopen(hears, "r")


def check(index: Index, kept: set[str], gone: set[str]) -> None:
    """Everything acknowledged is there, once; everything deleted is not; every row is whole; the nearest are found."""
    rows = index.table(["id", "vector"])
    ids = rows["id"].to_pylist()
    assert len(set(ids)) == len(ids), "a row is there twice"
    assert not kept - set(ids), f"lost: {sorted(kept - set(ids))[:3]}"
    assert not gone & set(ids), f"undead: {sorted(gone & set(ids))[:3]}"
    if ids:
        z = rows["vector"].combine_chunks().flatten().to_numpy().reshape(-1, WIDTH)
        assert np.array_equal(z, vectors(ids)), "a row holds another vector"
        assert index.nearest(vectors(ids[-1:]), 1)[0][0].id == ids[-1], "a row is not found"


def kills(folder: str, times: int) -> dict[str, object]:
    """Kill one writer after another in the middle of what it does."""
    chance = random.Random(0)
    kept: set[str] = set()
    gone: set[str] = set()
    acknowledged = 0

    def write(out: IO[str], run: int) -> None:
        _near.EXACT = 400 if run % 2 else 10**6  # every other writer also builds lists
        index = Index.open(folder, Identity("faults", WIDTH))
        check(index, kept, gone)
        out.write('{"checked": true}\n')
        for step in range(10**6):
            names = [f"{run}-{step}-{row}" for row in range(ROWS)]
            index.add(vectors(names), file="a.wav", id=names, space=index.identity)
            out.write(json.dumps({"added": names}) + "\n")
            if step % 3 == 1:
                out.write(json.dumps({"deleting": names[:5]}) + "\n")
                index.delete(where(id=names[:5]))
                out.write(json.dumps({"deleted": names[:5]}) + "\n")
            if step % 4 == 2:
                index.compact(timedelta(days=7))

    def first(out: IO[str]) -> None:
        Index.create(folder, Identity("faults", WIDTH))

    os.waitpid(forked(first)[0], 0)
    for run in range(times):
        child, told = forked(lambda out, run=run: write(out, run))
        end, checked, patience = None, False, time.monotonic() + 60
        lines = 0
        stop_after, then = chance.randrange(1, 9), chance.random() * 0.03
        buffer = b""
        while time.monotonic() < patience:
            if end is not None and time.monotonic() >= end:
                break
            ready, _, _ = select.select([told], [], [], 0.001 if end else 1.0)
            if ready:
                piece = os.read(told.fileno(), 1 << 16)
                if not piece:
                    break
                buffer += piece
                lines = buffer.count(b"\n")
                if end is None and lines >= stop_after:
                    end = time.monotonic() + then
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while piece := os.read(told.fileno(), 1 << 16):  # what was told before the end is acknowledged
            buffer += piece
        for line in buffer.decode().splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            said = json.loads(line)
            assert "fault" not in said, said["fault"]
            checked |= "checked" in said
            kept |= set(said.get("added", ()))
            kept -= set(said.get("deleting", ()))
            gone |= set(said.get("deleted", ()))
            acknowledged += "added" in said
        assert checked, f"writer {run} said nothing for a minute"
    last, told = forked(lambda out: check(Index.open(folder), kept, gone))
    faults = told.read()
    os.waitpid(last, 0)
    assert not faults, faults
    return {"kills": times, "adds": acknowledged, "rows": len(kept)}


def two(folder: str) -> dict[str, object]:
    """Two writers at once, half of whose rows are the same."""

    def first(out: IO[str]) -> None:
        Index.create(folder, Identity("faults", WIDTH))

    def write(out: IO[str], who: int) -> None:
        index = Index.open(folder)
        for step in range(12):
            names = [f"{name}-{step}-{row}" for name in ("both", who) for row in range(5)]
            added = index.add(vectors(names), file="a.wav", id=names, space=index.identity)
            index.update(where(id=names[-1]), {"song": f"song {who}"})
            index.delete(where(id=names[-2]))
            out.write(json.dumps({"count": added.count, "kept": [*names[:-2], names[-1]], "gone": names[-2:-1]}) + "\n")

    def look(out: IO[str]) -> None:
        index = Index.open(folder)
        check(index, kept, gone)
        out.write(json.dumps({"rows": len(index), "songs": index.count("song IS NOT NULL")}) + "\n")

    os.waitpid(forked(first)[0], 0)
    writers = [forked(lambda out, who=who: write(out, who)) for who in range(2)]
    said = [json.loads(line) for _, told in writers for line in told.read().splitlines()]
    for child, _ in writers:
        os.waitpid(child, 0)
    assert not any("fault" in each for each in said), [each["fault"] for each in said if "fault" in each]
    kept = {name for each in said for name in each["kept"]}
    gone = {name for each in said for name in each["gone"]}
    child, told = forked(look)
    seen = json.loads(told.read())
    os.waitpid(child, 0)
    assert "fault" not in seen, seen["fault"]
    return {"added": sum(each["count"] for each in said), "offered": 2 * 12 * 10, "kept": len(kept), **seen}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of forking
    answer = kills(sys.argv[2], int(sys.argv[3])) if sys.argv[1] == "kills" else two(sys.argv[2])
    print(json.dumps(answer))
