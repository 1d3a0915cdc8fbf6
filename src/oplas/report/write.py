"""A report as files: the page, the certificate's JSON and the plots, all or none."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import ArtefactError
from .drawing import png
from .page import page
from .plots import figures
from .sounds import Sound

if TYPE_CHECKING:
    from ..certificate import Certificate


def write(certificate: Certificate, folder: str | Path, audio: Iterable[Sound] | None = None, title: str = "Certificate") -> Path:
    """Write ``index.html``, ``certificate.json`` and one PNG for each plot into ``folder``; give back the page's path.

    Everything is made and lies on the disk before the first file takes its name, the page last. Other files in the folder stay.

    Raises:
        ArtefactError: the disk refuses; nothing has changed then.
        DataError: a sound cannot be embedded.
    """
    folder = Path(folder)
    made = {f"{name}.png": png(figure) for name, figure in figures(certificate).items()}
    made["certificate.json"] = (json.dumps(certificate.to_dict(), indent=1) + "\n").encode()
    made["index.html"] = page(certificate, audio, title).encode()
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".report-"))
        try:
            for name, blob in made.items():
                (scratch / name).write_bytes(blob)
            for name in made:
                os.replace(scratch / name, folder / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        told = error.strerror or error
        raise ArtefactError(f"{folder} could not be written ({told}); free space or choose another folder") from error
    return folder / "index.html"
