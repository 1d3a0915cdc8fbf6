"""Public sets from their stable homes, each file checked against a checksum that is part of oplas."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from .._download import fetch
from .._errors import DataError, OplasError

RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class PublicSet:
    """Files of a public repository at one commit.

    Attributes:
        what: one line about it.
        files: SHA-256 of each file, by its path in the repository.
    """

    name: str
    what: str
    licence: str
    repository: str
    commit: str
    branch: str
    files: dict[str, str] = field(repr=False)

    def homes(self, path: str) -> tuple[str, ...]:
        """Where a file may be had, the best first: at its commit, else on the branch; the checksum decides."""
        return tuple(f"{RAW}/{self.repository}/{revision}/{path}" for revision in (self.commit, self.branch))


def sets() -> dict[str, PublicSet]:
    """Every public set oplas knows, by name.

    >>> sorted(sets())
    ['freedoom', 'pop909', 'sonic-pi']
    """
    table = json.loads(Path(__file__).with_name("public.json").read_text(encoding="utf-8"))
    return {name: PublicSet(name, **facts) for name, facts in table.items()}


def get(name: str, folder: str | os.PathLike[str], workers: int = 8) -> Iterator[Path]:
    """Download a public set into a folder, flat; yields each file as it is there and right.

    Files already there with the right checksum are kept, so a killed download goes on where it stopped.

    Raises:
        DataError: there is no such set; the host cannot be reached; or some files could not be had, the others being kept.
    """
    known = sets()
    if name not in known:
        raise DataError(f"there is no public set {name!r}; oplas knows {', '.join(sorted(known))}")
    wanted, target = known[name], Path(folder)
    first, *rest = wanted.files
    yield _get(wanted, first, target)  # alone, so that a machine without network hears of it at once
    failed: list[OplasError] = []
    with ThreadPoolExecutor(workers) as pool:
        for job in as_completed([pool.submit(_get, wanted, path, target) for path in rest]):
            try:
                yield job.result()
            except OplasError as error:
                failed.append(error)
    if failed:
        count = f"{len(failed)} of {len(wanted.files)} files of {name} could not be had"
        raise DataError(f"{count}, the others are in {folder}; run it again; the first said: {failed[0]}")


def _get(wanted: PublicSet, path: str, folder: Path) -> Path:
    *others, last = wanted.homes(path)
    for url in others:
        try:
            return fetch(url, wanted.files[path], Path(path).name, folder=folder)
        except OplasError:
            continue
    return fetch(last, wanted.files[path], Path(path).name, folder=folder)
