"""Sounds inside a page: base64 players, so that a page sent to somebody still plays."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path

from .._errors import DataError

#: A label, and a file or its bytes.
Sound = tuple[str, str | Path | bytes]

_KINDS = {b"RIFF": "audio/wav", b"OggS": "audio/ogg", b"fLaC": "audio/flac", b"ID3": "audio/mpeg", b"\xff\xfb": "audio/mpeg"}


def players(audio: Iterable[Sound]) -> str:
    """A list of labelled players, or nothing where there is no sound.

    Raises:
        DataError: a sound cannot be read, or no browser plays its kind.
    """
    items = [
        f'<li><span id="sound-{i}">{escape(label)}</span>'
        f'<audio controls preload="metadata" aria-labelledby="sound-{i}" src="{_data(label, sound)}"></audio></li>'
        for i, (label, sound) in enumerate(audio)
    ]
    return f'<ul class="sounds">{"".join(items)}</ul>' if items else ""


def _data(label: str, sound: str | Path | bytes) -> str:
    if isinstance(sound, bytes):
        blob, where = sound, f"the sound {label!r}"
    else:
        where = str(sound)
        try:
            blob = Path(sound).read_bytes()
        except OSError as error:
            raise DataError(f"{where} could not be read ({error.strerror or error}); check the path given for {label!r}") from error
    kind = next((mime for magic, mime in _KINDS.items() if blob.startswith(magic)), None)
    if kind is None:
        raise DataError(f"{where} begins with {blob[:4]!r}, which is no WAV, OGG, FLAC or MP3; convert it to one of them")
    return f"data:{kind};base64,{b64encode(blob).decode('ascii')}"
