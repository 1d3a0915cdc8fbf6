"""The expression language: sounds, operators and numbers, read by a grammar, printed back as what reads the same."""

from __future__ import annotations

import difflib
import functools
import itertools
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._errors import DataError, MissingDependency

if TYPE_CHECKING:
    from lark import Lark

#: What each function counts in. The first word is printed; the others are read as well.
UNITS: dict[str, tuple[str, ...]] = {
    "transpose": ("semitones", "semitone", "st"),
    "key": ("fifths", "fifth"),
    "gain": ("dB",),
    "shift": ("steps", "step"),
    "stretch": (),
    "velocity": ("dB",),
}
LONGEST, DEEPEST = 10_000, 40

GRAMMAR = r"""
    ?start: total
    total: (PLUS | MINUS)? part ((PLUS | MINUS) part)*
    ?part: GAIN "*" part -> louder
        | item | call
        | "(" total ")"
    call: FUNCTION "(" total ("," total)* ("," AMOUNT)? ")"
    item: (NAME | QUOTED | ID) AT?
    PLUS: "+"
    MINUS: "-"
    GAIN.4: /([+-]\s*)?\d+(\.\d+)?\s*dB(?!\w)/i
    AMOUNT.5: /([+-]\s*)?\d+(\.\d+)?(\s*[A-Za-z]+)?(?=\s*\))/
    FUNCTION.3: /[A-Za-z_]\w*(?=\s*\()/
    AT: /@\s*\d+(\.\d+)?(\s*s(?!\w))?/
    ID: /#[\w-]+/
    QUOTED: /"[^"]*"|'[^']*'/
    NAME: /[^\s'"(),*@#+-][^\s'"(),*@]*/
    %ignore /\s+/
"""
_SAID = {
    "NAME": "a file", "QUOTED": "a file", "ID": "an #id", "FUNCTION": "a function", "GAIN": "a gain in dB", "LPAR": "'('",
    "RPAR": "')'", "PLUS": "'+'", "MINUS": "'-'", "STAR": "'*'", "COMMA": "','", "AT": "'@' and seconds", "AMOUNT": "a number",
    "$END": "the end",
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """A file, or the row of an index whose id begins so; with ``start`` its window that starts there (s)."""

    name: str
    start: float | None = None
    by_id: bool = False
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        quote = '"' if "'" in self.name else "'"
        plain = re.fullmatch(r"[^\s'\"(),*@#+-][^\s'\"(),*@]*", self.name) and not re.fullmatch(r"[\d.]+[A-Za-z]*", self.name)
        name = f"#{self.name}" if self.by_id else self.name if plain else f"{quote}{self.name}{quote}"
        return name if self.start is None else f"{name}@{_number(self.start)}"


@dataclass(frozen=True)
class Total:
    """Parts added (sign 1) and taken away (sign -1)."""

    parts: tuple[tuple[int, Expression], ...]
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        words = [f"({part})" if isinstance(part, Total) else str(part) for _, part in self.parts]
        signs = ["-" if self.parts[0][0] < 0 else "", *(" + " if sign > 0 else " - " for sign, _ in self.parts[1:])]
        return "".join(sign + word for sign, word in zip(signs, words, strict=True))


@dataclass(frozen=True)
class Call:
    """An operator at work, by so much of its unit; or the mean of several, which has no amount."""

    name: str
    arguments: tuple[Expression, ...]
    amount: float | None = None
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        words = [str(each) for each in self.arguments]
        if self.amount is not None:
            words.append(" ".join([_number(self.amount, sign=True), *UNITS[self.name][:1]]))
        return f"{self.name}({', '.join(words)})"


Expression = Item | Total | Call


def parse(expression: str) -> Expression:
    """What an expression says.

    >>> print(parse("mix.wav - 'my drums.wav' + transpose(a-b.wav, 2)"))
    mix.wav - 'my drums.wav' + transpose(a-b.wav, +2 semitones)
    >>> parse("-6 dB * bass.wav@12.5") == parse("gain(bass.wav@12.5, -6)")
    True

    Raises:
        DataError: it cannot be read; the message points at the character.
        MissingDependency: lark is not installed.
    """
    if len(expression) > LONGEST:
        raise DataError(f"an expression of {len(expression)} characters is too long; {LONGEST} are read")
    depth = list(itertools.accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in expression))
    if max(depth, default=0) > DEEPEST:
        raise DataError(f"parentheses {max(depth)} deep are too many; {DEEPEST} are read")
    parser = _parser()
    from lark import UnexpectedInput

    try:
        tree = parser.parse(expression)
    except UnexpectedInput as error:
        raise _unexpected(expression, error) from None
    return _read(tree, expression)


