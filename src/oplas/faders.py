"""Faders: named attributes as directions that leave the other attributes alone, each measured before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from . import _artefact
from ._errors import ArtefactError, DataError, ShapeError
from ._told import figure, table
from .functional.directions import from_pairs
from .functional.isolated import isolated
from .measure.fader_report import Doses, FaderReport, Side
from .measure.faders import Judge
from .measure.mismatch import group_of
from .operators import Fader

if TYPE_CHECKING:
    from .space import Space

Values = Mapping[str, Tensor | Sequence[Any]]
Pairs = Mapping[str, tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class LearnedFader:
    """A fader and what it was seen to do on songs it was not learned from."""

    operator: Fader
    report: FaderReport

    @property
    def name(self) -> str:
        return self.report.name

    @property
    def unit(self) -> str:
        return self.report.unit

    @property
    def range(self) -> tuple[float, float]:
        """The amounts that were measured, least and most; both 0 where nothing was."""
        amounts = self.report.doses.amounts
        return (amounts[0], amounts[-1]) if amounts else (0.0, 0.0)

    def apply(self, z: Tensor, amount: float, *, force: bool = False) -> Tensor:
        """Latents ``[..., d]`` moved by ``amount`` units of the attribute.

        Raises:
            DataError: the fader is ``vacuous``, or the amount is beyond what was measured; ``force`` moves all the same.
            ShapeError: the latents have another width.
        """
        if z.shape[-1:] != self.operator.direction.shape:
            wide = len(self.operator.direction)
            raise ShapeError(f"latents {list(z.shape)} cannot be moved by a fader of {wide} dimensions; use the space it is of")
        low, high = self.range
        if not force and self.report.verdict == "vacuous":
            raise DataError(f"the fader {self.name!r} is vacuous: {self.report.why}; it is not used (force=True uses it)")
        if not force and not low * (1 + 1e-9) <= amount <= high * (1 + 1e-9):
            seen = f"{self.name!r} was measured from {low:g} to {high:g} {self.unit}".rstrip()
            raise DataError(f"{seen}; {amount:g} is beyond that, where nothing is known of side effects; ask for less")
        moved: Tensor = z + amount * self.operator.direction.detach().to(z)
        return moved

    def to_dict(self) -> dict[str, Any]:
        """Name, unit, range, dose-response points and bounds, as JSON can hold them."""
        low, high = self.range
        doses, report = self.report.doses, self.report
        points = list(zip(doses.amounts, doses.response, strict=True))
        facts = {
            "name": self.name, "unit": self.unit, "min": low, "max": high, "step": (high - low) / 100, "response": points,
            "side": {side.name: side.bound for side in report.sides}, "certified": report.verdict == "holds", "why": report.why,
            "verdict": report.verdict, "report": report.to_dict(),
        }  # fmt: skip
        clean: dict[str, Any] = _artefact.plain(facts)
        return clean

    def __str__(self) -> str:
        return str(self.report)


class FaderSet(Sequence[LearnedFader]):
    """The faders of one space, by number or by name.

    Args:
        card: where they come from: ``space`` (its identity, where known), ``seed``, ``songs`` learned from.
    """

    def __init__(self, faders: Sequence[LearnedFader], card: Mapping[str, Any] | None = None) -> None:
        self.faders, self.card = tuple(faders), dict(card or {})

    def __len__(self) -> int:
        return len(self.faders)

    def __iter__(self) -> Iterator[LearnedFader]:
        return iter(self.faders)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(fader.name for fader in self.faders)

    def __getitem__(self, which: Any) -> Any:
        """Raises DataError where no fader has that name."""
        if not isinstance(which, str):
            return self.faders[which]
        if which not in self.names:
            raise DataError(f"there is no fader {which!r}; there are {', '.join(self.names)}")
        return self.faders[self.names.index(which)]

    def apply(self, z: Tensor, amounts: Mapping[str, float], *, force: bool = False) -> Tensor:
        """Several faders moved at once; moves add, so their order is of no account."""
        for name, amount in amounts.items():
            z = self[name].apply(z, amount, force=force)
        return z

    def to_dict(self) -> dict[str, Any]:
        return {**_artefact.plain(self.card), "faders": [fader.to_dict() for fader in self.faders]}

    def save(self, folder: str | Path) -> Path:
        """Write as a folder, whole or not at all."""
        tensors = {str(index): fader.operator.direction.detach() for index, fader in enumerate(self.faders)}
        return _artefact.save(
            Path(folder), tensors, {**self.card, "faders": [f.report.to_dict() for f in self.faders]}, kind="faders"
        )

    @classmethod
    def load(cls, folder: str | Path) -> FaderSet:
        """Read what :meth:`save` wrote.

        Raises:
            ArtefactError: the folder is damaged, tampered with or truncated, or holds something else.
        """
        tensors, card = _artefact.load(Path(folder), kind="faders")
        try:
            made = [_fader(tensors[str(index)], _report(facts)) for index, facts in enumerate(card.pop("faders"))]
        except (KeyError, TypeError) as error:
            raise ArtefactError(f"{folder} does not fit its own card ({error}); save it again or get a fresh copy") from error
        return cls(made, {key: value for key, value in card.items() if key not in {"tensors", "tensors_sha256", "format", "kind"}})

    def __str__(self) -> str:
        lines = [("fader", "verdict", "range", "slope", "probe R²", "largest on another", "bound")]
        for fader in self.faders:
            report, low_high = fader.report, fader.range
            worst = max(report.sides, key=lambda side: side.bound, default=None)
            reach = f"{low_high[0]:+.3g} … {low_high[1]:+.3g} {fader.unit}".rstrip() if any(low_high) else "–"
            told = (worst.name, figure(worst.bound, 2)) if worst else ("–", "–")
            lines.append((fader.name, report.verdict, reach, figure(report.doses.slope, 2), figure(report.probe_r2, 2), *told))
        return table(lines)


def learn_faders(
    z: Tensor | Space, values: Values, song: Sequence[Any] | Tensor | None = None, *, units: Mapping[str, str] | None = None,
    pairs: Pairs | None = None, held_out: float = 0.5, seed: int = 0,
) -> FaderSet:  # fmt: skip
    r"""One fader for each attribute, learned on some songs and measured on the others.

    A direction is first found by itself: from ``pairs`` before and after a known change, else from the attribute's values.
    Then it is moved, as little as can be in the causal norm, into the complement of all other attributes' probes, and given
    the length that moves its own probe by one unit (:func:`oplas.functional.isolated.isolated`).

    Args:
        z: latents ``[n, d]``; or a space, and ``song`` names audio files.
        values: of each attribute one value a row (a file): numbers, or labels as text, of which each gets a fader ``name=label``.
        song: which song each row is of; rows of a song are never on both sides. Default: each row its own.
        units: of the attributes that are numbers.
        pairs: ``{name: (before, after, amount)}`` latents ``[m, d]`` of the same things before and after a change.
        held_out: share of songs that judge.

    Raises:
        ShapeError: values, songs and latents differ in number.
        DataError: there are no values, or they hold NaN; too little data is no error, the reports then say ``vacuous``.
    """
    card: dict[str, Any] = {"seed": seed}
    if not isinstance(z, Tensor):
        from .embed import embed_all

        files = [Path(str(file)) for file in (song if song is not None else ())]
        card["space"] = {"name": z.encoder.name, "identity": z.encoder.identity, "width": z.width}
        windows = {each.file: each.z for each in embed_all(z, files)}
        row = [index for index, file in enumerate(files) for _ in range(len(windows.get(file, ())))]
        values = {name: [column[index] for index in row] for name, column in values.items()}
        z, song = torch.cat([windows[file] for file in files if file in windows]), [str(files[index]) for index in row]
    names, table_, unit = columns(values, units or {})
    count = len(z) if song is None else len(song)
    if not len(z) == count == len(table_) or z.ndim != 2:
        raise ShapeError(f"latents {list(z.shape)}, {len(table_)} values and {count} songs differ in number; give one a row")
    if not bool(torch.isfinite(z).all()):
        raise DataError("latents hold NaN or infinity; leave those rows out")
    rows = group_of(song, len(z))
    songs = rows.unique()
    order = songs[torch.randperm(len(songs), generator=torch.Generator().manual_seed(seed))]
    judging = torch.isin(rows, order[: round(held_out * len(songs))])
    raw = {names.index(name): from_pairs(*each) for name, each in (pairs or {}).items()}
    directions = isolated(z[~judging], table_[~judging], rows[~judging], kinds(names), raw)
    directions = calibrated(directions, Judge(z[~judging], table_[~judging], rows[~judging], names, draws=20, seed=seed))
    judge = Judge(z[judging], table_[judging], rows[judging], names, unit, seed=seed)
    made = [_fader(v.to(torch.float32), judge.report(v, name)) for v, name in zip(directions, names, strict=True)]
    return FaderSet(made, {**card, "songs": len(songs) - len(judge.songs), "rows": int((~judging).sum())})


def calibrated(directions: Tensor, judge: Judge) -> Tensor:
    """Directions ``[m, d]`` of such a length that one unit asked for is one unit of the judge's probes, which need not be linear.

    One that they do not follow keeps its length, for its report to say so.
    """
    slopes = [judge.slope(v, name) if bool(v.any()) else 1.0 for v, name in zip(directions, judge.names, strict=True)]
    return directions / torch.tensor([each if each > 0.2 else 1.0 for each in slopes], dtype=directions.dtype)[:, None]


def columns(values: Values, units: Mapping[str, str]) -> tuple[list[str], Tensor, list[str]]:
    """Names, values ``[n, m]`` and units; an attribute of text becomes one of 0 and 1 for each label (of two, for the second).

    Raises:
        DataError: there is none, or numbers are NaN. ShapeError: their numbers of rows differ.
    """
    names: list[str] = []
    rows: list[Tensor] = []
    for name, column in values.items():
        listed = column.tolist() if isinstance(column, Tensor) else list(column)
        if any(isinstance(each, str) for each in listed):
            labels = sorted(set(map(str, listed)))
            for label in labels[1:] if len(labels) == 2 else labels:
                names.append(f"{name}={label}")
                rows.append(torch.tensor([float(str(each) == label) for each in listed], dtype=torch.float64))
        else:
            names.append(name)
            rows.append(torch.tensor([float(each) for each in listed], dtype=torch.float64))
    if not rows or not len(rows[0]):
        raise DataError("no values were given; give at least one attribute, with one value for each row")
    if len({len(row) for row in rows}) > 1:
        raise ShapeError(f"the attributes have {', '.join(str(len(row)) for row in rows)} values; give each one a row")
    table_ = torch.stack(rows, 1)
    if not bool(torch.isfinite(table_).all()):
        sick = [name for name, row in zip(names, rows, strict=True) if not bool(torch.isfinite(row).all())]
        raise DataError(f"{', '.join(sick)}: a value is NaN or infinite; leave that row out, or give its value")
    return names, table_, [units.get(name, "") for name in names]


def kinds(names: Sequence[str]) -> list[str]:
    """The attribute each name belongs to: labels of one attribute are not asked to leave each other alone."""
    return [name.partition("=")[0] if "=" in name else name for name in names]


def _fader(direction: Tensor, report: FaderReport) -> LearnedFader:
    operator = Fader(len(direction), report.name, report.unit).requires_grad_(False)
    operator.direction.copy_(direction)
    return LearnedFader(operator, report)


def _report(facts: dict[str, Any]) -> FaderReport:
    """The report that ``to_dict`` made: null was a figure that could not be measured, and of a bound, infinity."""

    def back(value: Any, missing: float = float("nan")) -> Any:
        return missing if value is None else tuple(value) if isinstance(value, list) else value

    doses = Doses(**{key: back(value) for key, value in facts["doses"].items()})
    sides = tuple(Side(**{key: back(value, float("inf")) for key, value in side.items()}) for side in facts["sides"])
    return FaderReport(**{**{key: back(value) for key, value in facts.items()}, "doses": doses, "sides": sides})
