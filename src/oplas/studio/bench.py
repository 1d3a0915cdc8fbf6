"""The operator bench: what a space's laws let one do to points, and the same truly done to the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._errors import DataError
from ..actions import Gain, Mix
from ..actions.harmony import CropShift
from ..actions.pianoroll import Shift, Transpose
from ..encoders.cropped import CroppedCQT
from ..laws.equivariance import Equivariance
from ..operators import Sum
from .library import Library, Score
from .schema import Parameter
from .words import reads, standing

Values = Mapping[str, float]
GAIN = Parameter(name="gain", unit="dB", min=-24, max=12, step=0.5, default=0)
UNITS = {
    "Transpose": "semitones", "CropShift": "semitones", "Rendered": "semitones", "KeyChange": "fifths", "Shift": "sixteenths",
    "Gain": "dB",
}  # fmt: skip
KNOTS = 17


@dataclass(frozen=True)
class Deed:
    """One thing the bench can do.

    Attributes:
        move: latents ``[n, width]`` and values to latents.
        truth: a sound window and values to a sound window; or a score to a score; or codes of the true action; None where
            nobody knows how to do it to data.
        straight: whether a point's path is a straight line of even pace.
    """

    name: str
    title: str
    law: str
    parameters: tuple[Parameter, ...]
    certified: bool
    why: str
    move: Callable[[Tensor, Values], Tensor]
    sound: Callable[[np.ndarray, Values], np.ndarray] | None = None
    score: Callable[[Score, Values], Score] | None = None
    code: Callable[[np.ndarray, Values], Tensor] | None = None
    straight: bool = False

    @property
    def slider(self) -> Parameter:
        """The parameter that a plan runs along."""
        return next(each for each in self.parameters if each.kind == "number")

    def values(self, given: Values, points: int) -> dict[str, float]:
        """Every parameter's value: as given, or its default.

        Raises:
            DataError: a name is unknown, or a value is out of bounds.
        """
        if unknown := set(given) - {each.name for each in self.parameters}:
            known = ", ".join(each.name for each in self.parameters)
            raise DataError(f"{self.name} has no parameter {min(unknown)!r}; it has {known}")
        values = {each.name: given.get(each.name, each.default) for each in self.parameters}
        for each in self.parameters:
            low, high = (0, points - 1) if each.kind == "point" else (each.min, each.max)
            if not low <= values[each.name] <= high:
                raise DataError(f"{each.name} of {self.name} lies from {low:g} to {high:g}; {values[each.name]:g} was asked for")
        return values

    def knots(self) -> np.ndarray:
        """Values of the slider between which a point's path is as good as straight."""
        return np.linspace(self.slider.min, self.slider.max, 2 if self.straight else KNOTS)


def deeds(library: Library) -> dict[str, Deed]:
    """What the space's equivariance laws let one do, by name."""
    found: list[Deed] = []
    for law in library.space.laws:
        if isinstance(law, Equivariance) and law.action is not None:
            certified, why = standing(library.certificate, law, library.exact)
            if isinstance(law.action, Mix) and isinstance(law.operator, Sum):
                found += mixing(library, certified, why)
            else:
                found.append(of_law(library, law, certified, why))
    first: dict[str, Deed] = {}
    for deed in found:
        first.setdefault(deed.name, deed)
    return first


def mixing(library: Library, certified: bool, why: str) -> list[Deed]:
    """What a sum allows: a point made louder, another added to it, another taken away."""
    kept: Any = (library.certificate or {}).get("homogeneity") or {}
    exponent, fit = (kept.get("exponent") or 2.0), kept.get("r2")
    other = Parameter(name="with", kind="point")

    def scaled(z: Tensor, values: Values) -> Tensor:
        return z * _gain(values) ** exponent

    def part(values: Values) -> Tensor:
        return library.latents([int(values["with"])]) * _gain(values) ** exponent

    def heard(values: Values) -> np.ndarray:
        wave = library.source.sound(int(values["with"]))
        if wave is None:
            raise DataError("the sound of the other point is not at hand")
        return wave * _gain(values)

    louder = f"z′ = g^{exponent:.2f} z: " + (f"R² {fit:.2f} on songs never heard" if fit is not None else "not measured")
    tuned, law, sure = f"{why}; its level as {louder}", "Mix → Sum", fit is not None and fit >= 0.9
    return [
        Deed("gain", "louder, softer", "Gain → Scale", (GAIN,), sure, louder, scaled, lambda x, v: x * _gain(v)),
        Deed("add", "add a sound", law, (GAIN, other), certified, tuned, lambda z, v: z + part(v), lambda x, v: x + heard(v)),
        Deed("remove", "take one away", law, (GAIN, other), certified, tuned, lambda z, v: z - part(v), lambda x, v: x - heard(v)),
    ]


def of_law(library: Library, law: Equivariance, certified: bool, why: str) -> Deed:
    """Any law of one part and one number, theta."""
    action, operator = law.action, law.operator
    kind = type(action).__name__
    low, high = float(getattr(action, "low", -6.0)), float(getattr(action, "high", 6.0))
    step, default = 0.5 if isinstance(action, Gain) else 1.0, min(max(0.0, low), high)
    parameter = Parameter(name="theta", unit=UNITS.get(kind, ""), min=low, max=high, step=step, default=default)

    def move(z: Tensor, values: Values) -> Tensor:
        theta = torch.full((len(z), 1), float(values["theta"]))
        with torch.no_grad():
            answer: Tensor = operator(z[:, None], theta)
        return answer

    truth: dict[str, Any] = {}
    if isinstance(action, Gain):
        truth["sound"] = lambda x, v: x * 10 ** (v["theta"] / 20)
    elif isinstance(action, Transpose | Shift):
        truth["score"] = lambda score, v: Score(action(score.notes, round(v["theta"])), score.tempo)
    elif isinstance(action, CropShift) and isinstance(encoder := library.space.encoder, CroppedCQT):
        truth["code"] = lambda x, v: encoder.crop(encoder.wide.encode(torch.from_numpy(x[None])), round(v["theta"]))
    straight = type(operator).__name__ in {"Translation", "Unipotent", "Fader"}
    name, title = re.sub(r"(?<!^)([A-Z])", r"-\1", kind).lower(), reads(action)
    return Deed(name, title, reads(law), (parameter,), certified, why, move, straight=straight, **truth)


def _gain(values: Values) -> float:
    return float(10 ** (values["gain"] / 20))
