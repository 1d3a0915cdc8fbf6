"""Files that expressions name: sound, or MIDI where a space hears notes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from .._errors import DataError
from ..actions.pianoroll import Transpose
from ..data.midi import KINDS, midi_files
from ..data.notes import read_midi
from ..data.rolls import Rolls
from ..embed import Windows, audio_files, embed, embed_all
from ..laws.base import Law
from ..rolled import BEATS, NAME, windows
from ..space import Space


def hears_notes(space: Space) -> bool:
    """Whether the space's laws are of piano rolls, so that MIDI files are what it hears."""
    return any(isinstance(law, Law) and isinstance(law.action, Transpose) for law in space.laws)


def listed(space: Space, folder: Path) -> list[Path]:
    """The files below a folder that the space can hear.

    Raises:
        DataError: there is none.
    """
    return midi_files(folder) if hears_notes(space) else audio_files(folder)


def every(space: Space, files: Iterable[Path]) -> Iterator[Windows]:
    """All windows of each file; one that cannot be used is named in a warning.

    Raises:
        DataError: none of them can be used.
    """
    if hears_notes(space):
        return (_notes(space, path) for path in files)
    return embed_all(space, files)


def latent(space: Space, path: Path, start: float | None) -> Tensor:
    """The mean of a file's windows, or the window that starts at ``start``, ``[d]``: seconds of sound, beats of MIDI.

    Raises:
        DataError: the file cannot be read, or is too short.
    """
    if start is not None and start < 0:
        raise DataError(f"{path} has no window that starts at {start:g}; choose 0 or later")
    hop = start or None
    windows = _notes(space, path, hop) if path.suffix.lower() in KINDS else embed(space, path, hop)
    if start is None:
        return windows.z.mean(0)
    at = (windows.start - start).abs() < 0.01
    if not bool(at.any()):
        raise DataError(f"{path} has no whole window that starts at {start:g}, or it is silent; choose another, an earlier one say")
    return windows.z[at][0]


def _notes(space: Space, path: Path, hop: float | None = None) -> Windows:
    """The windows of a MIDI file in which a note sounds, all tracks but drums together; ``start`` in beats."""
    if not hears_notes(space):
        raise DataError(f"{path} holds notes, and this space hears sound; render it first with 'oplas data render'")
    if space.encoder.name == NAME:
        found = list(windows(read_midi(path), hop or BEATS))
        with torch.no_grad():
            return Windows(path, torch.tensor([start for start, _ in found]), space(torch.stack([x for _, x in found]).flatten(1)))
    rolls, encoder = Rolls([read_midi(path)]), space.encoder
    slots = rolls.grid(encoder.rate, encoder.samples, None if hop is None else round(hop * encoder.rate))
    x = torch.stack([rolls.scene(slot, encoder.rate, encoder.samples).parts.amax(0) for slot in slots])
    with torch.no_grad():
        return Windows(path, torch.tensor([slot.start / encoder.rate for slot in slots]), space(x))


def resolve(name: str, files: list[Path], folder: Path) -> Path:
    """The file a name means: as it stands, below ``folder``, or the only one of ``files`` that is called so, ending or not.

    Raises:
        DataError: there is none, or there are several.
    """
    for path in (Path(name), folder / name):
        if path.is_file():
            return path
    fitting = [path for path in files if name in {path.name, path.stem}]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(path.relative_to(folder).as_posix() for path in fitting[:3])
        raise DataError(f"{name!r} may be {len(fitting)} files in {folder}: {several}, ...; say which, by its path")
    words = [word for path in files for word in (path.name, path.relative_to(folder).as_posix())]
    close = list(dict.fromkeys(difflib.get_close_matches(name, words)))
    hint = f"did you mean {' or '.join(close)}?" if close else f"{len(files)} files are there, the first {files[0].name}"
    raise DataError(f"there is no file {name!r}, neither here nor in {folder}; {hint}")