def pointed(expression: str, at: int, fact: str) -> DataError:
    """An error that shows where in the expression it is, by a caret below."""
    line = expression[:at].count("\n")
    column = at - (expression.rfind("\n", 0, at) + 1)
    shown = expression.split("\n")[line].replace("\t", " ")
    if column > 80:
        shown, column = f"…{shown[column - 60 :]}", 61
    return DataError(f"{fact}\n  {shown[:110]}\n  {' ' * column}^")


@functools.cache
def _parser() -> Lark:
    try:
        from lark import Lark
    except ImportError as error:
        raise MissingDependency("reading expressions needs lark, which is not installed: pip install lark") from error
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", propagate_positions=True)


def _read(node: Any, text: str) -> Expression:
    """The syntax tree of a parsed one."""
    at = node.meta.start_pos
    if node.data == "item":
        word, start = node.children[0], None
        if len(node.children) > 1:
            start = _finite(node.children[1].strip("@sS \t\r\n"), node.children[1].start_pos, text)
        by_id = word.type == "ID"
        name = word[1:] if by_id else word[1:-1] if word.type == "QUOTED" else str(word)
        if not name.strip():
            raise pointed(text, word.start_pos, "a file is named by an empty name; write: mix.wav - drums.wav")
        return Item(name, start, by_id, word.start_pos)
    if node.data == "louder":
        gain = node.children[0]
        return Call("gain", (_read(node.children[1], text),), _finite(re.sub(r"(?i)[\sdb]", "", gain), gain.start_pos, text), at)
    if node.data == "call":
        return _call(node, text)
    parts, sign = [], 1
    for child in node.children:
        if getattr(child, "type", "") in {"PLUS", "MINUS"}:
            sign = 1 if child.type == "PLUS" else -1
        else:
            parts.append((sign, _read(child, text)))
            sign = 1
    return parts[0][1] if len(parts) == 1 and parts[0][0] > 0 else Total(tuple(parts), at)


def _call(node: Any, text: str) -> Call:
    word, *rest = node.children
    name, at = str(word).lower(), word.start_pos
    if name not in {*UNITS, "mean"}:
        close = difflib.get_close_matches(name, [*UNITS, "mean"], 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join([*UNITS, 'mean'])}"
        raise pointed(text, at, f"there is no function {str(word)!r}; {hint}")
    amount = rest.pop() if getattr(rest[-1], "type", "") == "AMOUNT" else None
    arguments = tuple(_read(each, text) for each in rest)
    if name == "mean":
        if amount is not None:
            raise pointed(
                text, amount.start_pos, "mean takes sounds alone, such as mean(a.wav, b.wav); a file so named goes in quotes"
            )
        return Call(name, arguments, None, at)
    unit = (UNITS[name] or ("times",))[0]
    if amount is None or len(arguments) != 1:
        fact = f"{name} takes one sound and a number of {unit}: {name}({arguments[0]}, 2); a sum goes in as one sound"
        raise pointed(text, at, fact)
    number, said = re.fullmatch(r"([+-]?\s*[\d.]+)\s*([A-Za-z]*)", str(amount)).groups()  # type: ignore[union-attr]
    if said and said.lower() not in {each.lower() for each in UNITS[name]}:
        raise pointed(text, amount.start_pos, f"{name} counts in {unit}, not in {said!r}")
    return Call(name, arguments, _finite(number, amount.start_pos, text), at)


def _finite(number: str, at: int, text: str) -> float:
    value = float(re.sub(r"\s", "", number))
    if not math.isfinite(value):
        raise pointed(text, at, "this number is too large to be meant")
    return value


def _number(value: float, *, sign: bool = False) -> str:
    said = f"{value:f}".rstrip("0").rstrip(".") if float(f"{value:f}") == value else f"{value:.17f}".rstrip("0")
    return f"+{said}" if sign and value > 0 else said


def _unexpected(text: str, error: Any) -> DataError:
    """Lark's complaint as a sentence and a caret."""
    names = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
    wanted = list(dict.fromkeys(_SAID[name] for name in _SAID if name in names))
    ended = getattr(getattr(error, "token", None), "type", "") == "$END"
    at = len(text.rstrip()) if ended else max(error.pos_in_stream or 0, 0)
    if text[at : at + 1] == "@" and "AT" in names:
        return pointed(text, at, "after '@' come the seconds at which a window starts, such as mix.wav@12.5")
    if text[at : at + 1] in {"'", '"'}:
        return pointed(text, at, "this quote is never closed")
    seen = "the expression ends" if ended else f"{text[at : at + 1]!r} was not expected"
    hint = ""
    if at and not ended and text[at - 1 : at].isspace() and "PLUS" in names and "NAME" not in names:
        hint = "; a + or - is missing, or quotes around a name with spaces"
    last = f"{', '.join(wanted[:-1])} or {wanted[-1]}" if len(wanted) > 1 else "".join(wanted)
    return pointed(text, at, f"{seen} here; next could come {last}{hint}")
