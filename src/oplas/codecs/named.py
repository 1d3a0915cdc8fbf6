"""Codecs by name, for the command line and for the cards of saved models."""

from __future__ import annotations

from .._errors import DataError
from .base import Codec
from .encodec import Encodec
from .mel import Mel
from .tiny import tiny

#: Every codec that :func:`codec` knows; square brackets hold what may be left out.
KINDS = {
    "mel": "a mel spectrum and the mixture's own phase: nothing to train, parts add up exactly",
    "tiny": "our own small auto-encoder, shipped with the package",
    "encodec[:NAME]": "EnCodec at 24 kHz, downloaded from the Hugging Face hub (pip install 'oplas[hub]'), or a folder with it",
}


def codec(name: str) -> Codec:
    """The codec of that name, one of :data:`KINDS`.

    >>> codec("mel")
    Mel()

    Raises:
        DataError: there is no such codec.
        OplasError: what the codec itself raises: weights damaged, a package not installed.
    """
    kind, _, rest = name.partition(":")
    if kind == "encodec":
        return Encodec(rest) if rest else Encodec()
    if name == "mel":
        return Mel()
    if name == "tiny":
        return tiny()
    raise DataError(f"there is no codec {name!r}; oplas knows {', '.join(KINDS)}")
