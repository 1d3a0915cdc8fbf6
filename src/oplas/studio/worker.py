"""Uploads are decoded by a process of their own, bounded in memory, time and output, and killed whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import numpy as np

from .._errors import DataError

SECONDS, PATIENCE, AT_ONCE = 600.0, 30.0, 2
_gate = threading.BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """More is asked at once than the studio does; ask again."""


def decode(file: IO[bytes], name: str, rate: int, *, longest: float = SECONDS, patience: float = PATIENCE) -> np.ndarray:
    """An uploaded sound as mono float32 ``[samples]`` at ``rate`` Hz.

    Args:
        file: with a descriptor of its own.
        name: as messages call it.
        longest: seconds of sound at most.
        patience: seconds of waiting at most.

    Raises:
        DataError: it cannot be read, is too long, silent or damaged, or takes too much to decode.
        Busy: two are being decoded, and a third waits no longer.
    """
    if not _gate.acquire(timeout=patience):
        raise Busy
    try:
        command = [sys.executable, "-I", str(Path(__file__).with_name("_decode.py")), str(rate), str(longest)]
        quiet = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        if "LD_LIBRARY_PATH" in os.environ:
            quiet["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        with subprocess.Popen(
            command, stdin=file.fileno(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=quiet, cwd="/", start_new_session=True
        ) as child:
            late = threading.Event()

            def kill() -> None:
                late.set()
                _kill(child)

            timer = threading.Timer(patience, kill)
            timer.start()
            try:
                assert child.stdout is not None
                assert child.stderr is not None
                bound = int((longest + 1) * rate) * 4
                blob = child.stdout.read(bound + 1)
                if len(blob) > bound:
                    _kill(child)
                said = child.stderr.read(2000).decode("utf-8", "replace").strip().splitlines()
                code = child.wait()
            finally:
                timer.cancel()
                _kill(child)
    finally:
        _gate.release()
    if code == 0 and len(blob) % 4 == 0 and blob:
        return np.frombuffer(blob, "<f4").copy()
    fact = said[-1] if said and code == 1 and "Error" not in said[-1] else "it takes too long or too much memory to decode"
    if late.is_set():
        fact = f"it took longer than {patience:.0f} s to decode"
    raise DataError(f"{name} is not taken: {fact}")


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
