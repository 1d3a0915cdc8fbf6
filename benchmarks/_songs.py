"""The one split every benchmark shares: which songs and samples nothing here may learn from."""

from __future__ import annotations

import hashlib

#: Songs that carry another song's notes: they go where the song they repeat goes.
DUPLICATES = {"d_introa": "d_intro"}


def is_test(name: str) -> bool:
    """Whether the song or sample ``name`` (a folder's or file's stem) is held out: a fifth of all names, by SHA-256.

    >>> is_test("d_dm01"), is_test("d_dm02"), is_test("d_introa") == is_test("d_intro")
    (True, False, True)
    """
    return int(hashlib.sha256(DUPLICATES.get(name, name).encode()).hexdigest(), 16) % 5 == 0
