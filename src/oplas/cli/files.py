"""``oplas embed`` and ``oplas apply``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shell import Answer, Json, answers, say

if TYPE_CHECKING:
    from ..space import Space


def add(app: typer.Typer) -> None:
    """Put the two commands on the app."""
    answers(app, "embed")(embed)
    answers(app, "apply")(apply)


def embed(
    places: Annotated[list[Path], typer.Argument(help="Audio files, and folders of them.")],
    space: Annotated[Path, typer.Option(help="Folder of a saved space.")],
    out: Annotated[Path, typer.Option(help="File to write: .npz or .parquet.")],
    hop: Annotated[float | None, typer.Option(help="Seconds from window to window; default end to end.")] = None,
    as_json: Json = False,
) -> Answer:
    """Write the latents of sound files, window by window, with ids and times."""
    from .._watch import bar
    from ..embed import audio_files, check_writes, embed_all, write_embeddings
    from ..mixing import load_space

    check_writes(out)
    loaded, files = load_space(space), audio_files(*places)
    with bar("embedding", len(files), unit="files") as advance:

        def read():  # type: ignore[no-untyped-def]
            for windows in embed_all(loaded, files, hop):
                yield windows
                advance(1)

        count = write_embeddings(out, read())
    facts = {"out": str(out), "files": len(files), "windows": count, "width": loaded.width, "space": str(space)}
    return Answer(f"{count} windows of {len(files)} files, {loaded.width} numbers each\nwritten: {out}", facts)


def apply(
    space: Annotated[Path, typer.Argument(help="Folder of a saved space.")],
    expression: Annotated[str, typer.Argument(help="Such as 'mix.wav - drums.wav + bass.wav'; names with spaces in quotes.")],
    folder: Annotated[Path, typer.Option("--in", help="Folder to search; names are looked up here, too.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many answers.")] = 5,
    window: Annotated[float | None, typer.Option(help="Use the windows that start here (s), and find windows, not files.")] = None,
    as_json: Json = False,
) -> Answer:
    """Add and subtract sounds in a space, and list what in a folder lies nearest.

    A file stands for the mean of its windows. Levels count: take away a stem as loud as it is in the mix.
    """
    from .._watch import counting
    from ..algebra import search
    from ..mixing import load_space

    loaded = load_space(space)
    verdict = _verdict(loaded)
    if verdict != "holds":
        said = f"is certified '{verdict}'" if verdict else "has no certificate: run 'oplas certify' on songs it has not heard"
        say(f"warning: {space} {said}; the answers may mean little")
    with counting(loaded, "embedding"):
        found = search(loaded, expression, folder, k, at=window)
    rows = [{"file": str(each.file), "start": each.start, "distance": each.distance} for each in found]
    lines = [f"{row:>3}  {each.distance:8.3f}  {each.file}{'' if each.start is None else f'  at {each.start:.2f} s'}"
             for row, each in enumerate(found, 1)]  # fmt: skip
    text = "\n".join(["  #  distance  nearest to " + expression, *lines])
    return Answer(text, {"expression": expression, "found": rows, "verdict": verdict})


def _verdict(space: Space) -> str | None:
    certificate = space.card.get("certificate")
    return str(certificate["verdict"]) if isinstance(certificate, dict) else None
