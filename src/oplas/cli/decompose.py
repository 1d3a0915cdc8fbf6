"""``oplas decompose``: parts of one's own unlabelled songs, learned, applied, generated, varied."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._generate import generate, vary
from ._parts import Model, Out, Page, Saved, Seed, Steps, check, described, identity, line, load, song_page, summary
from ._shell import OK, PARTLY, Answer, Json, answers

if TYPE_CHECKING:
    from ..decompose.apply import Applied


class Way(StrEnum):
    """What is learned."""

    separate = "separate"
    compose = "compose"


class Size(StrEnum):
    """How large the networks are."""

    S = "S"
    M = "M"
    paper = "paper"


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    decompose = typer.Typer(help="Parts of your own songs, learned without labels: split, generate, vary.", no_args_is_help=True)
    for command in (learn, apply, generate, vary, certify, rename, show):
        answers(decompose, command.__name__)(command)
    app.add_typer(decompose, name="decompose")


def learn(
    places: Annotated[list[Path], typer.Option("--from", help="Folder of songs, or a file; again for others. No labels.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File the model is saved as.")],
    parts: Annotated[int, typer.Option("-n", "--parts", min=1, max=8, help="Into how many parts.")] = 2,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Instead of -n, what a part shall be: drums, bass, chords, lead, "
            "or several, such as chords+lead; again for each part."
        ),
    ] = None,
    way: Annotated[
        Way,
        typer.Option(help="separate: parts as clean as can be; compose: less clean, but they can also be generated and varied."),
    ] = Way.separate,
    size: Annotated[Size, typer.Option(help="S: seconds, to try; M: a CPU or one GPU; paper: a GPU and days.")] = Size.M,
    codec: Annotated[str, typer.Option(help="What parts are learned in: mel, tiny, encodec.")] = "mel",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long to learn; default the size's own steps.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or how many steps.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same model.")] = 0,
    device: Annotated[str, typer.Option(help="Such as cpu or cuda.")] = "cpu",
    as_json: Json = False,
) -> Answer:
    """Learn the parts of songs, without labels or stems. Killed or interrupted, the same command goes on where it stopped.

    Parts get names by a guess; 'oplas decompose rename' changes them.
    """
    from .. import decompose
    from ..decompose.listening import ceiling, guessed
    from ..embed import audio_files

    if minutes is not None and steps is not None:
        raise typer.BadParameter("--minutes and --steps are both given; give one")
    if kind and way is Way.compose:
        raise typer.BadParameter("--kind is for --way separate; with --way compose, parts are what the songs suggest")
    check(out)
    files, run = audio_files(*places), out.with_name(f"{out.name}.run")
    how: dict[str, Any] = {"codec": codec, "size": size.value, "minutes": minutes, "steps": steps, "seed": seed, "device": device}
    if way is Way.separate:
        made = decompose.from_songs(list(files), parts, lesson=decompose.Lesson(*kind) if kind else None, folder=run, **how)
    else:
        made = decompose.learn(list(files), parts, folder=run, **how)
    made.names = guessed(made, files)
    made.save(out)
    shutil.rmtree(run, ignore_errors=True)
    best = ceiling(made.codec, files)
    facts = {"out": str(out), "songs": made.card["songs"]["count"], **described(made)} | (
        {"ceiling": best.to_dict()} if best else {}
    )
    lines = [summary(made), f"learned from {facts['songs']} songs, without labels"]
    lines += [f"two of them, mixed and told apart as well as {made.codec.name} can: {best.shared:.1f} dB SI-SDR"] if best else []
    return Answer("\n".join([*lines, f"saved: {out}"]), facts)


def apply(
    places: Annotated[list[Path], typer.Argument(help="Songs, and folders of them.")],
    model: Model,
    out: Out,
    only: Annotated[list[str] | None, typer.Option(help="Write this part alone, by name or number; again for others.")] = None,
    exact: Annotated[bool, typer.Option("--exact/--rendered", help="Parts that add up to the song, or as rendered.")] = True,
    format: Annotated[str, typer.Option(help="wav: float32, holds any level; flac: 24 bit.")] = "wav",
    steps: Steps = 1,
    seed: Seed = 0,
    page: Page = False,
    as_json: Json = False,
) -> Answer:
    """Take songs of any length apart: OUT/SONG/PART.wav, at each song's own rate and with its channels.

    Memory does not grow with a song's length. A song that is done already is left, so that the same command goes on after a stop.
    """
    import warnings

    from .._errors import DataError
    from .._watch import bar
    from ..data.audio import survey
    from ..decompose.apply import apply as take_apart
    from ..decompose.apply import chosen, songs

    made = load(model)
    wanted, listed = chosen(made.names, only or ()), list(songs(places, out))
    known = {"model": identity(model), "steps": steps, "seed": seed}
    done: list[Applied] = []
    last: DataError | None = None

    def split(wave: Any, rate: int) -> Any:
        return made.split(wave, rate, steps=steps, seed=seed, consistent=exact)

    for number, (song, folder) in enumerate(listed, 1):
        try:
            with bar(f"{song.name} ({number}/{len(listed)})", survey(song).seconds, unit="s") as advance:
                done.append(
                    take_apart(
                        split, song, folder, made.names, only=wanted, exact=exact, format=format, made_by=known, tell=advance
                    )
                )
            if page:
                song_page(made, song, folder, done[-1], steps, seed)
        except DataError as error:
            last = error
            if len(listed) > 1:
                warnings.warn(f"left out: {error}", stacklevel=2)
    if not done:
        raise last or DataError("there is no song to take apart")
    facts = {"model": str(model), "out": str(out), "songs": [each.to_dict() for each in done]}
    return Answer("\n".join([*map(line, done), f"written: {out}"]), facts)


def certify(
    model: Saved,
    places: Annotated[list[Path], typer.Option("--from", help="Folder of songs, or a file; again for others. No labels.")],
    windows: Annotated[int, typer.Option(min=8, help="How many windows are looked at.")] = 32,
    steps: Steps = 1,
    seed: Seed = 1,
    as_json: Json = False,
) -> Answer:
    """Measure the algebra of parts on songs that were not learned from, each law beside a control.

    Exit code: 0 where all laws hold, 3 partly.
    """
    from .. import decompose
    from .._watch import bar
    from ..embed import audio_files

    made = load(model)
    with bar("certifying"):
        found = decompose.certify(made, list(audio_files(*places)), windows=windows, steps=steps, seed=seed)
    code = OK if {law.verdict for law in found.laws} <= {"holds", "exact"} else PARTLY
    return Answer(str(found), {"model": str(model), **found.to_dict()}, code)


def rename(
    model: Saved,
    changes: Annotated[list[str], typer.Argument(help="Such as 1=voice, or drums=kit.", metavar="PART=NAME...")],
    as_json: Json = False,
) -> Answer:
    """Change what parts are called; files that are written afterwards have the new names."""
    from ..decompose.naming import renamed

    made = load(model)
    before, made.names = made.names, renamed(made.names, changes)
    made.save(model)
    return Answer(f"{summary(made)}\nsaved: {model}", {"model": str(model), "before": list(before), **described(made)})


def show(model: Saved, as_json: Json = False) -> Answer:
    """Show a model's parts, and how it was learned."""
    made = load(model)
    told: dict[str, Any] = {name: made.card[name] for name in ("objectives", "steps", "seed", "seconds") if name in made.card}
    told["songs"] = made.card.get("songs", {}).get("count")
    lines = [f"{name}: {value}" for name, value in told.items()]
    return Answer("\n".join([summary(made), *lines]), {"model": str(model), **described(made), **told})
