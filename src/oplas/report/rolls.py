"""A song before and after its way through a space, beside the truth: piano rolls to look at and to play, on one page."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _artefact
from ..data.pianoroll import cells
from .page import style

if TYPE_CHECKING:
    from ..data.notes import Notes
    from ..through import Passage

RIGHT, WRONG = 0, 1


def write_page(passage: Passage, file: str | Path, title: str, *, tempo: float = 120.0) -> Path:
    """Write :func:`rolls_page` whole or not at all.

    Raises:
        ArtefactError: the disk refuses.
    """
    return _artefact.write_text(Path(file), rolls_page(passage, title, tempo=tempo))


def rolls_page(passage: Passage, title: str, *, tempo: float = 120.0) -> str:
    """Before, after and the truth as a self-contained HTML page: nothing is fetched, sounds are made by the browser.

    Args:
        title: the page's heading, plain text.
        tempo: beats per minute at which the page plays.
    """
    found, true, score = _names(passage.found), _names(passage.true), passage.score
    lanes = (
        ("Before", "what the file says", passage.before, None),
        ("After", "encoded, moved in the space, decoded; ringed: notes that the true move does not have", passage.found, true),
        ("True move", "the notes themselves moved; ringed: notes that did not come out of the space", passage.true, found),
    )
    data = {"tempo": tempo, "lanes": [_rows(notes, among) for _, _, notes, among in lanes]}
    figures = (
        (score.f1, "note F1", "pitch and onset as in the true move"),
        (score.f1_with_length, "with lengths", "the note must end on the same sixteenth, too"),
        (score.recall, "recall", f"of {score.true} true notes"),
        (score.precision, "precision", f"of {score.found} notes that came out"),
    )
    tiles = "".join(f"<li><b>{value:.4f}</b><span>{name}</span><small>{meaning}</small></li>" for value, name, meaning in figures)
    legend = "".join(f'<li class="part-{index % 3}">{escape(part)}</li>' for index, part in enumerate(passage.before.parts))
    shown = "".join(_lane(index, name, meaning, len(notes)) for index, (name, meaning, notes, _) in enumerate(lanes))
    script = _file("rolls.js")
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{allowed}'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{style()}{_file("rolls.css")}</style></head>'
        f'<body><header><h1>{escape(title)}</h1><ul class="tiles">{tiles}</ul></header><main>'
        f'<ul class="legend" aria-label="Tracks">{legend}</ul><p class="muted" id="keys">Click into a roll to play from there. '
        "With the keyboard, space plays and stops, the arrow keys move by a beat, with shift by four.</p>"
        f"<noscript><p>The rolls are drawn and played by a script, which this browser does not run.</p></noscript>{shown}</main>"
        f'<script type="application/json" id="data">{_json(data)}</script><script>{script}</script></body></html>\n'
    )


def _lane(index: int, name: str, meaning: str, notes: int) -> str:
    return (
        f'<section><h2 id="lane-{index}">{name}</h2><p class="muted">{meaning}</p><p class="deck">'
        f'<button type="button" data-lane="{index}" aria-describedby="lane-{index}">Play</button><output></output></p>'
        f'<div class="scroll roll" tabindex="0" role="group" aria-labelledby="lane-{index}" aria-describedby="keys">'
        f'<canvas role="img" aria-label="Piano roll of {notes} notes"></canvas><span class="head"></span></div></section>'
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _rows(notes: Notes, among: set[tuple[int, ...]] | None) -> list[list[float]]:
    """Onset and length (beats), pitch, velocity, part, and whether the other side has the note, by onset."""
    kinds = [RIGHT if among is None or name in among else WRONG for name in _order(notes)]
    times = ([round(each, 4) for each in column.tolist()] for column in (notes.onset, notes.length))
    loud = [round(each, 3) for each in notes.velocity.tolist()]
    return sorted(map(list, zip(*times, notes.pitch.tolist(), loud, notes.part.tolist(), kinds, strict=True)))


def _order(notes: Notes) -> list[tuple[int, ...]]:
    return [tuple(row) for row in cells(notes)[:, [0, 2]].tolist()]


def _names(notes: Notes) -> set[tuple[int, ...]]:
    return set(_order(notes))


def _json(data: dict[str, Any]) -> str:
    """Nothing in it can end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
