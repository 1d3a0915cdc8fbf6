"""What the studio's page and its server say to each other; ``web/src/api.ts`` mirrors these types and those of
:mod:`oplas.studio.asked`, what the page sends.

Everything is JSON under ``/api`` but what is numbers by the thousand, which is little-endian float32:

- ``GET /api/points?axes=2|3``: ``[count, axes]``, the map, in index order.
- ``POST /api/operate/plan`` (:class:`Plan`): ``[knots, n, axes]``, where each point is at each knot of the slider; between knots
  it moves in a straight line. The header ``X-Oplas-Knots`` holds the knots, comma-separated: two where the path is straight.

Sounds are WAV with ``Range``: ``/api/point/{i}/audio``, and after an operator's true action on the data
``/api/point/{i}/audio?operator=NAME&PARAMETER=VALUE``; ``/roll`` in place of ``/audio`` gives a :class:`Roll`.
An error is :class:`Fault` with status 400 (cannot be read), 403, 404, 413, 422 (data will not do) or 503 (busy, try again).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Fault(BaseModel):
    """An error: the fact; ``at`` is the character of an expression it points at."""

    error: str
    at: int | None = None


class Law(BaseModel):
    """A law the space claims, and what its certificate says of it; verdict null where there is no certificate."""

    name: str
    action: str
    operator: str
    verdict: str | None
    why: str


class Parameter(BaseModel):
    """A slider (``number``), or a point of the map to choose (``point``: its index)."""

    name: str
    kind: Literal["number", "point"] = "number"
    unit: str = ""
    min: float = 0.0
    max: float = 0.0
    step: float = 0.0
    default: float = 0.0


class Operator(BaseModel):
    """Something the bench can do; the first number among its parameters is the slider that a plan runs along."""

    name: str
    title: str
    law: str
    parameters: list[Parameter]
    certified: bool
    why: str


class Column(BaseModel):
    """A column to colour by; ``values`` are the categories, in the order of the codes."""

    name: str
    kind: Literal["category", "number"]
    values: list[str] | None = None


class ColumnData(BaseModel):
    """One entry a point: ``values`` of a number (null where unknown), or ``codes`` into ``categories`` (-1 unknown)."""

    kind: Literal["category", "number"]
    values: list[float | None] | None = None
    codes: list[int] | None = None
    categories: list[str] | None = None


class Has(BaseModel):
    """Which views the space can fill."""

    ring: bool
    faders: bool
    certificate: bool
    audio: bool
    rolls: bool


class SpaceInfo(BaseModel):
    """``GET /api/space``."""

    name: str
    encoder: str
    width: int
    kind: Literal["audio", "midi"]
    count: int
    seconds: float
    demo: bool
    laws: list[Law]
    operators: list[Operator]
    columns: list[Column]
    has: Has


class Hit(BaseModel):
    """A point found; ``distance`` is Euclidean in the space."""

    i: int
    name: str
    distance: float


class Point(BaseModel):
    """``GET /api/point/{i}``; ``start`` in seconds or beats, ``values`` by column."""

    i: int
    name: str
    start: float | None
    values: dict[str, str | float | None]
    audio: bool
    roll: bool


class Roll(BaseModel):
    """Notes as ``[onset (beats), length (beats), MIDI pitch, velocity 0-1, index into parts]``; ``tempo`` in beats a minute."""

    name: str
    beats: float
    tempo: float
    parts: list[str]
    notes: list[tuple[float, float, int, float, int]]


class Truth(BaseModel):
    """The action truly done to the data and encoded, beside the operator's answer.

    ``r2`` is 1 - |O(z) - z'|² / |z' - mean|²; ``distance`` is |O(z) - z'|; ``stayed`` is |z - z'|, of doing nothing.
    """

    known: bool
    why: str
    r2: float | None = None
    distance: float | None = None
    stayed: float | None = None
    audio: str | None = None
    roll: str | None = None
    place: list[float] | None = None


class Moved(BaseModel):
    """The answer to :class:`Operate` and :class:`Fade`; ``refused`` says why nothing was done."""

    moved: list[list[float]]
    neighbours: list[Hit]
    truth: Truth
    certified: bool
    refused: str | None = None


class Found(BaseModel):
    """Hits; ``candidates`` hold the answer with probability ``level``, where calibrated; ``p`` against random queries.

    ``count`` is how many candidates there are; the nearest 2000 are listed. ``place`` is the query on the 2-D map.
    """

    hits: list[Hit]
    candidates: list[int] | None
    count: int | None
    level: float | None
    p: float | None
    refused: str | None
    why: str
    place: list[float] | None


class Stem(BaseModel):
    """A stem of a mix: its length (s), its fader (dB), its sound."""

    name: str
    seconds: float
    gain: float
    audio: str


class Control(BaseModel):
    """A distance to compare with."""

    name: str
    distance: float


class Rest(BaseModel):
    """What is left when stems are taken away in the space; ``distance`` to the latent of the true rest, ``audio`` of it."""

    distance: float
    nearest: list[Hit]
    audio: str


class Mix(BaseModel):
    """A mix of uploaded stems, judged in the window that starts at ``at`` (s).

    ``distance`` is that of the sum of the stems' latents to the true mix's; ``relative`` divides it by the latter's length.
    ``places`` are the sum, the true mix and each stem on the 2-D map.
    """

    id: str
    at: float
    seconds: float
    stems: list[Stem]
    audio: str
    distance: float
    relative: float
    controls: list[Control]
    nearest_sum: list[Hit]
    nearest_true: list[Hit]
    removed: list[int]
    rest: Rest | None
    places: dict[str, list[float]]


class PartFound(BaseModel):
    """A point of the index as a part: taken ``weight`` times (``gain`` dB), after which the share ``left`` is unexplained."""

    i: int
    name: str
    weight: float
    gain: float
    left: float
    audio: str | None


class Parts(BaseModel):
    """Greedy non-negative pursuit of a latent over the stems of the index; ``unexplained`` is the share of |z|² left."""

    i: int
    parts: list[PartFound]
    unexplained: float
    why: str


class OnRing(BaseModel):
    """A song on the circle of fifths: ``angle`` clockwise from C (radians), ``confidence`` 0-1, ``i`` its first point."""

    song: int
    i: int | None
    name: str
    label: str
    angle: float
    confidence: float


class Ring(BaseModel):
    """``GET /api/ring``; ``labels`` are the twelve places, a fifth apart, from the top."""

    available: bool
    why: str
    labels: list[str] = []
    songs: list[OnRing] = []


class Turned(BaseModel):
    """Where the song goes and what lies there; ``semitones`` and ``roll`` of the song truly moved, ``distance`` to its latent."""

    label: str
    angle: float
    confidence: float
    nearest: list[OnRing]
    semitones: int
    distance: float
    roll: str
    roll_before: str


class Fader(BaseModel):
    """A fader before it is moved: ``response`` is (amount, effect on its own probe), ``side`` the bound on every other probe."""

    name: str
    unit: str
    min: float
    max: float
    step: float
    response: list[tuple[float, float]]
    side: dict[str, float]
    certified: bool
    why: str
