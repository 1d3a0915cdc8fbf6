"""``oplas translate fit``, ``apply``, ``report`` and ``upgrade``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._shell import NO_OPERATOR, OK, PARTLY, Answer, Json, answers

if TYPE_CHECKING:
    from ..translators import Translator

#: Exit code of each verdict of a report.
CODES = {"holds": OK, "retrieves": OK, "partly": PARTLY, "not found": NO_OPERATOR, "no correspondence": NO_OPERATOR}
Anchor = "Vectors of the {} model: .parquet, .npz or .npy."
Old = Annotated[Path, typer.Argument(help=Anchor.format("old"))]
New = Annotated[Path, typer.Argument(help="The same things by the new model, paired by id, else row by row.")]
By = Annotated[str, typer.Option(help="Translator: ridge, orthogonal, affine, auto, ... or spelled, \"Ridge(by='loo')\".")]
Column = Annotated[str | None, typer.Option(help="Column of vectors; default embedding(s), or the only one.")]
Seed = Annotated[int, typer.Option(help="Of what is drawn.")]


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    group = typer.Typer(help="Vectors of one model in the space of another: an index moves without encoding again.",
                        no_args_is_help=True)  # fmt: skip
    for name, command in (("fit", fit), ("apply", apply), ("report", report), ("upgrade", upgrade)):
        answers(group, name)(command)
    app.add_typer(group, name="translate")


def fit(
    old: Old,
    new: New,
    out: Annotated[Path, typer.Option(help="File the translator is saved as, .safetensors.")],
    by: By = "ridge",
    column: Column = None,
    as_json: Json = False,
) -> Answer:
    """Learn to translate from paired vectors, in constant memory where the translator has a closed form.

    A fifth of the pairs is held out to say how good it is; what is saved is then fitted on all of them.
    """
    from .._paired import Paired
    from .._watch import bar
    from ..translators.named import named

    _apart(out, old, new)
    translator = named(by)
    pairs = Paired(old, new, column)
    with bar("fitting", pairs.rows, unit="pairs") as advance:
        r2 = pairs.fit(translator, advance)
    translator.save(out)
    facts = {"out": str(out), "by": repr(translator), "pairs": pairs.rows, "dims": pairs.dims, "r2": r2}
    text = f"{translator!r} from {pairs.dims[0]} to {pairs.dims[1]} dimensions on {pairs.rows} pairs: R² {r2:.3f} held out"
    return Answer(f"{text}\nsaved: {out}\nnext: oplas translate report {old} {new} --by {by}", facts)


def apply(
    translator: Annotated[Path, typer.Argument(help="A saved translator.")],
    source: Annotated[Path, typer.Argument(help="Vectors to translate: a file, or a folder of Parquet files.")],
    out: Annotated[Path, typer.Option(help="File, or folder, to write: of the same kind as the source.")],
    column: Column = None,
    as_json: Json = False,
) -> Answer:
    """Translate vectors block by block, whatever their number; everything else in the file is copied.

    Ctrl-C or a kill leaves OUT.run; the same command goes on from there.
    """
    from ..translators import Translator

    _apart(out, source, translator)
    count = _move(Translator.load(translator), source, out, column, None)
    facts = {"out": str(out), "vectors": count, "translator": str(translator)}
    return Answer(f"{count} vectors translated\nwritten: {out}", facts)


def report(
    old: Old,
    new: New,
    by: By = "ridge",
    translator: Annotated[Path | None, typer.Option(help="Judge this saved one, on pairs it has not seen.")] = None,
    column: Column = None,
    out: Annotated[Path | None, typer.Option(help="File for the report, .json.")] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> Answer:
    """Measure a translation on held-out pairs: R², retrieval, neighbours, a learning curve, controls, a verdict.

    Exit code: 0 holds or retrieves, 3 partly, 4 not found or no correspondence.
    """
    from .._paired import Paired
    from ..measure.translation import report as measure
    from ..translators import Translator
    from ..translators.named import named

    x, y = Paired(old, new, column).some(seed)
    if translator is not None:
        found = measure(Translator.load(translator), x, y, refit=False, seed=seed)
    else:
        found = measure(named(by), x, y, seed=seed)
    facts = found.to_dict()
    text = str(found)
    if out is not None:
        facts["out"] = str(found.save(out))
        text += f"\nwritten: {out}"
    return Answer(text, facts, CODES.get(found.verdict, PARTLY))


def upgrade(
    index: Annotated[Path, typer.Argument(help="The index by the old model: .parquet, .npz, or a folder of Parquet files.")],
    old: Annotated[Path, typer.Option(help="Anchors: some of its things by the old model.")],
    new: Annotated[Path, typer.Option(help="The same things by the new model, paired by id, else row by row.")],
    out: Annotated[Path | None, typer.Option(help="The upgraded index; the old column is kept beside the new.")] = None,
    by: By = "ridge",
    column: Column = None,
    into: Annotated[str, typer.Option(help="Name of the new column.")] = "embedding_new",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Predict the recall, write nothing.")] = False,
    least: Annotated[float, typer.Option(min=0.0, max=1.0, help="Write nothing where the recall may lie below.")] = 0.0,
    k: Annotated[int, typer.Option("-k", min=1, help="Of recall@k.")] = 10,
    metric: Annotated[str, typer.Option(help="Of the search: cosine, dot, euclidean.")] = "cosine",
    seed: Seed = 0,
    as_json: Json = False,
) -> Answer:
    """Move an index to a new model by translation, and tell before how much of its searches will survive.

    Predicted is recall@k of what the new model would find had everything been encoded again, at the index's own size, with a
    95 % interval. Exit code: 0 done (or would be), 3 the recall may lie below --least, and nothing was written.
    """
    from .._errors import DataError
    from .._migrate import count
    from .._paired import Paired
    from .._watch import bar
    from ..measure.recall import forecast
    from ..translators.named import named

    if out is None and not dry_run:
        raise DataError("nowhere to write: give --out FILE, or --dry-run to predict the recall alone")
    if out is not None:
        _apart(out, index, old, new)
    size, dim = count(index, column)
    pairs = Paired(old, new, column)
    if pairs.dims[0] != dim:
        raise DataError(
            f"{index} holds vectors of {dim} dimensions, the anchors {old} of {pairs.dims[0]}; they are of other models"
        )
    translator = named(by)
    with bar("predicting the recall"):
        seen = forecast(translator, *pairs.some(seed), size=size, k=k, metric=metric, seed=seed)  # type: ignore[arg-type]
    pairs.warn_of_strangers(index, column, seed)
    facts: dict[str, Any] = {
        "index": str(index), "vectors": size, "dims": pairs.dims, "by": repr(translator), "anchors": pairs.rows, "k": k,
        "recall": seen.recall, "low": seen.low, "high": seen.high, "measured": seen.measured, "untouched": seen.untouched,
    }  # fmt: skip
    text = (
        f"predicted recall@{k} at {size} vectors: {seen.recall:.3f} ({seen.low:.3f} … {seen.high:.3f}) of a full re-embedding\n"
        + "measured among the anchors: " + " · ".join(f"{n}: {share:.3f}" for n, share in seen.measured.items())
    )  # fmt: skip
    if seen.low < least:
        return Answer(f"{text}\nbelow --least {least:g}: nothing was written; give more anchors, or another --by", facts, PARTLY)
    if dry_run or out is None:
        return Answer(f"{text}\ndry run: nothing was written", facts)
    with bar("fitting", pairs.rows, unit="pairs") as advance:
        facts["r2"] = pairs.fit(translator, advance)
    done = _move(translator, index, out, column, into)
    return Answer(f"{text}\n{done} vectors translated into '{into}'\nwritten: {out}", {**facts, "out": str(out), "into": into})


def _apart(out: Path, *given: Path) -> None:
    """Refuse to write over what is read."""
    from .._errors import DataError

    if any(out.resolve() == each.resolve() for each in given):
        raise DataError(f"{out} is read by this command and would be written over; give --out another name")


def _move(translator: Translator, source: Path, out: Path, column: str | None, into: str | None) -> int:
    from .._migrate import count, migrate
    from .._watch import bar

    size, _ = count(source, column)
    try:
        with bar("translating", size, unit="vectors") as advance:
            return migrate(translator, source, out, column, into, tell=advance)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what is done is in {out}.run, and the same command goes on from there") from None
