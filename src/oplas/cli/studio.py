"""``oplas studio``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shell import Answer, answers, say


def add(app: typer.Typer) -> None:
    """Put the command on the app."""
    answers(app, "studio")(studio)


def studio(
    space: Annotated[Path | None, typer.Argument(help="Folder of a saved space; or 'rolls', for MIDI files.")] = None,
    songs: Annotated[Path | None, typer.Option(help="Folder of its sounds or MIDI files; nothing outside it is read.")] = None,
    index: Annotated[str | None, typer.Option(help="Index made by 'oplas index'; with --songs, its files can be heard.")] = None,
    faders: Annotated[Path | None, typer.Option(help="Folder of faders learned by 'oplas fader learn'.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open the space that comes with oplas.")] = False,
    host: Annotated[str, typer.Option(help="Where to listen; anything but this machine itself asks for a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8321,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> Answer:
    """Open a local page on a space: its map, operators, mixer, ring and certificate. Ctrl-C ends it."""
    from ..studio.open import opened
    from ..studio.serve import needed, serve

    if demo == (space is not None):
        raise typer.BadParameter("name a space, or --demo")
    if space is not None and songs is None and index is None:
        raise typer.BadParameter("name what to show: --songs FOLDER, or --index INDEX")
    needed()
    library, roots = opened(space, songs, index, faders)
    serve(library, host=host, port=port, open_page=open_page, roots=roots, tell=say)
    return Answer("the studio is closed")
