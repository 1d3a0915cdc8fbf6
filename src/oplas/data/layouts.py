"""Folders of multi-track songs as people have them: which files make which part of which song."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .._errors import DataError
from .audio import SUFFIXES

#: Files that hold several stems at once: never parts.
MIXES = {"mixture", "mix", "linear_mixture", "mixdown", "master", "accompaniment", "instrumental", "backing"}

#: Folder names that are kinds of instrument, so that a folder of such folders is one song.
KINDS = {"vocals", "drums", "bass", "guitar", "piano", "percussion", "wind", "winds", "brass", "bowed_strings", "strings", "keys",
         "other", "other_keys", "other_plucked", "synth"}  # fmt: skip

#: Parts of one song, each the sum of its files.
Parts = dict[str, tuple[Path, ...]]

EXPECTED = "expected song/stem.wav (or .flac, .ogg, .mp3), Track00001/stems/S00.wav, or song/drums/*.wav"


def songs(folder: Path) -> dict[str, Parts]:
    """Every song under ``folder`` by its name (the path below it), parts in alphabetical order.

    Four layouts, at any depth (``train/``, ``test/``): ``song/stem.wav``; MUSDB's, where the mixture is not a stem;
    Slakh's ``Track00001/stems/S00.wav``, named by the instrument class in ``metadata.yaml``; MoisesDB's
    ``song/drums/*.wav``. Files of one part are summed.

    Raises:
        DataError: the folder is missing or holds no song.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; {EXPECTED}")
    found = {str(path.relative_to(folder).as_posix()): parts for path, parts in _walk(folder, 0)}
    if not found:
        loose = [path.name for path in _inside(folder) if path.is_file()]
        hint = "MUSDB's .stem.mp4 files must be converted to .wav first" if any(folder.rglob("*.mp4")) else EXPECTED
        seen = f"{len(loose)} files, the first {sorted(loose)[0]}" if loose else "no files"
        raise DataError(f"{folder} holds no song made of stems (directly inside: {seen}); {hint}")
    return dict(sorted(found.items()))


def _walk(folder: Path, depth: int) -> Iterator[tuple[Path, Parts]]:
    inner = [path for path in _inside(folder) if path.is_dir()]
    stems = folder / "stems"
    if stems in inner and _audio(stems):
        yield folder, _slakh(folder, stems)
    elif depth and (parts := _plain(folder)):
        yield folder, parts
    elif depth and inner and _is_kinds(folder, inner):
        yield folder, {path.name.lower(): tuple(files) for path in inner if (files := _audio(path))}
    elif depth < 6:
        for path in inner:
            yield from _walk(path, depth + 1)


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _audio(folder: Path) -> list[Path]:
    """Audio files, one per stem name, lossless before lossy."""
    files = [path for path in _inside(folder) if path.suffix.lower() in SUFFIXES and path.is_file()]
    best: dict[str, Path] = {}
    for path in sorted(files, key=lambda path: SUFFIXES.index(path.suffix.lower())):
        best.setdefault(path.stem.lower(), path)
    return sorted(best.values())


def _plain(folder: Path) -> Parts:
    return {path.stem.lower(): (path,) for path in _audio(folder) if path.stem.lower() not in MIXES}


def _is_kinds(folder: Path, inner: list[Path]) -> bool:
    named = (folder / "data.json").is_file() or {path.name.lower() for path in inner} <= KINDS
    return named and any(_audio(path) for path in inner)


def _slakh(folder: Path, stems: Path) -> Parts:
    classes = _classes(folder / "metadata.yaml")
    parts: Parts = {}
    for path in _audio(stems):
        label = classes.get(path.stem, path.stem).lower()
        parts[label] = (*parts.get(label, ()), path)
    return dict(sorted(parts.items()))


def _classes(metadata: Path) -> dict[str, str]:
    """Instrument class of each stem; two keys of a machine-written file do not need a YAML package."""
    classes, stem = {}, ""
    for line in metadata.read_text(errors="replace").splitlines() if metadata.is_file() else ():
        if match := re.match(r"\s+(S\d+):\s*$", line):
            stem = match[1]
        elif stem and (match := re.match(r"\s+inst_class:\s*['\"]?(.+?)['\"]?\s*$", line)):
            classes[stem] = match[1]
    return classes
