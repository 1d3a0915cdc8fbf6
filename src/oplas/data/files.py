"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._errors import DataError


@contextmanager
def whole(path: Path, advice: str = "free disk space or choose a folder you may write to") -> Iterator[Path]:
    """A fresh file beside ``path`` that takes its place when the block ends well, and vanishes when it does not.

    Two processes may write the same path: each has its own fresh file, and the last to end wins.

    Raises:
        DataError: the folder cannot be written to, or the disk is full.
    """
    fresh = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-", suffix=path.suffix)
        os.close(handle)
        fresh = Path(name)
        yield fresh
        fresh.chmod(0o644)
        os.replace(fresh, path)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror or error}); {advice}") from error
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
