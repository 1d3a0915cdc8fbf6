"""Public sets from their stable homes, each file checked against a checksum that is part of oplas."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import tarfile
import urllib.request
import zlib
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from .._download import fetch, sha256_of
from .._errors import DataError, OplasError
from .files import whole

RAW = "https://raw.githubusercontent.com"
ARCHIVES = "https://codeload.github.com"


@dataclass(frozen=True)
class PublicSet:
    """Files of a public repository at one commit.

    Attributes:
        what: one line about it.
        files: SHA-256 of each file, by its path in the repository.
        root: where this is given, files keep their paths below it and come in one archive, being many; others are kept flat.
    """

    name: str
    what: str
    licence: str
    repository: str
    commit: str
    branch: str
    files: dict[str, str] = field(repr=False)
    root: str = ""

    def homes(self, path: str) -> tuple[str, ...]:
        """Where a file may be had, the best first: at its commit, else on the branch; the checksum decides."""
        return tuple(f"{RAW}/{self.repository}/{revision}/{path}" for revision in (self.commit, self.branch))

    def archives(self) -> tuple[str, ...]:
        """Where the whole repository may be had as one archive, the best first; each file's checksum decides."""
        return tuple(f"{ARCHIVES}/{self.repository}/tar.gz/{revision}" for revision in (self.commit, self.branch))

    def kept(self, path: str) -> str:
        """What a file is called in the folder it is downloaded to."""
        return path.removeprefix(self.root) if self.root else Path(path).name


def sets() -> dict[str, PublicSet]:
    """Every public set oplas knows, by name.

    >>> sorted(sets())
    ['freedoom', 'pop909', 'sonic-pi']
    """
    table = json.loads(Path(__file__).with_name("public.json").read_text(encoding="utf-8"))
    return {name: PublicSet(name, **facts) for name, facts in table.items()}


def get(name: str, folder: str | os.PathLike[str], workers: int = 8) -> Iterator[Path]:
    """Download a public set into a folder; yields each file as it is there and right.

    Files already there with the right checksum are kept, so a killed download goes on where it stopped.

    Raises:
        DataError: there is no such set; the host cannot be reached; or some files could not be had, the others being kept.
    """
    known = sets()
    if name not in known:
        raise DataError(f"there is no public set {name!r}; oplas knows {', '.join(sorted(known))}")
    wanted, target = known[name], Path(folder)
    if wanted.root:
        yield from _unpack(wanted, target)
        return
    first, *rest = wanted.files
    yield _get(wanted, first, target)  # alone, so that a machine without network hears of it at once
    failed: list[OplasError] = []
    with ThreadPoolExecutor(workers) as pool:
        for job in as_completed([pool.submit(_get, wanted, path, target) for path in rest]):
            try:
                yield job.result()
            except OplasError as error:
                failed.append(error)
    _complete(wanted, target, len(failed), str(failed[0]) if failed else "")


def _get(wanted: PublicSet, path: str, folder: Path) -> Path:
    *others, last = wanted.homes(path)
    for url in others:
        try:
            return fetch(url, wanted.files[path], Path(path).name, folder=folder)
        except OplasError:
            continue
    return fetch(last, wanted.files[path], Path(path).name, folder=folder)


def _unpack(wanted: PublicSet, folder: Path) -> Iterator[Path]:
    missing, said = dict(wanted.files), ""
    for path, sha256 in wanted.files.items():
        kept = folder / wanted.kept(path)
        if kept.is_file() and sha256_of(kept) == sha256:
            del missing[path]
            yield kept
    for url in wanted.archives() if missing else ():
        try:
            for path, content in _members(url, missing):
                if hashlib.sha256(content).hexdigest() == missing[path]:
                    del missing[path]
                    with whole(folder / wanted.kept(path)) as fresh:
                        fresh.write_bytes(content)
                    yield folder / wanted.kept(path)
                else:
                    said = f"{path} in {url} is not the file oplas knows"
                if not missing:
                    return
        except (OSError, http.client.HTTPException, tarfile.TarError, EOFError, zlib.error) as error:
            said = f"{url} could not be read ({error})"
    _complete(wanted, folder, len(missing), said or "the archive does not hold them")


def _members(url: str, paths: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Files of a repository's archive as it streams in, by their paths in the repository."""
    request = urllib.request.Request(url, headers={"User-Agent": "oplas"})
    with urllib.request.urlopen(request, timeout=60) as answer, tarfile.open(fileobj=answer, mode="r|gz") as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            if member.isfile() and path in paths:
                held = archive.extractfile(member)
                assert held is not None
                yield path, held.read()


def _complete(wanted: PublicSet, folder: Path, missing: int, said: str) -> None:
    if missing:
        count = f"{missing} of {len(wanted.files)} files of {wanted.name} could not be had"
        raise DataError(f"{count}, the others are in {folder}; run it again; the first said: {said}")
