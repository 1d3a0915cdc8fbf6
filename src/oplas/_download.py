"""Files from their public homes, kept in the user's cache folder only when their checksum is right."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from ._errors import ArtefactError, DataError


def cache_folder() -> Path:
    """Where downloads are kept: ``$OPLAS_CACHE``, else ``oplas`` in ``$XDG_CACHE_HOME``, else in ``~/.cache``."""
    given = os.environ.get("OPLAS_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oplas"


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, sha256: str, name: str, *, folder: str | os.PathLike[str] | None = None, timeout: float = 60.0) -> Path:
    """The file behind ``url``, downloaded once and verified; later calls verify the copy at hand and need no network.

    Args:
        name: what to call the file in ``folder`` (default :func:`cache_folder`).
        timeout: seconds without an answer before giving up.

    Raises:
        DataError: the host cannot be reached, or the folder cannot be written.
        ArtefactError: what came has another checksum; it is not kept.
    """
    target = Path(folder or cache_folder()) / name
    if target.is_file() and sha256_of(target) == sha256:
        return target
    advice = f"download {url} by hand and pass its path, or set OPLAS_CACHE to a writable folder that holds it as {name}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{name}.")
    except OSError as error:
        raise DataError(f"{target.parent} cannot be written ({error}), so {name} cannot be kept; {advice}") from error
    try:
        with os.fdopen(handle, "wb") as out:
            seen = _copy(url, out, timeout)
        if seen != sha256:
            size = Path(scratch).stat().st_size
            raise ArtefactError(
                f"{url} gave {size} bytes with SHA-256 {seen}, expected {sha256}: cut off, or changed at its home; "
                f"try again, or {advice}"
            )
        os.replace(scratch, target)
    except OSError as error:
        raise DataError(f"{name} could not be downloaded from {url} ({error}); {advice}") from error
    finally:
        Path(scratch).unlink(missing_ok=True)
    return target


def _copy(url: str, out, timeout: float) -> str:  # type: ignore[no-untyped-def]
    import http.client
    import urllib.request

    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "oplas"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            while block := answer.read(1 << 20):
                digest.update(block)
                out.write(block)
    except http.client.HTTPException as error:
        raise OSError(f"the answer broke off: {error!r}") from error
    return digest.hexdigest()
