"""What the studio's page sends: see :mod:`oplas.studio.schema`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Index = Annotated[int, Field(ge=0, le=1 << 31)]
Which = Annotated[list[Index], Field(min_length=1, max_length=1_000_000)]
Count = Annotated[int, Field(ge=1, le=200)]
#: Of a query it comes as text.
Axes = Annotated[Literal[2, 3], BeforeValidator(lambda told: int(told) if told in ("2", "3") else told)]
Short = Annotated[str, Field(max_length=200)]


class Asked(BaseModel):
    """What a page sends: nothing unnamed is taken."""

    model_config = ConfigDict(extra="forbid")


class Neighbours(Asked):
    """``POST /api/neighbours`` of a point, or of a latent; returns a list of :class:`Hit`."""

    i: Index | None = None
    z: Annotated[list[Number], Field(max_length=4096)] | None = None
    k: Count = 10


class Plan(Asked):
    """``POST /api/operate/plan``; without ``i``, of every point."""

    operator: Short
    parameters: dict[Short, Number] = {}
    i: Which | None = None
    axes: Axes = 2


class Operate(Asked):
    """``POST /api/operate``; neighbours and truth are given for the first of ``i``."""

    operator: Short
    parameters: dict[Short, Number] = {}
    i: Which
    k: Count = 10
    axes: Axes = 2


class Search(Asked):
    """``POST /api/search``."""

    expression: Annotated[str, Field(min_length=1, max_length=2000)]
    k: Count = 10


class Faders(Asked):
    """``POST /api/mix/{id}``: a gain in dB for each stem, the indices of stems removed, the window's start (s; null: loudest)."""

    gains: Annotated[list[Annotated[float, Field(ge=-60, le=24)]], Field(max_length=16)]
    removed: Annotated[list[Index], Field(max_length=16)] = []
    at: Annotated[float, Field(ge=0, le=36000)] | None = None


class Decompose(Asked):
    """``POST /api/parts``."""

    i: Index
    most: Annotated[int, Field(ge=1, le=8)] = 5


class Turn(Asked):
    """``POST /api/ring/turn``: song ``i`` (its ``song``) by so many fifths."""

    i: Index
    fifths: Annotated[int, Field(ge=-12, le=12)]
    k: Count = 5


class Fade(Asked):
    """``POST /api/faders/{name}``."""

    i: Which
    amount: Number
    k: Count = 10
    axes: Axes = 2
