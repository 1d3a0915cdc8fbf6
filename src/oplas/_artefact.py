"""Folders of safetensors and one JSON card, written whole, checked when read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from torch import Tensor

from ._errors import ArtefactError

FORMAT = 1


def save(folder: Path, tensors: dict[str, Tensor], card: dict[str, Any]) -> Path:
    """Write beside, then move into place; an older artefact of the same name is replaced.

    Raises:
        ArtefactError: the folder exists and is no artefact, or the disk refuses.
    """
    from safetensors.torch import save as pack

    if folder.exists() and not (folder / "card.json").is_file():
        raise ArtefactError(f"{folder} exists and is not a saved space, so it is not replaced; choose another name")
    blob = pack({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    body = {**card, "format": FORMAT, "tensors_sha256": hashlib.sha256(blob).hexdigest()}
    body["card_sha256"] = _digest(body)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            (scratch / "tensors.safetensors").write_bytes(blob)
            (scratch / "card.json").write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")
            if folder.exists():
                old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-old-"))
                os.replace(folder, old / "was")
                os.replace(scratch, folder)
                shutil.rmtree(old)
            else:
                os.replace(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise ArtefactError(f"{folder} could not be written ({error.strerror or error}); free space or choose another folder") from error
    return folder


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read an artefact and prove it is what was saved.

    Raises:
        ArtefactError: a file is missing, cut short, changed, or of a newer format.
    """
    from safetensors.torch import load as unpack

    try:
        card = json.loads((folder / "card.json").read_text())
        blob = (folder / "tensors.safetensors").read_bytes()
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{folder} is not a readable saved space ({error}); get a fresh copy or save it again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        seen = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise ArtefactError(f"{folder} has format {seen!r}, this version reads {FORMAT}; update oplas or save it again")
    if card.pop("card_sha256", None) != _digest(card):
        raise ArtefactError(f"{folder}/card.json was changed after it was saved; its claims cannot be trusted; get a fresh copy")
    if card["tensors_sha256"] != hashlib.sha256(blob).hexdigest():
        raise ArtefactError(f"{folder}/tensors.safetensors is truncated or was changed after it was saved; get a fresh copy")
    return unpack(blob), card


def _digest(card: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()


def write_text(file: Path, text: str) -> Path:
    """Write a text file whole or not at all.

    Raises:
        ArtefactError: the disk refuses.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            os.replace(scratch, file)
        finally:
            Path(scratch).unlink(missing_ok=True)
    except OSError as error:
        raise ArtefactError(f"{file} could not be written ({error.strerror or error}); free space or choose another folder") from error
    return file
