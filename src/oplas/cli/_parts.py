"""What the commands of ``oplas decompose`` share: models read and told, songs told, sounds written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._shell import Answer

if TYPE_CHECKING:
    from ..decompose import Decomposition
    from ..decompose.apply import Applied
    from ..decompose.listening import Heard

Model = Annotated[Path, typer.Option("--model", "-m", help="File saved by 'oplas decompose learn'.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")]
Seed = Annotated[int, typer.Option(help="Same seed, same sound.")]
Page = Annotated[bool, typer.Option("--page", help="Also write a page to listen to, with spectrograms: index.html.")]
Saved = Annotated[Path, typer.Argument(help="File saved by 'oplas decompose learn'.", metavar="MODEL")]
Steps = Annotated[int, typer.Option(min=1, help="Steps of denoising, for a model that sees noise.")]

#: What a page plays of a song, s.
EXCERPT = 15.0


def load(model: Path) -> Decomposition:
    from .._errors import DataError
    from ..decompose import Decomposition

    if not model.exists():
        raise DataError(f"there is no model {model}; make one with 'oplas decompose learn --from SONGS -o {model}'")
    return Decomposition.load(model)


def identity(model: Path) -> str:
    """Changes with weights and names, not with where the file lies."""
    import hashlib

    return hashlib.sha256(model.read_bytes()).hexdigest()[:16]


def choose(made: Decomposition, parts: Iterable[str]) -> list[str]:
    from ..decompose.apply import chosen

    return chosen(made.names, list(parts))


def check(out: Path) -> None:
    """Find out before hours of work whether their result can be saved."""
    from .. import _artefact
    from .._errors import ArtefactError
    from ..data.files import whole
    from ..decompose.decomposition import KIND

    if out.exists():
        try:
            _artefact.load_file(out, kind=KIND)
        except (ArtefactError, OSError) as error:
            raise ArtefactError(f"{out} exists and is no saved model, so it is not replaced; choose another name") from error
    trial = out.with_name(f".{out.name}.trial")
    with whole(trial) as fresh:
        fresh.touch()
    trial.unlink()


def summary(made: Decomposition) -> str:
    names = ", ".join(f"{number} {name}" for number, name in enumerate(made.names, 1))
    can = "split, generate, vary" if made.prior is not None and made.model.view != "clean" else "split"
    return f"{made.parts} parts: {names} · {described(made)['parameters']:,} parameters on {made.codec.name} · can {can}"


def described(made: Decomposition) -> dict[str, Any]:
    count = sum(each.numel() for each in made.model.parameters())
    return {"parts": list(made.names), "parameters": count, "codec": made.codec.name, "prior": made.prior is not None}


def line(done: Applied) -> str:
    what = f"{done.song}: {', '.join(done.files)}; {done.seconds:.1f} s, {done.rate} Hz, {done.channels} channel(s)"
    lack = "sum back bit for bit" if done.residual == -math.inf else f"sum back to {done.residual:.0f} dB"
    pace = "there already" if done.again else f"{done.seconds / max(done.took, 1e-9):.1f} times as fast as it plays"
    return f"{what}; parts {lack}; {pace}"


def song_page(made: Decomposition, song: Path, folder: Path, done: Applied, steps: int, seed: int) -> None:
    from ..decompose.listening import heard, loudest
    from ..report.decomposed import write_page

    if done.again and (folder / "index.html").is_file():
        return
    wave, rate, start = loudest(song, EXCERPT)
    residual = "bit for bit" if done.residual == -math.inf else f"{done.residual:.0f} dB"
    facts = [
        (str(made.parts), "parts", "learned from songs without labels; their names are a guess, or yours"),
        (f"{done.seconds:.0f} s", "taken apart", f"heard here: {len(wave) / rate:.0f} s from {start:.1f} s on, the loudest"),
        (residual, "parts against song", "what the sum of all parts lacks of the song, in the files"),
    ]
    write_page(heard(made, wave, rate, steps=steps, seed=seed), rate, folder / "index.html", song.name, facts)


def written(made: Decomposition, sounds: list[Heard], rate: int, out: Path, page: bool, title: str, changed: list[str]) -> Answer:
    """Parts and their sum as files, and a page of all sounds."""
    from ..data.audio import write
    from ..report.decomposed import write_page

    files = {
        each.name: str(write(out / f"{each.name}.wav", each.wave.numpy(), rate))
        for each in sounds
        if each.name in (*made.names, "mix")
    }
    if page:
        facts = [(", ".join(changed), "new", "all else is as it was"), (f"{rate} Hz", "rate", "one channel")]
        files["page"] = str(write_page(sounds, rate, out / "index.html", title, facts))
    return Answer(f"{title}\nwritten: {out}", {"out": str(out), "files": files, "new": changed, "rate": rate})
