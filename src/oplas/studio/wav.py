"""Sound as a page plays it: 16-bit WAV, whole or a range of it."""

from __future__ import annotations

import io
import re

import numpy as np
from fastapi import Request, Response


def wav(wave: np.ndarray, rate: int) -> bytes:
    """A mono wave ``[samples]``, lowered as a whole where it would clip."""
    import soundfile

    peak = float(np.abs(wave).max(initial=0.0))
    out = io.BytesIO()
    soundfile.write(out, wave / max(peak, 1.0), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def sound(request: Request, blob: bytes) -> Response:
    """The answer to a request for a sound, with one range of bytes where one is asked for (RFC 9110, 14)."""
    headers = {"Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d{0,12})-(\d{0,12})", request.headers.get("range", ""))
    if asked is None or not (asked[1] or asked[2]):
        return Response(blob, media_type="audio/wav", headers=headers)
    size = len(blob)
    first = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
    last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(blob[first : last + 1], 206, media_type="audio/wav", headers=headers)
