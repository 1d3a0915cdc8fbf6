"""``oplas transpose``, ``oplas shift`` and ``oplas motif``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shell import Answer, Json, answers

if TYPE_CHECKING:
    from ..data.notes import Notes

Source = Annotated[Path, typer.Argument(help="MIDI file.", metavar="IN.MID")]
Out = Annotated[Path, typer.Option("--out", "-o", help="MIDI file to write.")]
Weights = Annotated[Path | None, typer.Option(help="Weights of another space of rolls; default the one that comes with oplas.")]
Page = Annotated[Path | None, typer.Option(help="Also write a page with the piano rolls before and after, to look at and play.")]


def add(app: typer.Typer) -> None:
    """Put the three commands on the app."""
    numbers = {"ignore_unknown_options": True}  # so that -3 is a number
    answers(app, "transpose", context_settings=numbers)(transpose)
    answers(app, "shift", context_settings=numbers)(shift)
    answers(app, "motif")(motif)


def transpose(
    source: Source,
    semitones: Annotated[int, typer.Argument(help="Such as +3 or -5.", metavar="SEMITONES")],
    out: Out,
    space: Weights = None,
    page: Page = None,
    as_json: Json = False,
) -> Answer:
    """Transpose a MIDI file in the latent space: encode, move, decode, write; and say how many notes came out right.

    Drums, tempo, programs and velocities stay as they are.
    """
    return _moved(source, out, space, page, f"{semitones:+d} semitones", semitones=semitones)


def shift(
    source: Source,
    steps: Annotated[int, typer.Argument(help="Sixteenths later, such as +2, or earlier, such as -2.", metavar="STEPS")],
    out: Out,
    space: Weights = None,
    page: Page = None,
    as_json: Json = False,
) -> Answer:
    """Shift the pitched tracks of a MIDI file by sixteenths in the latent space; drums, tempo and programs stay."""
    return _moved(source, out, space, page, f"{steps:+d} sixteenths", steps=steps)


def motif(
    phrase: Annotated[Path, typer.Argument(help="MIDI file with the phrase.")],
    folder: Annotated[Path, typer.Argument(help="Folder of MIDI files to search.")],
    bars: Annotated[str | None, typer.Option(help="Bars of the phrase's file, such as 9-12; default all of it.")] = None,
    part: Annotated[str | None, typer.Option(help="Track of the phrase's file; default all.")] = None,
    meter: Annotated[int, typer.Option(min=1, help="Quarter notes in a bar.")] = 4,
    k: Annotated[int, typer.Option("-k", min=1, help="How many answers.")] = 10,
    space: Weights = None,
    as_json: Json = False,
) -> Answer:
    """Find a phrase wherever it recurs, transposed or shifted, in a folder of MIDI files.

    'expected' is how many unrelated places as near such a folder would hold: well below 1, the phrase is there.
    """
    from .._errors import DataError
    from .._watch import bar
    from ..data import midi
    from ..data.midi import midi_files
    from ..data.notes import read_midi
    from ..motifs import find_motif
    from ..rollspace import RollSpace

    wanted = read_midi(phrase).on_grid()
    if part is not None:
        wanted = wanted.only(part)
    if bars is not None:
        first, _, last = bars.partition("-")
        if not first.isdigit() or not (last or first).isdigit() or not 1 <= int(first) <= int(last or first):
            raise DataError(f"--bars {bars!r} names no bars; write them as 9 or 9-12, counted from 1")
        wanted = _begun(wanted, (int(first) - 1) * meter, int(last or first) * meter, bars)
    loaded = RollSpace.load(space) if space else RollSpace.load()
    with bar("reading", len(midi_files(folder)), unit="files") as advance:
        songs = midi(folder, tell=advance).songs
    with bar("searching", len(songs), unit="songs") as advance:
        found = find_motif(wanted, songs, loaded, k=k, tell=advance)
    return Answer(f"{found}\n{found.windows} windows of {len(songs)} songs", found.to_dict())


def _begun(song: Notes, first: float, last: float, bars: str) -> Notes:
    """The notes that begin between two beats, cut at the second."""
    from .._errors import DataError

    within = (song.onset >= first - 1e-6) & (song.onset < last - 1e-6)
    if not within.any():
        raise DataError(f"no note of {song.name} begins in bars {bars}; it has {song.beats:g} beats")
    return song.pick(within).between(first, last)


def _moved(source: Path, out: Path, space: Path | None, page: Path | None, how: str, **move: int) -> Answer:
    from .._errors import DataError
    from .._watch import bar
    from ..data.midi import rewrite
    from ..data.notes import read_midi
    from ..rollspace import RollSpace
    from ..through import through, windows

    if out.exists() and source.exists() and out.samefile(source):
        raise DataError(f"{out} is the file that is read; give another name with -o, so that the original stays")
    song = read_midi(source).on_grid()
    loaded = RollSpace.load(space) if space else RollSpace.load()
    with bar(f"taking {source.name} through the space", windows(song), unit="windows") as advance:
        passage = through(song, loaded, tell=advance, **move)
    rewrite(source, passage.found, out)
    lines = [f"{how}: {passage.score} on the grid of sixteenths", f"written: {out}"]
    if page is not None:
        from ..report.rolls import write_page

        write_page(passage, page, f"{source.name}, {how}", tempo=_tempo(source))
        lines.append(f"written: {page}")
    return Answer("\n".join(lines), {"out": str(out), "page": str(page) if page else None, **move, **passage.score.to_dict()})


def _tempo(source: Path) -> float:
    from ..data.notes import midi_score

    tempos = midi_score(source).tempos
    return float(tempos[0].qpm) if len(tempos) else 120.0
