"""Songs taken apart in bounded memory: each part a file, all of them written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import _artefact
from .._errors import DataError
from ..data.audio import SUFFIXES, survey
from .chunks import GRID, Plan, Splitter, chunked
from .naming import check_names

CARD = "parts.json"
CHUNK, FADE = 24.0, 2.0
FORMATS = {"wav": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_24")}


@dataclass(frozen=True)
class Applied:
    """What became of one song.

    Attributes:
        files: of each part, in ``folder``.
        residual: what the parts' sum lacks of the song, dB, as the numbers were written; -inf: nothing.
        again: it was there already, made of the same sound in the same way.
        took: seconds it took.
    """

    song: str
    folder: str
    files: dict[str, str]
    seconds: float
    rate: int
    channels: int
    residual: float
    digest: str
    made_by: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    took: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        found = _artefact.plain(asdict(self))
        assert isinstance(found, dict)
        return found


@torch.no_grad()
def apply(
    split: Splitter,
    song: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    names: Sequence[str],
    *,
    only: Collection[str] = (),
    exact: bool = True,
    format: str = "wav",
    chunk: float = CHUNK,
    fade: float = FADE,
    made_by: Mapping[str, Any] | None = None,
    tell: Callable[[float], object] = lambda seconds: None,
) -> Applied:
    """Write a song's parts as ``folder/NAME.wav``, at the song's own rate, with its channels.

    The song is read and split chunk by chunk, chunks crossfaded, so that memory does not grow with its length. A learned model
    gives each chunk's parts in the same order; a separator that orders its parts by chance, such as NMF, may exchange them
    from chunk to chunk: give it a ``chunk`` as long as the song. Of several channels see
    :func:`oplas.decompose.chunks.parts_of`.

    Files take their names when the whole song is done, ``parts.json`` last; killed before, the folder holds nothing new. The
    same call finds a song that is done by that card and leaves it.

    Args:
        split: ``(wave [samples], rate) -> [parts, samples]``.
        names: of the parts, in the splitter's order.
        only: write these parts alone; default all.
        exact: the parts add up to the song, bit for bit where that has at most 24 bits, below -100 dB else.
        format: ``wav``, float32, which holds any level; or ``flac``, 24 bit.
        chunk, fade: seconds of a chunk, and of what it shares with the next.
        made_by: what the splitter is, as JSON can hold it; kept in the card.
        tell: called with the seconds of the song that were done.

    Raises:
        DataError: the song cannot be read, is silent or holds NaN; a name will not do or is not among the parts; a part would
            clip in 24 bits; or the folder cannot be written.
        ShapeError: the splitter gives another number of parts or samples.
    """
    import soundfile

    began, song, folder = time.monotonic(), Path(song), Path(folder)
    check_names(names)
    wanted = chosen(names, only)
    if format not in FORMATS:
        raise DataError(f"parts are written as {' or '.join(FORMATS)}, not {format!r}")
    facts = survey(song)
    plan = Plan.of(facts.frames, facts.rate, chunk, fade)
    how = {**(made_by or {}), "names": list(names), "exact": exact, "format": format, "chunk": chunk, "fade": fade}
    before = _before(folder, (facts.digest, facts.channels), how)
    if before is not None and not set(wanted) - set(before.files):
        tell(facts.seconds)
        return replace(before, files={name: before.files[name] for name in wanted})
    lost = heard = 0.0
    with _scratch(folder) as scratch, ExitStack() as stack:
        file = stack.enter_context(soundfile.SoundFile(song))
        kind, subtype = FORMATS[format]

        def sink(name: str) -> Any:
            place = scratch / f"{name}.{format}"
            return stack.enter_context(soundfile.SoundFile(place, "w", facts.rate, facts.channels, subtype, format=kind))

        try:
            sinks = {name: sink(name) for name in wanted}
            for sound, parts in chunked(split, lambda count: _read(file, count, song), plan, facts.rate, exact=exact):
                if len(parts) != len(names):
                    raise DataError(f"the model makes {len(parts)} parts, {len(names)} names were given: {', '.join(names)}")
                rows = [_as_written(part, name, format) for part, name in zip(parts, names, strict=True)]
                for name, row in zip(names, rows, strict=True):
                    if name in sinks:
                        sinks[name].write(row)
                scale = 2**31 if format == "flac" else 1
                total = np.sum(rows, axis=0, dtype=np.float64) / scale
                lost += float(np.square(total.T - sound.double().numpy()).sum())
                heard += float(sound.double().square().sum())
                tell(sound.shape[-1] / facts.rate)
        except soundfile.LibsndfileError as error:
            raise OSError(str(error)) from error
        stack.close()
        written = {name: f"{name}.{format}" for name in wanted}
        residual = 10 * math.log10(lost / heard) if lost else -math.inf
        applied = Applied(str(song), str(folder), written, facts.seconds, facts.rate, facts.channels, residual, facts.digest, how)
        (folder / CARD).unlink(missing_ok=True)  # it told of files that are now replaced
        for each in written.values():
            os.replace(scratch / each, folder / each)
        card = replace(applied, files=(before.files if before else {}) | written)
        _artefact.write_text(folder / CARD, json.dumps(card.to_dict(), indent=1) + "\n")
    return replace(applied, took=time.monotonic() - began)


def chosen(names: Sequence[str], only: Collection[str]) -> list[str]:
    """The parts asked for, by name or by number from 1; all if none is.

    >>> chosen(["drums", "bass"], ["2"])
    ['bass']

    Raises:
        DataError: there is no such part.
    """
    numbered = dict(zip(map(str, range(1, len(names) + 1)), names, strict=True)) | {name: name for name in names}
    if wrong := [each for each in only if each not in numbered]:
        raise DataError(f"there is no part {wrong[0]!r}; the parts are {', '.join(names)}")
    asked = {numbered[each] for each in only} or set(names)
    return [name for name in names if name in asked]


def songs(places: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> Iterator[tuple[Path, Path]]:
    """Audio files with the folder in ``out`` that each one's parts belong in; below a folder, as it lies there.

    What lies below ``out`` is left out, so that parts are not taken for songs.

    Raises:
        DataError: a place does not exist, there is no audio, or two files would share a folder.
    """
    home, found = Path(out).resolve(), dict[Path, Path]()
    for place in map(Path, places):
        if not place.exists():
            raise DataError(f"there is no file or folder {place}; check its name")
        below = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in below:
            inside = path.relative_to(place if place.is_dir() else place.parent)
            if path.is_dir() or (place.is_dir() and path.suffix.lower() not in SUFFIXES):
                continue
            if place.is_dir() and (any(part.startswith(".") for part in inside.parts) or home in path.resolve().parents):
                continue
            target = Path(out) / inside.with_suffix("")
            target = Path(out) / inside if found.get(target, path) != path else target
            if found.setdefault(target, path) != path:
                raise DataError(f"{path} and {found[target]} would both be written to {target}; give them one after the other")
    if not found:
        raise DataError(f"no audio file in {', '.join(map(str, places))}; oplas reads {', '.join(SUFFIXES)}")
    return ((path, target) for target, path in found.items())


def _read(file: Any, count: int, song: Path) -> Tensor:
    import soundfile

    try:
        block = file.read(count, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        block = np.zeros((0, file.channels), np.float32)
    if len(block) < count:
        raise DataError(f"{song} ends before it should: {count - len(block)} samples are missing; copy or download it again")
    return torch.from_numpy(np.ascontiguousarray(block.T))


def _as_written(part: Tensor, name: str, format: str) -> np.ndarray:
    """The numbers that go into the file, ``[n, channels]``: float32, or whole numbers of which the upper 24 bits count."""
    if not bool(part.isfinite().all()):
        raise DataError(f"the part {name!r} holds numbers that are not finite; was the model trained?")
    wave = part.T.numpy()
    if format == "wav":
        return np.ascontiguousarray(wave)
    steps = np.rint(wave.astype(np.float64) * GRID)
    if steps.size and max(-steps.min() / GRID, steps.max() / (GRID - 1)) > 1:
        peak = float(np.abs(wave).max())
        raise DataError(f"the part {name!r} peaks at {peak:.2f} and would clip in 24 bits; write wav, which holds any level")
    return np.ascontiguousarray(steps.astype(np.int32) << 8)


def _before(folder: Path, sound: tuple[str, int], how: dict[str, Any]) -> Applied | None:
    """What the folder's card says, if it tells of this sound and these settings; of its files those that are there."""
    try:
        card = Applied(**json.loads((folder / CARD).read_text()))
        if ((card.digest, card.channels), card.made_by) != (sound, _artefact.plain(how)):
            return None
        files = {name: file for name, file in card.files.items() if (folder / file).is_file()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    residual = -math.inf if card.residual is None else card.residual
    return replace(card, folder=str(folder), files=files, residual=residual, again=True)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder inside that is gone afterwards; what killed runs left goes first."""
    scratch, new = folder / f".parts-{os.getpid()}", not folder.exists()
    try:
        for left in folder.glob(".parts-*"):
            if not _runs(left.name.rpartition("-")[2]):
                shutil.rmtree(left, ignore_errors=True)
        scratch.mkdir(parents=True)
        yield scratch
    except OSError as error:
        told = error.strerror or error
        raise DataError(f"{folder} could not be written ({told}); free disk space, or choose another folder") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _runs(process: str) -> bool:
    """Whether a process of that number runs; where nobody can tell, yes."""
    if os.name != "posix" or not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
