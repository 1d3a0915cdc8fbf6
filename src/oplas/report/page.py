"""A certificate as one HTML page: no script, no font, no host; dark and light, phone and laptop, sounds to listen to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from . import parts
from .drawing import PALETTE, svg
from .plots import figures
from .sounds import Sound, players
from .words import PLOTS

if TYPE_CHECKING:
    from ..certificate import Certificate

#: Nothing is fetched: even a label that slipped through unescaped could load nothing and run nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


def page(certificate: Certificate, audio: Iterable[Sound] | None = None, title: str = "Certificate") -> str:
    """The certificate as a self-contained HTML page.

    Args:
        audio: ``(label, file or bytes)`` of WAV, OGG, FLAC or MP3, embedded in the order given.
        title: the page's heading, plain text.

    Raises:
        DataError: a sound is of another kind, or cannot be read.
        MissingDependency: matplotlib is not installed.
    """
    sections: Sequence[tuple[str, str]] = (
        ("Listen", players(audio or ())),
        ("Beside controls", parts.table(certificate)),
        ("Plots", _plots(certificate)),
        ("By number of parts", parts.counts(certificate)),
        ("Gain, and a new song", parts.sentences(certificate)),
        ("Every law the space claims", parts.residuals(certificate)),
        ("Axioms", parts.axioms(certificate)),
        ("Where these figures come from", parts.provenance(certificate)),
    )
    body = "".join(f"<section><h2>{name}</h2>{content}</section>" for name, content in sections if content)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}: {escape(certificate.verdict)}</title><link rel="icon" href="data:,">'
        f"<style>{style()}</style></head><body><header><h1>{escape(title)}</h1>{parts.verdict(certificate)}</header>"
        f"<main>{body}</main></body></html>\n"
    )


def _plots(certificate: Certificate) -> str:
    drawn = figures(certificate)
    shown = []
    for name, (heading, meaning) in PLOTS.items():
        image = svg(drawn[name], name, f"{heading}. {meaning}") if name in drawn else '<p class="muted">– not measured</p>'
        shown.append(f"<figure><figcaption><h3>{heading}</h3><p>{meaning}</p></figcaption>{image}</figure>")
    return f'<div class="plots">{"".join(shown)}</div>'


@cache
def style() -> str:
    """The pages' style sheet, colours for light and dark included."""

    def tones(which: int) -> str:
        return "".join(f"--{name}:{pair[which]};" for name, pair in PALETTE.items())

    css = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return f":root{{{tones(0)}}}@media (prefers-color-scheme: dark){{:root{{{tones(1)}}}}}\n{css}"
