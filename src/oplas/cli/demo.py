"""``oplas demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._shell import Answer, Json, answers, say


def add(app: typer.Typer) -> None:
    """Put the command on the app."""
    answers(app, "demo")(demo)


def demo(
    stems: Annotated[Path | None, typer.Option(help="Your own songs, song/stem.wav; default a built-in band.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page, the space and the sounds.")] = Path("oplas-demo"),
    encoder: Annotated[str, typer.Option(help="See 'oplas encoders'.")] = "mini",
    seed: Annotated[int, typer.Option(help="Of the band, the split and the mixes.")] = 0,
    as_json: Json = False,
) -> Answer:
    """Learn a space, certify it on unseen songs, open its page: a few minutes on two cores.

    Ctrl-C stops it; the same command goes on where it stopped.
    """
    from ..demo import demo as run

    try:
        made = run(out, stems, encoder=encoder, seed=seed, tell=say)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what was learned is in {out}, and the same command goes on from there") from None
    heard = made.heard
    lines = [
        str(made.certificate),
        "",
        f"mix minus {heard.part}, in {heard.windows} unseen windows: of {heard.candidates} sounds the nearest is that mix without "
        f"{heard.part} in {heard.share:.0%} of cases; in the encoder's own space in {heard.baseline:.0%}",
        *(f"  {place}. {name}" for place, name in enumerate(heard.found, 1)),
        "",
        *(f"written: {path}" for path in made.written),
        f"{made.seconds:.0f} s in all; try next: oplas apply {out}/mix.space 'mix - {heard.part}' --in {out}/sounds",
    ]
    return Answer("\n".join(lines), made.to_dict())
