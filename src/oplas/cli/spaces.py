"""``oplas learn`` and ``oplas certify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import rings
from ._shell import NO_OPERATOR, OK, PARTLY, Answer, Json, answers, say

if TYPE_CHECKING:
    from ..data import Stems
    from ..space import Space

SongsHere = Annotated[Path, typer.Argument(help="Folder of songs: song/stem.wav, or as MUSDB, Slakh and MoisesDB have them.")]
Device = Annotated[str, typer.Option(help="Where to learn: cpu, cuda, mps.")]

#: Exit code of each verdict.
CODES = {"holds": OK, "partly": PARTLY, "no simple operator": NO_OPERATOR, "vacuous": NO_OPERATOR}


def add(app: typer.Typer) -> None:
    """Put the two commands on the app."""
    answers(app, "learn")(learn)
    answers(app, "certify")(certify)


def learn(
    stems: SongsHere,
    out: Annotated[Path, typer.Option(help="Folder the space is saved as.")],
    encoder: Annotated[str, typer.Option(help="mini, log_mel, fcn, ... : see 'oplas encoders'.")] = "mini",
    width: Annotated[int, typer.Option(min=2, help="Dimensions of the space.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 3000,
    evidence: Annotated[int, typer.Option(min=64, help="Mixes held at a time; they are renewed all along.")] = 16384,
    held_out: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of songs left for 'oplas certify'.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Same seed, same songs, same machine: same space.")] = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> Answer:
    """Learn a space in which a mix is the sum of its stems.

    A fifth of the songs is left for 'oplas certify', which never judges a space by songs it has learned from. Ctrl-C saves
    and exits with 130; the same command goes on where it stopped, to the same result.
    """
    from ..mixing import check_writable, forget_run, learn_mixing, three_ways

    check_writable(out)
    train, valid, test = three_ways(load_stems(stems), held_out, seed)
    try:
        space, history = learn_mixing(
            train, valid, out, encoder, width=width, steps=steps, evidence=evidence, seed=seed, device=device
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the state is in {out}.run, and the same command goes on from there") from None
    forget_run(out)
    counts = {"learning": len(train), "stopping": len(valid), "unheard": len(test) if test else 0}
    text = f"{history}\nsongs: {', '.join(f'{name} {count}' for name, count in counts.items())}"
    facts = {"space": str(out), "encoder": encoder, "width": space.width, "songs": counts, "history": history.to_dict()}
    return Answer(f"{text}\nsaved: {out}\nnext: oplas certify {out} {stems}", facts)


def certify(
    space: Annotated[Path, typer.Argument(help="Folder of a saved space; with --ring, a file of latents.")],
    stems: Annotated[Path | None, typer.Argument(help="Folder of songs, as for 'oplas learn'; not with --ring.")] = None,
    page: Annotated[Path | None, typer.Option(help="Folder for certificate.json and the page index.html.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Its encoder, where the card does not say.")] = None,
    trials: Annotated[int, typer.Option(min=2, help="Windows to judge by, at most.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the mixes.")] = 1,
    ring: Annotated[bool, typer.Option("--ring", help="Judge whether sequences of latents come round as a ring.")] = False,
    period: Annotated[int | None, typer.Option(help="With --ring: steps until it comes round, if known.")] = None,
    as_json: Json = False,
) -> Answer:
    """Measure on songs it has not learned from how true a space's law is, beside controls.

    Songs that the space has learned from are left out. The certificate is kept in the space's card.
    Exit code: 0 holds, 3 partly, 4 no simple operator or vacuous. With --ring: 0 ring, 3 partly or wound, 4 no ring.
    """
    from .._errors import ArtefactError
    from .._watch import counting
    from ..certify import certify as measure
    from ..encoders.named import named
    from ..mixing import keep_certificate, load_space

    if ring:
        return rings.ring(space, period, seed)
    if stems is None:
        raise typer.BadParameter("give a folder of songs to certify on, or --ring for a file of latents")
    loaded = load_space(space, named(encoder) if encoder else None)
    new = load_unheard(loaded, stems)
    with counting(loaded, "encoding windows"):
        certificate = measure(loaded, new, seed=seed, trials=trials)
    facts: dict[str, object] = {"space": str(space), **certificate.to_dict()}
    text = str(certificate)
    try:
        keep_certificate(loaded, space, certificate)
    except ArtefactError as error:
        say(f"warning: the certificate is not kept in the card: {error}")
    if page is not None:
        from ..report import write

        facts["page"] = str(write(certificate, page))
        text += f"\nwritten: {facts['page']}"
    return Answer(text, facts, CODES[certificate.verdict])


def load_stems(folder: Path) -> Stems:
    """The songs under a folder, with a spinner while their files are read."""
    from .._watch import bar
    from ..data import stems

    with bar(f"reading {folder}"):
        return stems(folder)


def load_unheard(space: Space, folder: Path) -> Stems:
    """The songs under a folder that the space has not learned from; says how many are left out."""
    from ..mixing import unheard

    songs = load_stems(folder)
    new = unheard(space, songs)
    if len(new) < len(songs):
        say(f"{len(songs) - len(new)} of {len(songs)} songs are left out: the space has learned from them")
    return new
