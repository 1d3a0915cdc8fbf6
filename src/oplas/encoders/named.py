"""Encoders by a short spelling, for the command line and for the cards of saved spaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._errors import DataError
from .base import Encoder
from .hub import huggingface
from .jamendo import jamendo
from .mini import mini
from .onnx import onnx
from .spectral import chroma, cqt, log_mel, power_mel
from .vggish import vggish


@dataclass(frozen=True)
class Kind:
    """What a spelling stands for. ``dim`` and ``seconds`` are 0 where the model decides.

    Attributes:
        spelling: how it is written; square brackets hold what may be left out.
        seconds: length of the windows it reads.
    """

    spelling: str
    dim: int
    seconds: float
    what: str


#: Every kind that :func:`named` knows, by the word before the colon.
KINDS: dict[str, Kind] = {
    "mini": Kind("mini", 256, 3.0, "our own small pretrained network, shipped with the package"),
    "log_mel": Kind("log_mel", 288, 3.0, "mel power in dB: what most audio networks see first"),
    "power_mel": Kind("power_mel", 288, 3.0, "mel power: additive by nature, the ceiling"),
    "chroma": Kind("chroma", 36, 3.0, "power by pitch class"),
    "cqt": Kind("cqt", 252, 3.0, "power by semitone"),
    "fcn": Kind("fcn[:WEIGHTS]", 64, 29.0, "MTG-Jamendo tagger FCN; weights are downloaded (2 MB)"),
    "musicnn": Kind("musicnn[:WEIGHTS]", 200, 3.0, "MTG-Jamendo tagger Musicnn; weights are downloaded (3 MB)"),
    "vggish": Kind("vggish[:WEIGHTS]", 128, 0.975, "VGGish; weights are downloaded (288 MB)"),
    "hf": Kind("hf:NAME", 0, 0.0, "a model of the Hugging Face hub, by name or folder (pip install 'oplas[hub]')"),
    "onnx": Kind("onnx:PATH:RATE:SAMPLES", 0, 0.0, "an exported network, rate (Hz) and window it reads (pip install 'oplas[hub]')"),
}


def named(spec: str) -> Encoder:
    """The encoder a spelling stands for; :data:`KINDS` lists them.

    >>> named("log_mel").dim
    288

    Raises:
        DataError: there is no such encoder, or its spelling lacks a part.
        OplasError: what the encoder itself raises: weights missing or damaged, a package not installed.
    """
    kind, _, rest = spec.partition(":")
    plain: dict[str, Callable[[], Encoder]] = {
        "mini": mini, "log_mel": log_mel, "power_mel": power_mel, "chroma": chroma, "cqt": cqt,
    }  # fmt: skip
    if kind in plain and not rest:
        return plain[kind]()
    if kind == "fcn":
        return jamendo("fcn", rest or None)
    if kind == "musicnn":
        return jamendo("musicnn", rest or None)
    if kind == "vggish":
        return vggish(rest or None)
    if kind == "hf" and rest:
        return huggingface(rest)
    if kind == "onnx":
        path, *numbers = rest.rsplit(":", 2)
        if path and len(numbers) == 2 and all(number.isdecimal() and int(number) for number in numbers):
            return onnx(path, int(numbers[0]), int(numbers[1]))
    known = ", ".join(each.spelling for each in KINDS.values())
    wanted = f"write {KINDS[kind].spelling}" if kind in KINDS else f"oplas knows {known}"
    raise DataError(f"there is no encoder {spec!r}; {wanted}")
