"""Codes kept on disk, so that a frozen encoder reads every window once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .base import Encoder

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TABLE = "CREATE TABLE IF NOT EXISTS codes (key BLOB PRIMARY KEY, code BLOB NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID"


class Cached(Encoder):
    """The same encoder, its codes kept in ``folder/codes.sqlite`` under a hash of its identity and of the window.

    Several processes may share a folder, and one may be killed at any time: a batch is written whole or not at all, and
    every code carries a checksum. A damaged code is made anew; a damaged file is moved aside with a warning and begun
    afresh. Where nothing can be kept (folder not writable, disk full) one warning says so and work goes on uncached.
    Keep the folder on a local disk: the file's locks are not safe on network shares.

    >>> import tempfile
    >>> from oplas.encoders import power_mel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Cached(power_mel(), folder).encode(torch.zeros(1, power_mel().samples)).shape
    torch.Size([1, 288])
    """

    def __init__(self, encoder: Encoder, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self.encoder = encoder
        self.name, self.rate, self.samples, self.dim = encoder.name, encoder.rate, encoder.samples, encoder.dim
        self.path = Path(folder) / "codes.sqlite"
        self.usable = True
        self._identity = encoder.identity

    @property
    def identity(self) -> str:
        """That of the encoder inside, as it was when it was wrapped: keeping codes does not change them."""
        return self._identity

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def silence(self) -> Tensor:
        return self.encoder.silence()

    @torch.no_grad()
    def encode(self, x: Tensor, batch: int = 64) -> Tensor:
        """As :meth:`Encoder.encode`; only windows never seen before, by any process, reach the encoder."""
        if x.ndim != 2 or x.shape[1] != self.samples or not len(x):
            return self.encoder.encode(x, batch)
        return torch.cat([self._part(part) for part in x.split(min(batch, 1024))])

    def _part(self, x: Tensor) -> Tensor:
        if not self.usable:
            return self.encoder.encode(x, len(x))
        keys = list(self._keys(x))
        known = self._read(keys)
        fresh = {key: row for row, key in enumerate(keys) if key not in known}
        if fresh:
            codes = self.encoder.encode(x[list(fresh.values())], len(x)).float()
            made = dict(zip(fresh, codes.cpu().numpy(), strict=True))
            self._write(made)
            known |= made
        return torch.from_numpy(np.stack([known[key] for key in keys])).to(x.device)

    def _keys(self, x: Tensor) -> Iterator[bytes]:
        for row in x.detach().cpu().contiguous().numpy():
            digest = hashlib.blake2b(f"{self._identity} {row.dtype}".encode(), digest_size=20)
            digest.update(row)
            yield digest.digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        marks = ",".join("?" * len(keys))
        rows = self._run(f"SELECT key, code, crc FROM codes WHERE key IN ({marks})", [keys])
        return {
            key: np.frombuffer(code, np.float32)
            for key, code, crc in rows
            if isinstance(code, bytes) and len(code) == 4 * self.dim and zlib.crc32(key + code) == crc
        }

    def _write(self, codes: dict[bytes, np.ndarray]) -> None:
        blobs = [(key, code.astype(np.float32).tobytes()) for key, code in codes.items()]
        self._run("INSERT OR REPLACE INTO codes VALUES (?, ?, ?)", [(key, blob, zlib.crc32(key + blob)) for key, blob in blobs])

    def _run(self, statement: str, arguments: Sequence[Sequence[object]]) -> list[tuple]:
        """One transaction, tried again while another process holds the file, or after a damaged one was moved aside."""
        damages = 0
        for _ in range(12 if self.usable else 0):
            try:
                return self._transaction(statement, arguments)
            except (sqlite3.Error, OSError) as caught:
                error = caught
            kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if kind == sqlite3.SQLITE_BUSY:
                time.sleep(0.05)
            elif kind not in _DAMAGED or damages == 2:
                break
            else:
                # Look twice before moving it: another process may just have begun it afresh.
                damages += 1
                if damages == 2 and not self._set_aside(error):
                    break
        if self.usable:
            self.usable = False
            warnings.warn(
                f"codes of {self.name} are not kept: {self.path} cannot be used ({error}); work goes on without a cache; "
                "free some space or give another folder",
                stacklevel=2,
            )
        return []

    def _transaction(self, statement: str, arguments: Sequence[Sequence[object]]) -> list[tuple]:
        # Connections are not kept: they survive neither a fork nor a file moved aside.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=5)) as base, base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=OFF")  # a power cut may damage the file, and then it is begun afresh
            base.execute(_TABLE)
            if statement.startswith("SELECT"):
                return base.execute(statement, arguments[0]).fetchall()
            base.executemany(statement, arguments)
        return []

    def _set_aside(self, error: Exception) -> bool:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        try:
            for extra in ("-wal", "-shm"):  # first, lest they be replayed into the new file
                self.path.with_name(self.path.name + extra).unlink(missing_ok=True)
            os.replace(self.path, aside)
        except OSError:
            return False
        warnings.warn(f"the cache {self.path} is damaged ({error}); moved to {aside.name}, and begun afresh", stacklevel=2)
        return True
