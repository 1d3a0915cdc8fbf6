"""``oplas fader learn``, ``oplas fader show`` and ``oplas fader apply``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._shell import NO_OPERATOR, OK, PARTLY, Answer, Json, answers, say

if TYPE_CHECKING:
    from ..faders import FaderSet

#: Exit code of each verdict; of several faders the best counts.
CODES = {"holds": OK, "partly": PARTLY, "vacuous": NO_OPERATOR}
Saved = Annotated[Path, typer.Argument(help="Folder of saved faders.")]
Plot = Annotated[Path | None, typer.Option(help="Draw dose-response and side effects: a .png, or a .html page.")]


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    fader = typer.Typer(help="Faders: named attributes to move, with side effects known before.", no_args_is_help=True)
    answers(fader, "learn")(learn)
    answers(fader, "show")(show)
    answers(fader, "apply")(apply)
    app.add_typer(fader, name="fader")


def learn(
    labels: Annotated[Path, typer.Argument(help="Table with a head: file, then one column an attribute; optional: song.")],
    out: Annotated[Path, typer.Option(help="Folder the faders are saved as.")],
    space: Annotated[Path | None, typer.Option(help="Folder of a saved space: the files are then audio.")] = None,
    latents: Annotated[Path | None, typer.Option(help="Or latents, as 'oplas embed' writes them.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Unit of an attribute, such as level=dB; again for others.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split by song.")] = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> Answer:
    """Learn a fader for every column of a table, and measure on other songs what each does, and to what else.

    Half of the songs are learned from, the others judge. Exit code: 0 where a fader holds, 3 partly, 4 all vacuous.
    """
    from .._watch import bar
    from ..faders import learn_faders
    from ._labels import matched, read_labels

    check(plot)
    table = read_labels(labels)
    units = dict(each.partition("=")[::2] for each in unit or ())
    with bar("learning and measuring"):
        z, values, song, card = matched(table, space, latents)
        found = learn_faders(z, values, song, units=units, seed=seed)
    found.card.update(card)
    found.save(out)
    answer = _told(found, plot)
    return Answer(f"{answer.text}\nsaved: {out}", {"out": str(out), **answer.facts}, answer.code)


def show(
    faders: Saved,
    name: Annotated[str | None, typer.Argument(help="One fader; default all.")] = None,
    plot: Plot = None,
    as_json: Json = False,
) -> Answer:
    """Show dose-response curves and the bounds on every other attribute."""
    from ..faders import FaderSet

    check(plot)
    found = FaderSet.load(faders)
    return _told(FaderSet([found[name]], found.card) if name else found, plot)


def apply(
    faders: Saved,
    latents: Annotated[Path, typer.Argument(help="Latents to move, as 'oplas embed' writes them.")],
    move: Annotated[list[str], typer.Option(help="How far, such as level=+6; again for others.")],
    out: Annotated[Path | None, typer.Option(help="Write the moved latents here: .npz or .npy.")] = None,
    among: Annotated[Path | None, typer.Option("--in", help="An index or file of latents: name the nearest to each.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many nearest.")] = 3,
    force: Annotated[bool, typer.Option("--force", help="Move beyond what was measured, and vacuous faders, too.")] = False,
    as_json: Json = False,
) -> Answer:
    """Move latents by faders; write them, or name what lies nearest in a collection.

    A fader says first what it does. One that is vacuous, or an amount beyond what was measured, is refused.
    """
    from ..encoders import load_embeddings
    from ..faders import FaderSet
    from ._labels import amounts, write_latents

    if out is None and among is None:
        raise typer.BadParameter("say where the moved latents go with --out, or where to look for the nearest with --in")
    found, asked = FaderSet.load(faders), amounts(move)
    for name in asked:
        say(_line(found[name]))
    z, ids = load_embeddings(latents)
    moved = found.apply(z, asked, force=force)
    facts: dict[str, Any] = {"faders": str(faders), "amounts": asked, "rows": len(z)}
    lines = [f"{len(z)} latents moved: {', '.join(f'{name} {amount:+g}' for name, amount in asked.items())}"]
    if among is not None:
        facts["nearest"] = []
        for identity, near in zip(ids, _nearest(moved, among, k + 1), strict=True):
            others = [each for each in near if each["id"] != identity][:k]
            facts["nearest"].append({"id": identity, "found": others})
            lines += [f"{identity}:", *(f"  {each['distance']:8.3f}  {each['id']}" for each in others)]
    if out is not None:
        write_latents(out, moved, ids)
        facts["out"] = str(out)
        lines.append(f"written: {out}")
    return Answer("\n".join(lines), facts)


def _nearest(z: Any, place: Path, k: int) -> list[list[dict[str, Any]]]:
    """Ids and distances of the rows nearest to each latent, in an index or in a file of latents."""
    import torch

    from .._errors import ShapeError
    from ..encoders import load_embeddings

    if place.is_dir():
        from ..store import Index

        return [[{"id": hit.id, "distance": hit.distance} for hit in hits] for hits in Index.open(place).nearest(z, k)]
    gallery, names = load_embeddings(place)
    if gallery.shape[1] != z.shape[1]:
        seen = f"{place} holds {gallery.shape[1]} numbers a row, the latents have {z.shape[1]}"
        raise ShapeError(f"{seen}: they are of different spaces; give latents of the same one")
    far, rows = torch.cdist(z.double(), gallery.double()).topk(min(k, len(names)), largest=False)
    found = zip(rows.tolist(), far.tolist(), strict=True)
    return [[{"id": names[i], "distance": d} for i, d in zip(*each, strict=True)] for each in found]


def check(plot: Path | None) -> None:
    """Refuse a plot that could not be written, before there is anything to draw."""
    if plot is not None and plot.suffix.lower() not in {".png", ".html"}:
        raise typer.BadParameter(f"{plot} is neither .png nor .html", param_hint="--plot")


def _line(fader: Any) -> str:
    sides = ", ".join(f"{side.name} at most {side.bound:.2f}" for side in fader.report.sides)
    return f"{fader.name} ({fader.report.verdict}): {fader.report.why}. In spreads, at one spread of its own: {sides or '–'}"


def _told(found: FaderSet, plot: Path | None) -> Answer:
    text = "\n\n".join(str(fader) for fader in found)
    if len(found) > 1:
        text = f"{found}\n\n{text}"
    facts = found.to_dict()
    if plot is not None:
        from ..report.faders import write_plot

        facts["plot"] = str(write_plot(found, plot))
        text += f"\nwritten: {plot}"
    return Answer(text, facts, min(CODES[fader.report.verdict] for fader in found))
