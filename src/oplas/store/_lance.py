"""LanceDB, opened with care: its errors said as oplas says them, its filters checked before they reach a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from .._errors import ArtefactError, DataError, MissingDependency, OplasError
from ._rows import schema
from .identity import Identity

_NAME, _KEY, _FORMAT = "latents", b"oplas", 1


def create(where: str, identity: Identity) -> Any:
    """A new, empty table; one commit, so it is there whole or not at all.

    Raises:
        ArtefactError: something is there already, or the place cannot be written.
    """
    card = {"format": _FORMAT, "identity": identity.to_dict()}
    taken = Path(where)
    if taken.exists() and (not taken.is_dir() or any(taken.iterdir())) if local(where) else exists(where):
        raise ArtefactError(f"{where} exists already; open it, or choose another name for the new index")
    with told(where):
        return _connect(where).create_table(_NAME, schema=schema(identity.width, {_KEY.decode(): json.dumps(card, sort_keys=True)}))


def open(where: str) -> tuple[Any, Identity]:
    """The table and the identity of the space whose latents it holds.

    Raises:
        ArtefactError: there is no index, it is damaged, or of another version.
    """
    if not exists(where):
        raise ArtefactError(f"there is no index at {where}; create one, or check the name")
    with told(where):
        opened = _connect(where).open_table(_NAME)
        card = json.loads((opened.schema.metadata or {}).get(_KEY, b"{}"))
    if card.get("format") != _FORMAT:
        raise ArtefactError(f"{where} is no index that this version of oplas made; create a new one from its export")
    return opened, Identity.from_dict(card["identity"])


def exists(where: str) -> bool:
    """Whether there is a table of latents."""
    if local(where):
        return (Path(where) / f"{_NAME}.lance").is_dir()
    with told(where):
        try:
            _connect(where).open_table(_NAME)
        except ValueError as error:
            if "not found" in str(error):
                return False
            raise
    return True


@contextmanager
def told(where: str, filtered: str | None = None) -> Iterator[None]:
    """LanceDB's faults, with the place they happened at and what may help; faults of a filter as such."""
    try:
        yield
    except OplasError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        fact = str(error).split(", /root", 1)[0].split("\n", 1)[0][:400]
        if filtered is not None and isinstance(error, ValueError):
            advice = "write it like song = 'My Song' AND start < 60 AND array_has(tags, 'drums')"
            raise DataError(f"the filter {filtered!r} cannot be used ({fact}); {advice}") from error
        raise ArtefactError(f"{where}: {fact}; check the place, or go back to a copy or an earlier version") from error


def local(where: str) -> bool:
    """Whether an address is a folder of this machine."""
    return "://" not in where


def _connect(where: str) -> Any:
    try:
        import lancedb
    except ImportError as error:
        raise MissingDependency("the index needs LanceDB, which is not installed: pip install 'oplas[store]'") from error
    return lancedb.connect(where, read_consistency_interval=timedelta(0))
