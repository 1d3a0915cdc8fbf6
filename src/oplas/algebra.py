"""Search by algebra: ``mix.wav - drums.wav + bass.wav``, and what lies nearest."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ._errors import DataError
from .embed import Windows, audio_files, embed, embed_all
from .space import Space

_TOKEN = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")


@dataclass(frozen=True)
class Term:
    """One file of an expression, added (sign 1) or taken away (sign -1)."""

    sign: int
    name: str


@dataclass(frozen=True)
class Found:
    """An answer: a file, or the window of it that starts at ``start`` seconds; ``distance`` is Euclidean, in the space."""

    file: Path
    start: float | None
    distance: float


def parse(expression: str) -> tuple[Term, ...]:
    """Names joined by `` + `` and `` - ``; names with spaces go in quotes.

    >>> [(term.sign, term.name) for term in parse("mix.wav - 'my drums.wav' + a-b.wav")]
    [(1, 'mix.wav'), (-1, 'my drums.wav'), (1, 'a-b.wav')]

    Raises:
        DataError: a name or a sign is missing.
    """
    terms: list[Term] = []
    sign: int | None = 1
    signed = False
    for match in _TOKEN.finditer(expression.strip()):
        quoted = match[1] if match[1] is not None else match[2]
        if quoted is None and match[3] in {"+", "-"}:
            if sign is not None and (terms or match[3] == "+" or signed):
                raise DataError(
                    f"{expression!r}: no name before the {match[3]!r} at {match.start(3) + 1}; write: mix.wav - drums.wav"
                )
            sign, signed = 1 if match[3] == "+" else -1, True
            continue
        name = match[3] if quoted is None else quoted
        if sign is None:
            raise DataError(
                f"{expression!r}: a + or - is missing between {terms[-1].name!r} and {name!r}; leave a space on both sides of it, "
                "and put names with spaces in quotes"
            )
        if not name:
            raise DataError(f"{expression!r} names a file by an empty name; write: mix.wav - drums.wav")
        terms.append(Term(sign, name))
        sign = None
    if sign is not None:
        raise DataError(f"{expression!r} ends before a name; write: mix.wav - drums.wav")
    return tuple(terms)


def resolve(name: str, folder: Path) -> Path:
    """The file a name means: as it stands, below ``folder``, or the only file there that is called so, ending or not.

    Raises:
        DataError: there is none, or there are several.
    """
    for path in (Path(name), folder / name):
        if path.is_file():
            return path
    files = audio_files(folder)
    fitting = [path for path in files if name in {path.name, path.stem}]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(path.relative_to(folder).as_posix() for path in fitting[:3])
        raise DataError(f"{name!r} may be {len(fitting)} files in {folder}: {several}, ...; say which, by its path")
    words = [word for path in files for word in (path.name, path.relative_to(folder).as_posix())]
    close = list(dict.fromkeys(difflib.get_close_matches(name, words)))
    hint = f"did you mean {' or '.join(close)}?" if close else f"{len(files)} audio files are there, the first {files[0].name}"
    raise DataError(f"there is no file {name!r}, neither here nor in {folder}; {hint}")


def search(space: Space, expression: str, folder: str | os.PathLike[str], k: int = 5, *, at: float | None = None) -> list[Found]:
    r"""The files nearest to :math:`\sum_i\pm z_i`, :math:`z_i` the mean of a file's windows; those in the expression are left out.

    With ``at``, the windows that start there (s) are added and taken away, and every window in the folder may answer.
    Levels count: a stem is taken away as loud as its file is.

    Raises:
        DataError: the expression cannot be read, names no file, or ``folder`` holds no other usable audio.
    """
    if k < 1:
        raise DataError(f"{k} answers were asked for; ask for at least 1")
    terms = [(term.sign, resolve(term.name, Path(folder))) for term in parse(expression)]
    query = torch.stack([sign * _place(space, path, at) for sign, path in terms]).sum(0)
    named = {path.resolve() for _, path in terms}
    others = [path for path in audio_files(folder) if path.resolve() not in named]
    if not others:
        raise DataError(f"{folder} holds no audio file besides those in the expression, so nothing can be found; add some")
    found = [each for windows in embed_all(space, others) for each in _distances(windows, query, whole=at is None)]
    return sorted(found, key=lambda each: each.distance)[:k]


def _place(space: Space, path: Path, at: float | None) -> Tensor:
    if at is None:
        return embed(space, path).z.mean(0)
    hop = max(at, 0.0) or None
    windows = embed(space, path, hop)
    if at < 0 or len(windows.start) <= int(at > 0):
        raise DataError(f"{path} has no whole window that starts at {at:g} s; choose an earlier one")
    return windows.z[int(at > 0)]


def _distances(windows: Windows, query: Tensor, *, whole: bool) -> list[Found]:
    if whole:
        return [Found(windows.file, None, float((windows.z.mean(0) - query).norm()))]
    far = (windows.z - query).norm(dim=1).tolist()
    return [Found(windows.file, start, distance) for start, distance in zip(windows.start.tolist(), far, strict=True)]
