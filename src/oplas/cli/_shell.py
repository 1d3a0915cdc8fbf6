"""What every command shares: one answer on stdout, everything else on stderr, exit codes that scripts can use."""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

#: Exit codes. 2, wrong usage, is typer's own; 1 is what Python gives to an error nobody expected.
OK, PARTLY, NO_OPERATOR, DATA, INTERRUPTED = 0, 3, 4, 65, 130

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on stdout.")]


@dataclass(frozen=True)
class Answer:
    """What a command found: for people, for programs, and the exit code."""

    text: str
    facts: dict[str, Any] = field(default_factory=dict)
    code: int = OK


def answers(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., Answer]], Callable[..., None]]:
    """Make a function that returns an :class:`Answer` a command; its errors become one line and an exit code."""

    def register(function: Callable[..., Answer]) -> Callable[..., None]:
        @app.command(name, **settings)
        @functools.wraps(function)
        def run(**options: Any) -> None:
            from .._errors import OplasError

            as_json = bool(options.get("as_json"))
            with warnings.catch_warnings():
                told = _tell_warnings()
                try:
                    answer = function(**options)
                except KeyboardInterrupt as stop:
                    answer = _failed("interrupted", str(stop) or "interrupted; nothing half-written is left", INTERRUPTED)
                except OplasError as error:
                    answer = _failed(type(error).__name__, str(error), DATA)
                except OSError as error:
                    where = f"{error.filename}: " if error.filename else ""
                    answer = _failed("OSError", f"{where}{error.strerror or error}; free disk space, or choose another place", DATA)
            if as_json:
                typer.echo(json.dumps(_clean({**answer.facts, "warnings": told, "exit": answer.code}), allow_nan=False))
            else:
                typer.echo(answer.text, err="error" in answer.facts)
            raise typer.Exit(answer.code)

        return run

    return register


def _clean(facts: Any) -> Any:
    """JSON knows no NaN: figures that could not be measured become null."""
    if isinstance(facts, float):
        return facts if math.isfinite(facts) else None
    if isinstance(facts, dict):
        return {str(key): _clean(value) for key, value in facts.items()}
    return [_clean(value) for value in facts] if isinstance(facts, list | tuple) else facts


def say(text: str) -> None:
    """A line on stderr."""
    typer.echo(text, err=True)


def _failed(kind: str, message: str, code: int) -> Answer:
    return Answer(f"oplas: {message}", {"error": {"kind": kind, "message": message}}, code)


def _tell_warnings() -> list[str]:
    """Show oplas's own warnings as lines on stderr, once each; returns the list they are kept in."""
    told: list[str] = []

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if str(message) not in told:
            told.append(str(message))
            say(f"warning: {message}")

    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", category=UserWarning, module="oplas")
    warnings.showwarning = show
    return told
