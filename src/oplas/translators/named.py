"""Translators by name, for options and command lines."""

from __future__ import annotations

import inspect

from .._errors import ArtefactError, DataError
from .._spelled import read
from .base import Translator

SYNONYMS = {"procrustes": "Orthogonal", "leastsquares": "Affine", "lowrank": "ReducedRank"}


def named(spec: str) -> Translator:
    """The translator a name or a spelling stands for, not yet fitted.

    >>> named("ridge"), named("procrustes"), named("Ridge(by='loo')")
    (Ridge(), Orthogonal(), Ridge(by='loo'))

    Raises:
        DataError: there is no such translator.
    """
    from .. import translators

    known = {name: each for name in translators.__all__ if isinstance(each := getattr(translators, name), type)}
    known = {name: each for name, each in known.items() if issubclass(each, Translator) and not inspect.isabstract(each)}
    plain = "".join(each for each in spec.lower() if each.isalnum())
    by_name = {name.lower(): name for name in known} | {old: new for old, new in SYNONYMS.items() if new in known}
    try:
        made = read(f"{by_name[plain]}()" if plain in by_name else spec, known)
    except ArtefactError as error:
        raise DataError(
            f"there is no translator {spec!r}; oplas knows {', '.join(sorted(known))}, also as Ridge(by='loo')"
        ) from error
    assert isinstance(made, Translator)
    return made
