"""Expressions are read, printed, and refused with a finger on the character."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oplas._errors import DataError
from oplas.algebra import Call, Expression, Item, Total, parse

NAMES = st.text(string.ascii_letters + string.digits + " ._-+/@#'(),*é", min_size=1, max_size=12).filter(lambda name: name.strip())
ITEMS = st.builds(Item, NAMES, st.none() | st.decimals(0, 999, places=3).map(float)) | st.builds(
    Item, st.text("0123456789abcdef", min_size=1, max_size=8), st.none(), st.just(True)
)
AMOUNTS = st.decimals(-40, 40, places=3).map(float)


def sums(of: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Two parts or more, or one taken away: one part added is that part."""
    parts = st.lists(st.tuples(st.sampled_from([1, -1]), of), min_size=1, max_size=4)
    return parts.filter(lambda each: len(each) > 1 or each[0][0] < 0).map(lambda each: Total(tuple(each)))


def calls(of: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    one = st.builds(Call, st.sampled_from(["transpose", "key", "gain", "shift"]), of.map(lambda each: (each,)), AMOUNTS)
    return one | st.builds(Call, st.just("mean"), st.lists(of, min_size=1, max_size=3).map(tuple))


EXPRESSIONS = st.recursive(ITEMS, lambda of: sums(of) | calls(of), max_leaves=12)


@given(EXPRESSIONS)
def test_what_is_printed_reads_the_same(expression: Expression) -> None:
    assert parse(str(expression)) == expression


@given(st.text(max_size=60) | st.text(string.ascii_letters + "0123456789 .+-*@#'\"(),dB", max_size=60))
def test_nothing_but_a_data_error_is_ever_raised(text: str) -> None:
    with contextlib.suppress(DataError):
        assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("mix.wav - drums.wav", "+mix.wav  -drums.wav"),
        ("a-b.wav", "'a-b.wav'"),
        ("-6 dB * drums.wav", "gain(drums.wav, -6)"),
        ("mix - 6 dB * drums", "mix - (+6dB * drums)"),
        ("mix + -6 dB * drums", "mix + gain(drums, -6 dB)"),
        ("key(song.mid, +1 fifth)", "key(song.mid, 1)"),
        ("TRANSPOSE(a, 2 st)", "transpose(a, +2 semitones)"),
        ("((a))", "a"),
        ("mean(a + b, c)", "mean((a + b), c)"),
        ("mix.wav@12.50 s", "mix.wav@12.5"),
    ],
)
def test_spellings_of_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


def test_a_minus_in_front_of_parentheses_takes_all_of_it_away() -> None:
    assert parse("a - (b - c)") == Total(((1, Item("a")), (-1, Total(((1, Item("b")), (-1, Item("c")))))))


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 0, "ends here"),
        ("mix.wav -", 9, "ends here; next could come a file"),
        ("mix.wav drums.wav", 8, "a + or - is missing"),
        ("mix.wav - * drums.wav", 10, "'*' was not expected"),
        ("mix - transpse(a, 2)", 6, "did you mean transpose?"),
        ("transpose(a, 2 fifths)", 13, "counts in semitones"),
        ("transpose(a)", 0, "transpose takes one sound and a number of semitones"),
        ("mean(a, 2)", 8, "mean takes sounds alone"),
        ("a@x", 1, "seconds"),
        ("a - 'b", 4, "never closed"),
        ("''", 0, "empty name"),
        ("(a + b", 6, "ends here; next could come ')'"),
        (f"gain(a, {'9' * 400})", 8, "too large"),
    ],
)
def test_the_caret_points_at_the_character(text: str, column: int, words: str) -> None:
    with pytest.raises(DataError, match=r"\^$") as caught:
        parse(text)
    message = str(caught.value)
    assert words in message
    shown, caret = message.splitlines()[-2:]
    assert caret.index("^") - 2 == column
    assert shown[2:] == text[:110]


@pytest.mark.parametrize("text", ["(" * 50 + "a" + ")" * 50, "a" * 20_000])
def test_what_is_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="too"):
        parse(text)
