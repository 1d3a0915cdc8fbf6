"""``oplas data render``, ``oplas data get``, ``oplas data band`` and ``oplas encoders``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ._shell import Answer, Json, answers


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    data = typer.Typer(help="Songs to learn from: rendered from MIDI, downloaded, or generated.", no_args_is_help=True)
    answers(data, "render")(render)
    answers(data, "get")(get)
    answers(data, "band")(band)
    app.add_typer(data, name="data")
    answers(app, "encoders")(encoders)


def render(
    midi: Annotated[Path, typer.Argument(help="Folder of MIDI files.")],
    out: Annotated[Path, typer.Argument(help="Folder for song/family.flac.")],
    soundfont: Annotated[Path | None, typer.Option(help="General MIDI soundfont; default the system's.")] = None,
    rate: Annotated[int, typer.Option(min=8000, help="Samples per second.")] = 44100,
    seconds: Annotated[float | None, typer.Option(min=1.0, help="Keep at most so much of each song.")] = None,
    as_json: Json = False,
) -> Answer:
    """Render MIDI files to stems, one an instrument family, with fluidsynth; goes on where it stopped."""
    from ..data import render as rendered

    total = sum(path.suffix.lower() in {".mid", ".midi"} for path in midi.rglob("*"))
    done = _count("rendering", rendered(midi, out, soundfont, rate=rate, seconds=seconds), total, "songs")
    return Answer(f"{done} of {total} songs rendered\nwritten: {out}", {"out": str(out), "songs": done, "files": total})


def get(
    name: Annotated[str, typer.Argument(help="Public set, such as freedoom, pop909 or sonic-pi.")],
    folder: Annotated[Path | None, typer.Argument(help="Where to; default a folder of its name.")] = None,
    as_json: Json = False,
) -> Answer:
    """Download a public set, each file checked; goes on where it stopped."""
    from ..data.download import get as download
    from ..data.download import sets

    folder = folder or Path(name)
    known = sets().get(name)
    done = _count(f"getting {name}", download(name, folder), len(known.files) if known else None, "files")
    facts = {"name": name, "folder": str(folder), "files": done, "licence": known.licence if known else ""}
    return Answer(f"{done} files, licence {facts['licence']}\nwritten: {folder}", facts)


def band(
    out: Annotated[Path, typer.Argument(help="Folder for song/part.wav.")],
    songs: Annotated[int, typer.Option(min=1, help="How many songs.")] = 24,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of each.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Same seed, same songs.")] = 0,
    as_json: Json = False,
) -> Answer:
    """Write songs of the built-in band, drums, bass, chords and lead, as folders of stems."""
    from .._watch import bar
    from ..data import band as play
    from ..data.write import write_stems

    with bar("playing"):
        made = play(seed, songs, seconds)
    done = _count("writing", write_stems(made, out), songs, "songs")
    return Answer(f"{done} songs of {seconds:g} s\nwritten: {out}", {"out": str(out), "songs": done})


def encoders(as_json: Json = False) -> Answer:
    """List the encoders that --encoder can name."""
    from ..encoders.named import KINDS

    kinds = KINDS.values()
    rows = [
        {"encoder": kind.spelling, "dim": kind.dim or None, "seconds": kind.seconds or None, "what": kind.what} for kind in kinds
    ]
    lines = [f"{row['encoder']:<24}{row['dim'] or '–':>5}{row['seconds'] or '–':>8}  {row['what']}" for row in rows]
    return Answer("\n".join([f"{'--encoder':<24}{'dim':>5}{'window s':>8}", *lines]), {"encoders": rows})


def _count(title: str, work: Iterator[object], total: int | None, unit: str) -> int:
    from .._watch import bar

    done = 0
    with bar(title, total, unit=unit) as advance:
        for _ in work:
            done += 1
            advance(1)
    return done
