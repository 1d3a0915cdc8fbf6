"""Codecs by name, for the command line and for the cards of saved models."""

from __future__ import annotations

from collections.abc import Callable

from .._errors import DataError
from .base import Codec
from .mel import Mel

#: Every codec that :func:`codec` knows.
KINDS: dict[str, Callable[[], Codec]] = {"mel": Mel}


def codec(name: str) -> Codec:
    """The codec of that name: ``mel`` (nothing to train).

    >>> codec("mel")
    Mel()

    Raises:
        DataError: there is no such codec.
        OplasError: what the codec itself raises: weights damaged, a package not installed.
    """
    if name not in KINDS:
        raise DataError(f"there is no codec {name!r}; oplas knows {', '.join(KINDS)}")
    return KINDS[name]()
