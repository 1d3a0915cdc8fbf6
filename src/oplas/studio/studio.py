"""The studio's answers: one method a route, nothing of HTTP."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

import numpy as np
import torch

from .._errors import DataError
from ..laws.equivariance import Equivariance
from . import asked as asked_
from . import schema
from .asking import Named, found
from .bench import Deed, deeds
from .circle import Circle
from .library import Category, Library
from .maps import Map
from .mixes import Mixer
from .pursuit import pursue
from .words import reads, verdict_of
from .worker import Busy

#: Points moved at a time: a plan of half a million costs no copy of them all.
BLOCK = 1 << 15


class Pointed(DataError):
    """An error in an expression; ``at`` is the character it points at, where one is to blame."""

    def __init__(self, told: str, expression: str) -> None:
        fact, *shown = told.split("\n")
        super().__init__(re.split(r"; --trust|, or take it as it is", fact)[0])  # the page has no such options
        column = len(shown[1]) - 3 if len(shown) == 2 and shown[1].endswith("^") and shown[0][2:] == expression[:110] else -1
        self.at = column if column >= 0 else None


class Studio:
    """A library, and what can be asked of it."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.map = Map(library)
        self.deeds = deeds(library)
        self.mixer = Mixer(library, self.map)
        self.circle = Circle(library)
        self.named = Named(library)
        self._drawing, self._report, self._gate = threading.Lock(), "", threading.BoundedSemaphore(2)

    @cached_property
    def info(self) -> schema.SpaceInfo:
        """What the page needs to begin with."""
        library, space = self.library, self.library.space
        laws = []
        for law in space.laws:
            if isinstance(law, Equivariance):
                verdict, why = verdict_of(library.certificate, law)
                names = type(law.action).__name__, type(law.operator).__name__
                laws.append(schema.Law(name=reads(law), action=names[0], operator=names[1], verdict=verdict, why=why))
        columns = [
            schema.Column(name=name, kind="category", values=list(column.values))
            if isinstance(column, Category)
            else schema.Column(name=name, kind="number")
            for name, column in library.columns.items()
        ]
        has = schema.Has(
            ring=library.songs is not None, faders=bool(library.faders), certificate=library.certificate is not None,
            audio=library.source.audio, rolls=library.source.rolls,
        )  # fmt: skip
        rate = space.encoder.rate
        return schema.SpaceInfo(
            name=library.name, encoder=space.encoder.name, width=space.width, kind=library.kind,  # type: ignore[arg-type]
            count=len(library), seconds=space.encoder.samples / rate if rate else 0.0, demo=library.demo, laws=laws,
            operators=[_told(deed) for deed in self.deeds.values()], columns=columns, has=has,
        )  # fmt: skip

    @contextmanager
    def heavy(self, patience: float = 10.0) -> Iterator[None]:
        """Two at once; others wait a while, then are put off.

        Raises:
            Busy: it is not their turn in time.
        """
        if not self._gate.acquire(timeout=patience):
            raise Busy
        try:
            yield
        finally:
            self._gate.release()

    @property
    def report(self) -> str:
        """The certificate as a page, drawn once."""
        with self._drawing:
            if not self._report:
                from .reported import reported

                self._report = reported(self.library)
            return self._report

    def column(self, name: str) -> schema.ColumnData:
        """One column, whole.

        Raises:
            KeyError: there is none of that name.
        """
        column = self.library.columns[name]
        if isinstance(column, Category):
            return schema.ColumnData(kind="category", codes=column.codes.tolist(), categories=list(column.values))
        return schema.ColumnData(kind="number", values=[_number(value) for value in column.values.tolist()])

    def point(self, i: int) -> schema.Point:
        """What is known of a point."""
        library = self.library
        library.check([i])
        values: dict[str, str | float | None] = {}
        for name, column in library.columns.items():
            if isinstance(column, Category):
                values[name] = column.values[column.codes[i]] if column.codes[i] >= 0 else None
            else:
                values[name] = _number(float(column.values[i]))
        start = None if library.starts is None else _number(float(library.starts[i]))
        source = library.source
        roll = source.rolls and source.score(i) is not None
        return schema.Point(i=i, name=library.names[i], start=start, values=values, audio=source.audio, roll=roll)

    def hits(self, z: np.ndarray, k: int, leave: Sequence[int] = ()) -> list[schema.Hit]:
        """The nearest points."""
        which, far = self.library.nearest(z, k, leave)
        return [schema.Hit(i=int(i), name=self.library.names[int(i)], distance=float(d)) for i, d in zip(which, far, strict=True)]

    def neighbours(self, asked: asked_.Neighbours) -> list[schema.Hit]:
        """Of a point, itself left out, or of a latent."""
        if (asked.i is None) == (asked.z is None):
            raise DataError("name a point by 'i', or a latent by 'z', not both")
        if asked.i is not None:
            return self.hits(self.library.z[self.library.check([asked.i])[0]], asked.k, [asked.i])
        if len(asked.z or ()) != self.library.space.width:
            raise DataError(f"the latent has {len(asked.z or ())} numbers, the space {self.library.space.width}")
        return self.hits(np.array(asked.z), asked.k)

    def deed(self, name: str, given: Mapping[str, float]) -> tuple[Deed, dict[str, float]]:
        """An operator of the bench, and all its values."""
        if name not in self.deeds:
            raise DataError(f"the bench has no operator {name!r}; it has {', '.join(self.deeds) or 'none'}")
        return self.deeds[name], self.deeds[name].values(given, len(self.library))

    def plan(self, asked: asked_.Plan) -> tuple[np.ndarray, bytes]:
        """Knots of the slider, and where every point is at each: ``[knots, n, axes]`` float32."""
        deed, values = self.deed(asked.operator, asked.parameters)
        rows = np.arange(len(self.library)) if asked.i is None else self.library.check(asked.i)
        knots, slider = deed.knots(), deed.slider.name
        paths = np.empty((len(knots), len(rows), asked.axes), "<f4")
        with self.heavy():
            for first in range(0, len(rows), BLOCK):
                z = torch.from_numpy(self.library.z[rows[first : first + BLOCK]])
                for path, knot in zip(paths, knots.tolist(), strict=True):
                    path[first : first + BLOCK] = self.map.place(deed.move(z, {**values, slider: knot}).numpy(), asked.axes)
        return knots, paths.tobytes()

    def operate(self, asked: asked_.Operate) -> schema.Moved:
        """Points moved; of the first, what lies nearest now, and what the true action makes of it."""
        deed, values = self.deed(asked.operator, asked.parameters)
        moved = deed.move(self.library.latents(asked.i), values).numpy()
        return schema.Moved(
            moved=self.map.place(moved, asked.axes).tolist(), neighbours=self.hits(moved[0], asked.k, asked.i[:1]),
            truth=self.truth(deed, values, asked.i[0], moved[0], asked.axes), certified=deed.certified,
            refused=None if deed.certified else f"not certified: {deed.why}",
        )  # fmt: skip

    def truth(self, deed: Deed, values: Mapping[str, float], i: int, moved: np.ndarray, axes: int) -> schema.Truth:
        """The action done to point i's data, encoded, beside the operator's answer."""
        try:
            after = self.acted(deed, values, i)
        except DataError as error:
            return schema.Truth(known=False, why=str(error))
        if after is None:
            return schema.Truth(known=False, why="the data of this point are not at hand, or nobody knows how to do this to them")
        z, before = after.astype(np.float64), self.library.z[i]
        miss, spread = np.square(moved - z).sum(), np.square(z - self.map.mean).sum()
        words = "&".join([f"operator={deed.name}", *(f"{name}={value:g}" for name, value in values.items())])
        return schema.Truth(
            known=True, why="", r2=_number(1 - miss / spread if spread else math.nan), distance=float(math.sqrt(miss)),
            stayed=float(np.linalg.norm(before - z)), place=self.map.place(after, axes).tolist(),
            audio=f"/api/point/{i}/audio?{words}" if deed.sound and self.library.source.audio else None,
            roll=f"/api/point/{i}/roll?{words}" if deed.score and self.library.source.rolls else None,
        )  # fmt: skip

    def acted(self, deed: Deed, values: Mapping[str, float], i: int) -> np.ndarray | None:
        """The latent of point i's data after the true action, ``[width]``."""
        source = self.library.source
        if deed.score is not None and (score := source.score(i)) is not None:
            window = source.window(deed.score(score, values))
            if window is not None:
                return self.library.embed(window[None])[0]
        wave = source.sound(i)
        if wave is None:
            return None
        if deed.code is not None:
            with torch.no_grad():
                z: np.ndarray = self.library.space.project(deed.code(wave, values))[0].numpy()
            return z
        return self.library.embed(deed.sound(wave, values)[None])[0] if deed.sound else None

    def search(self, asked: asked_.Search) -> schema.Found:
        """An expression's answer.

        Raises:
            Pointed: it cannot be read, or asks for what the space may not do.
        """
        try:
            with self.heavy():
                return found(self.library, self.named, self.map, asked.expression, asked.k)
        except DataError as error:
            raise Pointed(str(error), asked.expression) from error

    def faders(self) -> list[schema.Fader]:
        """Every fader, and what is known of it before it is moved."""
        return [schema.Fader(**fader.to_dict()) for fader in self.library.faders or ()]

    def fade(self, name: str, asked: asked_.Fade) -> schema.Moved:
        """Points moved by a fader, or why they are not."""
        if self.library.faders is None:
            raise DataError("this studio has no faders; learn some with 'oplas fader learn' and open them with --faders")
        fader, z, refused = self.library.faders[name], self.library.latents(asked.i), None
        try:
            moved = fader.apply(z, asked.amount).numpy()
        except DataError as error:
            moved, refused = z.numpy(), str(error).replace(" (force=True uses it)", "")
        why = "a fader moves what a probe reads of an attribute: nothing is done to the data, so there is no sound to compare with"
        return schema.Moved(
            moved=self.map.place(moved, asked.axes).tolist(), neighbours=self.hits(moved[0], asked.k, asked.i[:1]),
            truth=schema.Truth(known=False, why=why), certified=fader.report.verdict == "holds", refused=refused,
        )  # fmt: skip

    def parts(self, asked: asked_.Decompose) -> schema.Parts:
        """A latent as a sum of stems of the map, its own window's points left out."""
        library = self.library
        library.check([asked.i])
        rows, why = self.stems(asked.i)
        chosen, weights, left = pursue(library.z[asked.i], library.z[rows], asked.most)
        exponent = (library.certificate or {}).get("homogeneity") or {}
        power = float(exponent.get("exponent") or 2.0) if isinstance(exponent, dict) else 2.0
        made = []
        for point, w, share in zip(rows[chosen].tolist(), weights.tolist(), left, strict=True):
            gain, audio = 20 / power * math.log10(max(w, 1e-9)), f"/api/point/{point}/audio" if library.source.audio else None
            made.append(schema.PartFound(i=point, name=library.names[point], weight=w, gain=gain, left=share, audio=audio))
        return schema.Parts(i=asked.i, parts=made, unexplained=left[-1] if left else 1.0, why=why)

    def stems(self, i: int) -> tuple[np.ndarray, str]:
        """The points that may be parts of point i: single stems where the map says which are, of no window that holds it."""
        library, keep = self.library, np.ones(len(self.library), bool)
        part, song = library.columns.get("part"), library.columns.get("song")
        keep[i] = False
        if isinstance(song, Category) and library.starts is not None:
            keep &= ~((song.codes == song.codes[i]) & (library.starts == library.starts[i]) & self._whole(part))
        kept = keep & ~self._whole(part)
        if not kept.any():
            raise DataError("the map holds no other point that could be a part")
        single = isinstance(part, Category)
        return np.flatnonzero(kept), f"greedy, non-negative, among {int(kept.sum())} {'single stems' if single else 'other points'}"

    def _whole(self, part: object) -> np.ndarray:
        """Which points are mixes of several stems, as far as their column 'part' says."""
        if not isinstance(part, Category):
            return np.zeros(len(self.library), bool)
        mixed = np.array([word.startswith("mix") for word in part.values] or [False])
        whole: np.ndarray = mixed[np.maximum(part.codes, 0)] & (part.codes >= 0)
        return whole


def _told(deed: Deed) -> schema.Operator:
    return schema.Operator(
        name=deed.name, title=deed.title, law=deed.law, parameters=list(deed.parameters), certified=deed.certified, why=deed.why
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
