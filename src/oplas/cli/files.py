"""``oplas embed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shell import Answer, Json, answers


def add(app: typer.Typer) -> None:
    """Put the command on the app."""
    answers(app, "embed")(embed)


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
