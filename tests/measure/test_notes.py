"""A note is right where it begins as the true one does, at its pitch."""

import pytest

from oplas.data import Notes
from oplas.measure.notes import note_score


def notes(*rows: tuple[float, float, int]) -> Notes:
    return Notes.of(list(rows))


TRUE = notes((0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65))


@pytest.mark.parametrize(
    ("found", "precision", "recall", "with_length"),
    [
        (TRUE, 1, 1, 1),
        (notes((0, 1, 60), (1, 0.5, 62), (2, 1, 64), (3, 1, 65)), 1, 1, 0.75),
        (notes((0, 1, 60), (1, 1, 62)), 1, 0.5, 2 / 3),
        (notes((0, 1, 60), (0, 1, 72), (1.25, 1, 62)), 1 / 3, 0.25, 2 / 7),
        (TRUE.transpose(1), 0, 0, 0),
    ],
)
def test_scores_count_notes(found, precision, recall, with_length):
    score = note_score(found, TRUE)
    assert (score.precision, score.recall) == pytest.approx((precision, recall))
    assert score.f1_with_length == pytest.approx(with_length)
    assert score.f1 == pytest.approx(2 * precision * recall / (precision + recall) if precision else 0)


def test_a_note_told_twice_counts_once():
    twice = notes((0, 1, 60), (0.01, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65))
    assert note_score(twice, TRUE).precision == 1 and note_score(twice, TRUE).found == 4
