"""``oplas decompose generate`` and ``oplas decompose vary``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ._parts import Model, Out, Page, Seed, Steps, choose, load, written
from ._shell import Answer, Json

#: The longest that is varied at once, s.
LONGEST = 600.0


def generate(
    model: Model,
    out: Out,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long.")] = 10.0,
    given: Annotated[list[str] | None, typer.Option(help="A part to go with, such as bass=bass.wav; again for others.")] = None,
    steps: Steps = 8,
    seed: Seed = 0,
    page: Page = False,
    as_json: Json = False,
) -> Answer:
    """Make up parts that were never played, or parts that go with those given: OUT/PART.wav and OUT/mix.wav, mono."""
    from .._errors import DataError
    from .._watch import bar
    from ..data.audio import read, survey
    from ..decompose.listening import Heard

    made, rate, waves = load(model), 0, dict[str, Any]()
    for each in given or ():
        part, sign, file = each.partition("=")
        if not sign:
            raise DataError(f"--given {each!r} names no file; write PART=FILE, such as bass=bass.wav")
        (name,) = choose(made, [part])
        rate = rate or survey(file).rate
        waves[name] = read(file, rate)[: math.ceil(seconds * rate)].copy()
    rate = rate or made.codec.rate
    with bar("generating"):
        parts = made.generate(seconds, given=waves, rate=rate, seed=seed, steps=steps)  # type: ignore[arg-type]
    sounds = [Heard("All together", "mix", "the sum of the parts", parts.sum(0))]
    sounds += [
        Heard("Parts", name, "as it was given" if name in waves else "generated", part)
        for name, part in zip(made.names, parts, strict=True)
    ]
    return written(made, sounds, rate, out, page, f"{seconds:g} s, seed {seed}", [name for name in made.names if name not in waves])


def vary(
    song: Annotated[Path, typer.Argument(help="Song to vary.")],
    model: Model,
    out: Out,
    part: Annotated[list[str] | None, typer.Option(help="Part to vary, by name or number; again for others; default all.")] = None,
    strength: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 only renders the part again, 1 forgets what it was.")] = 0.5,
    start: Annotated[float, typer.Option(min=0.0, help="Seconds into the song.")] = 0.0,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="How much of it; default all.")] = None,
    steps: Steps = 8,
    seed: Seed = 0,
    page: Page = False,
    as_json: Json = False,
) -> Answer:
    """Vary parts of a song and keep the others: OUT/PART.wav and OUT/mix.wav, mono, at the song's rate."""
    import torch

    from .._errors import DataError
    from .._watch import bar
    from ..data.audio import read, survey
    from ..decompose.listening import Heard

    made, rate = load(model), survey(song).rate
    changed, wave = choose(made, part or made.names), read(song, rate)
    stop = len(wave) if seconds is None else round((start + seconds) * rate)
    some = wave[round(start * rate) : stop]
    if not len(some) or len(some) > LONGEST * rate:
        told = f"{song} lasts {len(wave) / rate:.1f} s; {len(some) / rate:.1f} s of it were asked for"
        raise DataError(f"{told}, up to {LONGEST:g} s can be varied at once; give --start and --seconds")
    before = torch.from_numpy(some.copy())
    with bar("varying"):
        parts = made.vary(before, rate, parts=changed, strength=strength, seed=seed, steps=steps)
    sounds = [
        Heard("All together", "mix", f"with {', '.join(changed)} varied by {strength:g}", parts.sum(0)),
        Heard("All together", "the song", "as it was", before),
    ]
    sounds += [
        Heard("Parts", name, "varied" if name in changed else "kept", wave) for name, wave in zip(made.names, parts, strict=True)
    ]
    return written(made, sounds, rate, out, page, f"{song.name}, {', '.join(changed)} varied by {strength:g}", changed)
