"""Laws and operators in words, and what a certificate says of each law."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..laws.equivariance import Equivariance

#: Verdicts on which an operator counts as certified.
HOLDING = {"holds", "exact"}


def reads(what: object) -> str:
    """A law as ``Action → Operator``; anything else by its class."""
    if isinstance(what, Equivariance):
        return f"{type(what.action).__name__} → {type(what.operator).__name__}"
    return type(what).__name__


def standing(certificate: Mapping[str, Any] | None, law: Equivariance, exact: str = "") -> tuple[bool, str]:
    """Whether the certificate holds this law, or it is ``exact`` by construction; and why or why not."""
    verdict, why = ("exact", exact) if exact else verdict_of(certificate, law)
    return verdict in HOLDING, f"{verdict}: {why}" if verdict else why


def verdict_of(certificate: Mapping[str, Any] | None, law: Equivariance) -> tuple[str | None, str]:
    """The certificate's verdict on a law, none where it does not judge it, and the reason it gives."""
    if not certificate:
        return None, "no certificate: run 'oplas certify' on songs it has not heard"
    if certificate.get("law") != f"{law.action!r} → {law.operator!r}":
        return None, f"the certificate judges {certificate.get('law')}, not this law"
    return str(certificate.get("verdict")), str(certificate.get("why"))


_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[\\/][^\\/\s:;,'\"()\]]+)+[\\/]?")


def without_paths(message: str, roots: tuple[PurePath, ...] = ()) -> str:
    """A message whose paths are cut to their last name: a page need not know where on this machine a file lies.

    >>> without_paths("/home/me/songs/one.wav is silent; remove it")
    'one.wav is silent; remove it'
    """
    for root in sorted(map(str, roots), key=len, reverse=True):
        message = message.replace(root + "/", "").replace(root, PurePath(root).name)
    return _PATH.sub(lambda found: re.split(r"[\\/]", found[0].rstrip("\\/"))[-1], message)
