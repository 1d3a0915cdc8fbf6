"""The certificate's own page, from what the space's card keeps of it."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from ..certificate import Certificate, Row
from .library import Library


def reported(library: Library) -> str:
    """A self-contained HTML page."""
    from ..report.page import page

    kept: Any = library.certificate
    if kept is None:
        raise HTTPException(404, "this space has no certificate; run 'oplas certify' on songs it has not heard")
    return page(certificate(kept), title=library.name)


def certificate(kept: dict[str, Any]) -> Certificate:
    """The certificate as it was before it became JSON: null is a figure that could not be measured."""
    facts = _measured(kept)
    facts["rows"] = tuple(Row(**row) for row in facts["rows"])
    facts["by_count"] = {int(count): row for count, row in facts["by_count"].items()}
    facts.setdefault("plots", {})
    try:
        return Certificate(**facts)
    except TypeError:
        raise HTTPException(404, "the certificate is of another kind than this page can show; see /api/certificate") from None


def _measured(value: Any) -> Any:
    if value is None:
        return float("nan")
    if isinstance(value, dict):
        return {key: _measured(each) for key, each in value.items()}
    return [_measured(each) for each in value] if isinstance(value, list) else value
