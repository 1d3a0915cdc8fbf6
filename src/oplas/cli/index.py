"""``oplas index create``, ``add``, ``list``, ``delete``, ``versions``, ``compact``, ``export`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._shell import Answer, Json, answers

Where = Annotated[str, typer.Argument(metavar="INDEX", help="Folder of the index, or an address such as s3://bucket/songs.index.")]
SpaceHere = Annotated[Path, typer.Option(help="Folder of the saved space whose latents it holds.")]
Filter = Annotated[
    str | None, typer.Option("--where", help="Rows meant: \"song = 'blue' AND start < 60 AND array_has(tags, 'drums')\".")
]


def add(app: typer.Typer) -> None:
    """Put the commands on the app."""
    group = typer.Typer(help="An index of latents with file, song, time and tags, for search and the studio.", no_args_is_help=True)
    for name, command in (
        ("create", create), ("add", add_files), ("list", show), ("delete", delete), ("versions", versions), ("compact", compact),
        ("export", write), ("import", read),
    ):  # fmt: skip
        answers(group, name)(command)
    app.add_typer(group, name="index")


def create(index: Where, space: SpaceHere, as_json: Json = False) -> Answer:
    """Make an empty index for the latents of a space. 'oplas index add' does it by itself."""
    from ..mixing import load_space
    from ..store import Index

    made = Index.create(index, load_space(space))
    return Answer(f"{index}: empty, for {made.identity}", {"index": index, "identity": made.identity.to_dict()})


def add_files(
    index: Where,
    places: Annotated[list[Path], typer.Argument(help="Audio files, and folders of them.")],
    space: SpaceHere,
    hop: Annotated[float | None, typer.Option(help="Seconds from window to window; default end to end.")] = None,
    song: Annotated[
        Literal["file", "folder"], typer.Option(help="What a song is: each file, or each folder (song/stem.wav).")
    ] = "file",
    tag: Annotated[list[str] | None, typer.Option(help="For every row; may be given several times.")] = None,
    as_json: Json = False,
) -> Answer:
    """Add the windows of sound files; files that are there, unchanged, are skipped.

    Ctrl-C or a kill keeps what was added; the same command goes on from there.
    """
    from .._watch import bar
    from ..embed import audio_files
    from ..mixing import load_space
    from ..store import Index

    loaded, files = load_space(space), audio_files(*places)
    made = Index.open(index, loaded) if Index.exists(index) else Index.create(index, loaded)
    try:
        with bar("adding", len(files), unit="files") as advance:
            added = made.add_files(loaded, files, hop=hop, song=song, tags=tag, advance=advance)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; {index} holds {len(made)} rows, and the same command goes on from there") from None
    text = f"{added.count} rows added, {added.skipped} were there, {added.replaced} of changed files replaced; {len(made)} in all"
    facts = {"index": index, "files": len(files), "added": added.count, "skipped": added.skipped, "replaced": added.replaced}
    return Answer(f"{text}\nnext: oplas search {space} 'mix.wav - drums.wav' --in {index}", facts | {"rows": len(made)})


def show(
    index: Where,
    where: Filter = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many rows to list.")] = 10,
    as_json: Json = False,
) -> Answer:
    """Say what an index holds, and list some of its rows."""
    from .._told import table
    from ..store import Index

    made = Index.open(index)
    count, version, recall = made.count(where), made.version, made.recall
    columns = ["file", "song", "start", "tags", "id"]
    listed = made.table(columns, where, limit=rows).to_pylist()
    text = f"{index}: {count} rows{' so filtered' if where else ''}, {made.identity}, version {version}, recall {recall:.3f}"
    if listed:
        lines = [[_cell(row[name]) for name in columns] for row in listed]
        text += "\n" + table([columns, *lines]) + (f"\n... and {count - len(listed)} more" if count > len(listed) else "")
    facts = {"index": index, "rows": count, "version": version, "recall": recall, "identity": made.identity.to_dict()}
    return Answer(text, facts | {"listed": listed})


def delete(
    index: Where,
    where: Annotated[str, typer.Option(help="Rows to delete, such as \"file = '/music/blue.wav'\".")],
    as_json: Json = False,
) -> Answer:
    """Delete rows; earlier versions keep them until they are compacted away."""
    from ..store import Index

    made = Index.open(index)
    count = made.delete(where)
    return Answer(f"{count} rows deleted, {len(made)} are left", {"index": index, "deleted": count, "rows": len(made)})


def versions(index: Where, as_json: Json = False) -> Answer:
    """List the states of an index that can be gone back to."""
    from .._told import table
    from ..store import Index

    listed = Index.open(index).versions()
    lines = [[str(each.version), f"{each.time:%Y-%m-%d %H:%M:%S}", str(each.rows)] for each in listed]
    facts = [{"version": each.version, "time": each.time.isoformat(), "rows": each.rows} for each in listed]
    return Answer(table([["version", "time", "rows"], *lines]), {"index": index, "versions": facts})


def compact(
    index: Where,
    keep: Annotated[float, typer.Option(min=0.0, help="Days for which earlier versions are kept.")] = 7.0,
    as_json: Json = False,
) -> Answer:
    """Join small files, bring the lists of neighbours up to date, and forget earlier versions."""
    from datetime import timedelta

    from .._watch import bar
    from ..store import Index

    made = Index.open(index)
    before = len(made.versions())
    with bar(f"compacting {len(made)} rows"):
        made.compact(timedelta(days=keep))
    left = len(made.versions())
    text = f"{index}: {len(made)} rows, {left} versions (there were {before}), recall {made.recall:.3f}"
    return Answer(text, {"index": index, "rows": len(made), "versions": left, "recall": made.recall})


def write(
    index: Where,
    out: Annotated[Path, typer.Argument(help="File to write: .parquet, .npz, .npy, .faiss or .json (points, as Qdrant has them).")],
    where: Filter = None,
    as_json: Json = False,
) -> Answer:
    """Write the rows of an index to a file, vectors and all."""
    from ..store import Index, export

    count = export(Index.open(index), out, where)
    return Answer(f"{count} rows\nwritten: {out}", {"index": index, "out": str(out), "rows": count})


def read(
    index: Where,
    file: Annotated[Path, typer.Argument(help="File to read: .parquet, .npz, .npy, .faiss or .json (points, as Qdrant has them).")],
    space: Annotated[Path | None, typer.Option(help="Folder of the space its vectors are from, if the file does not say.")] = None,
    as_json: Json = False,
) -> Answer:
    """Add the rows of a file. Vectors of another space are refused, whether the file says so or its numbers do."""
    from ..mixing import load_space
    from ..store import Index, load

    made = Index.open(index)
    added = load(made, file, load_space(space) if space is not None else None)
    text = f"{added.count} rows added, {added.skipped} were there; {len(made)} in all"
    return Answer(text, {"index": index, "added": added.count, "skipped": added.skipped, "rows": len(made)})


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return " ".join(map(str, value)) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
