"""``oplas search``, also called ``oplas apply``, and ``oplas calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shell import OK, PARTLY, Answer, Json, answers, say

if TYPE_CHECKING:
    from ..algebra import Calibration
    from ..space import Space

Saved = Annotated[Path, typer.Argument(help="Folder of a saved space.")]
Named = Annotated[Path, typer.Argument(help="Folder of a saved space, or 'rolls', the space of MIDI files that comes with oplas.")]


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    signs = {"ignore_unknown_options": True}  # so that an expression may begin with -6 dB
    answers(app, "search", context_settings=signs)(search)
    answers(app, "apply", context_settings=signs)(search)
    answers(app, "calibrate")(calibrate)


def search(
    space: Named,
    expression: Annotated[str, typer.Argument(help="Such as 'mix.wav - drums.wav + transpose(bass.wav, 2)'.")],
    among: Annotated[str, typer.Option("--in", help="Folder of sound files, or index, to search; names are looked up there, too.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many answers.")] = 5,
    window: Annotated[float | None, typer.Option(help="Use the windows that start here (s), and find windows, not files.")] = None,
    where: Annotated[str | None, typer.Option(help="Filter of an index's rows, such as \"song = 'blue'\".")] = None,
    recall: Annotated[float, typer.Option(help="Probability with which the marked set holds the answer.")] = 0.9,
    trust: Annotated[str, typer.Option(help="Least verdict of a law that is used: holds, partly.")] = "holds",
    uncertified: Annotated[bool, typer.Option("--uncertified", help="Use any law; nothing is stated then.")] = False,
    as_json: Json = False,
) -> Answer:
    """Add, subtract and transpose sounds in a space, and list what lies nearest, with what the answer is worth.

    Each operator is used only where the space's certificate holds its law. A file stands for the mean of its windows, unless a
    window is named: mix.wav@12.5. Levels count: take away a stem as loud as it is in the mix.
    Exit code 3: the query leaves what the space was certified on, and there is no answer.
    """
    from .._errors import DataError
    from .._watch import counting
    from ..algebra import search as find
    from ..mixing import load_space
    from ..rolled import exact, rolled
    from ..store import Index

    shipped = str(space) == "rolls" and not space.exists()
    loaded = rolled() if shipped else load_space(space)
    index = None
    if not (among_path := Path(among)).is_dir() or (among_path / "latents.lance").exists():
        index = Index.open(among, loaded)
    elif where is not None:
        raise DataError(f"--where filters the rows of an index, and {among} is a folder of files; make one with 'oplas index add'")
    if uncertified:
        say(f"warning: the laws of {space} are taken uncertified; the answers may mean little")
    with counting(loaded, "embedding"):
        found = find(
            loaded, expression, index or among, k, at=window, where=where, trust=trust, uncertified=uncertified,
            certificates=exact(loaded) if shipped else (), calibration=_calibration(space, loaded), level=recall,
        )  # fmt: skip
    facts = {"space": str(space), **found.to_dict()}
    return Answer(str(found), {**facts, "found": [{**each, "file": str(each["file"])} for each in facts["found"]]},
                  PARTLY if found.refused else OK)  # fmt: skip


def calibrate(
    space: Saved,
    stems: Annotated[Path, typer.Argument(help="Folder of songs, as for 'oplas certify'.")],
    per_song: Annotated[int, typer.Option(min=1, help="Windows of each song to ask about, at most.")] = 32,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 3,
    as_json: Json = False,
) -> Answer:
    """Ask the space what can be checked, on songs it has not learned from, so that 'oplas search' can state its recall.

    What is found is kept beside the space, as calibration.json. 9 songs state a recall of 90 %, 19 can tell queries that leave
    the data.
    """
    from .._watch import counting
    from ..algebra import calibrate as measure
    from ..algebra.calibrate import FILE
    from ..mixing import load_space
    from .spaces import load_unheard

    loaded = load_space(space)
    new = load_unheard(loaded, stems)
    with counting(loaded, "encoding windows"):
        made = measure(loaded, new, seed=seed, per_song=per_song)
    file = made.save(space / FILE)
    kinds = {kind: {"songs": made.songs(kind), "radius": made.bound(kind)} for kind in made.scores}
    return Answer(f"{made}\nwritten: {file}", {"space": str(space), "file": str(file), "kinds": kinds})


def _calibration(folder: Path, space: Space) -> Calibration | None:
    from .._errors import ArtefactError
    from ..algebra import Calibration
    from ..algebra.calibrate import FILE

    if not (folder / FILE).exists():
        return None
    try:
        return Calibration.load(folder, space)
    except ArtefactError as error:
        say(f"warning: {error}")
        return None
