"""Folders of safetensors and one JSON card, or both in one file; written whole, checked when read."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ._errors import ArtefactError

FORMAT = 1
CARD = "card.json"


def save(folder: Path, tensors: dict[str, Tensor], card: dict[str, Any], *, kind: str = "space") -> Path:
    """Write beside, then move into place; an older artefact of the same name and kind is replaced, other files stay.

    The card names its tensors by their hash and is replaced last, in one step: whenever a writer is killed, the folder
    holds either the old artefact or the new one.

    Raises:
        ArtefactError: the folder exists and is no artefact of this kind, or the disk refuses.
    """
    from safetensors.torch import save as pack

    blob = pack({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    digest = hashlib.sha256(blob).hexdigest()
    named = {"tensors": f"tensors-{digest[:12]}.safetensors", "tensors_sha256": digest}
    body = plain({**card, **named, "format": FORMAT, "kind": kind})
    body["card_sha256"] = _digest(body)
    text = (json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
    try:
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            scratch = _beside(folder)
            try:
                scratch.mkdir()
                (scratch / body["tensors"]).write_bytes(blob)
                (scratch / CARD).write_bytes(text)
                os.replace(scratch, folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            return folder
        if (seen := _kind(folder)) != kind:
            raise ArtefactError(f"{folder} exists and is {seen}, not a saved {kind}, so it is not replaced; choose another name")
        _write(folder / body["tensors"], blob)
        _write(folder / CARD, text)
        for old in folder.glob("tensors-*.safetensors"):
            if old.name != body["tensors"]:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(folder, error) from error
    return folder


def load(folder: Path, *, kind: str = "space") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read an artefact and prove it is what was saved.

    Raises:
        ArtefactError: a file is missing, cut short, changed, of another kind or of a newer format.
    """
    from safetensors.torch import load as unpack

    try:
        card = json.loads((folder / CARD).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{folder} is not a readable saved {kind} ({error}); get a fresh copy or save it again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        seen = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise ArtefactError(f"{folder} has format {seen!r}, this version reads {FORMAT}; update oplas or save it again")
    if card.pop("card_sha256", None) != _digest(card):
        raise ArtefactError(f"{folder}/{CARD} was changed after it was saved; its claims cannot be trusted; get a fresh copy")
    if card.get("kind") != kind:
        raise ArtefactError(f"{folder} holds a saved {card.get('kind')}, a saved {kind} was asked for; give the right folder")
    try:
        blob = (folder / Path(card["tensors"]).name).read_bytes()
    except OSError as error:
        raise ArtefactError(f"{folder} lacks its tensors ({error}); get a fresh copy or save it again") from error
    if card["tensors_sha256"] != hashlib.sha256(blob).hexdigest():
        raise ArtefactError(f"{folder}/{card['tensors']} is truncated or was changed after it was saved; get a fresh copy")
    return unpack(blob), card


def save_file(file: Path, tensors: dict[str, Tensor], card: dict[str, Any], *, kind: str) -> Path:
    """Write tensors and card as one safetensors file, in one step; an older file of that name is replaced.

    Raises:
        ArtefactError: the disk refuses.
    """
    from safetensors.torch import save as pack

    kept = {key: value.detach().cpu().contiguous() for key, value in sorted(tensors.items())}
    body = plain({**card, "format": FORMAT, "kind": kind, "tensors_sha256": _tensors_digest(kept)})
    body["card_sha256"] = _digest(body)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, pack(kept, {"card": json.dumps(body, sort_keys=True, allow_nan=False)}))
    except OSError as error:
        raise _refused(file, error) from error
    return file


def load_file(file: Path, *, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_file` wrote and prove it is that.

    Raises:
        ArtefactError: the file is missing, cut short, changed, of another kind or of a newer format.
    """
    from safetensors.torch import load as unpack

    try:
        blob = file.read_bytes()
        tensors = unpack(blob)
        card = json.loads(json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]["card"])
        claimed = card.pop("card_sha256")
    except Exception as error:  # safetensors raises kinds of its own for a damaged file
        raise ArtefactError(f"{file} is not a readable saved {kind} ({error}); get a fresh copy or save it again") from error
    if card.get("format") != FORMAT or card.get("kind") != kind:
        fact = f"{file} holds a {card.get('kind')} of format {card.get('format')!r}"
        raise ArtefactError(f"{fact}; a {kind} of format {FORMAT} was asked for; give the right file or update oplas")
    if claimed != _digest(card) or card["tensors_sha256"] != _tensors_digest(tensors):
        raise ArtefactError(f"{file} was changed after it was saved; get a fresh copy or save it again")
    return tensors, card


def shipped(file: Path, expected: str) -> dict[str, Tensor]:
    """Weights that come inside the package, float32, if their SHA-256 is the one expected.

    Raises:
        ArtefactError: they are missing, damaged, or of another version.
    """
    from safetensors.torch import load

    try:
        content = file.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{file.name} cannot be read ({error.strerror}); install oplas again") from error
    seen = hashlib.sha256(content).hexdigest()
    if seen != expected:
        raise ArtefactError(f"{file.name} has SHA-256 {seen[:12]}..., expected {expected[:12]}...; install oplas again")
    return {name: tensor.float() for name, tensor in load(content).items()}


def identity(told: str, state: Mapping[str, Tensor]) -> str:
    """Hash of what a network is told to be and of its weights: the same identity, the same network."""
    digest = hashlib.sha256(told.encode())
    for key, value in sorted(state.items()):
        digest.update(key.encode() + str(value.dtype).encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def write_text(file: Path, text: str) -> Path:
    """Write a text file whole or not at all.

    Raises:
        ArtefactError: the disk refuses.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, text.encode())
    except OSError as error:
        raise _refused(file, error) from error
    return file


def plain(value: Any) -> Any:
    """What JSON can hold: keys as text, figures that could not be measured as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _write(file: Path, blob: bytes) -> None:
    scratch = _beside(file)
    try:
        scratch.write_bytes(blob)
        os.replace(scratch, file)
    finally:
        scratch.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> ArtefactError:
    return ArtefactError(f"{path} could not be written ({error.strerror or error}); free space or choose another folder")


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def _kind(folder: Path) -> str:
    try:
        return str(json.loads((folder / CARD).read_text())["kind"])
    except (OSError, ValueError, LookupError, TypeError):
        return "something else"


def _tensors_digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _digest(card: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
