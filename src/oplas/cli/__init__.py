"""The command line: learn, certify, discover, embed, apply, decompose, translate, data, encoders, demo.

Exit codes: 0 done (certify: holds) · 1 unexpected fault · 2 wrong usage · 3 certified 'partly' · 4 certified 'no simple
operator' or 'vacuous' · 65 the data, a file or a package will not do; the message says what to do · 130 interrupted.
"""

from __future__ import annotations

import typer

from . import decompose, demo, fader, files, index, midi, rings, search, sources, spaces, studio, translate

app = typer.Typer(
    name="oplas",
    help="Spaces in which a mix is the sum of its stems: learned, certified, used.",
    epilog="Exit codes: 0 done (certify: holds), 1 unexpected fault, 2 wrong usage, 3 certified 'partly', 4 certified "
    "'no simple operator' or 'vacuous', 65 data, file or package will not do, 130 interrupted. "
    "Answers go to stdout, everything else to stderr.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (demo, spaces, search, decompose, rings, files, index, fader, translate, midi, studio, sources):
    part.add(app)


def main() -> None:
    """The ``oplas`` command."""
    app()
