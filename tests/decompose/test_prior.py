"""The prior: rows that are given stay, to the last bit; the others are drawn, the same from the same seed."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from oplas import DataError
from oplas.decompose.prior import Prior


class Believing(Prior):
    """Takes what it sees for what is."""

    def _told(self, rows, masked, alpha):
        return rows


class Knowing(Prior):
    """Knows that the second row is the first, backwards, and that rows are otherwise constant."""

    def _told(self, rows, masked, alpha):
        first = torch.where(masked[:, :1, None] > 0, torch.full_like(rows[:, :1], 0.5), rows[:, :1])
        return torch.cat([first, first.flip(2)], 1)


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(3, 2, 16, generator=Generator().manual_seed(0)) * 4 + 7


def test_given_rows_are_clamped_and_the_others_follow_them(z) -> None:
    prior = Knowing(2, size="S")
    made = prior.sample(z, torch.tensor([False, True]), steps=5)
    assert torch.equal(made[:, 0], z[:, 0])
    torch.testing.assert_close(made[:, 1], z[:, 0].flip(1))


def test_all_free_nothing_of_the_rows_is_left(z) -> None:
    prior, free = Prior(2, size="S").eval(), torch.tensor([True, True])
    made = prior.sample(z, free, steps=3)
    assert torch.equal(made, prior.sample(z, free, steps=3))
    torch.testing.assert_close(made, prior.sample(z + 100, free, steps=3))
    assert not torch.allclose(made, prior.sample(z, free, steps=3, seed=1))


def test_strength_is_how_far_it_goes(z) -> None:
    prior, free = Believing(2, size="S"), torch.tensor([True, True])
    prior.measure(z)
    far = [float((prior.sample(z, free, strength=s) - z).norm()) for s in (0.0, 0.1, 0.5)]
    assert far[0] == 0 < far[1] < far[2]
    assert torch.equal(prior.sample(z, torch.tensor([False, False])), z)


def test_the_loss_is_least_for_what_is_true(z) -> None:
    knowing = Knowing(2, size="S")
    rows = torch.full((64, 2, 16), 0.5)
    assert float(knowing.loss(rows, Generator().manual_seed(0))) == 0
    assert Prior(2, size="S").loss(z, Generator().manual_seed(0)).item() > 0


def test_bad_questions_are_refused(z) -> None:
    for wrong in ({"strength": -0.1}, {"strength": 1.1}, {"steps": 0}):
        with pytest.raises(DataError, match="strength"):
            Prior(2, size="S").sample(z, torch.tensor([True, True]), **wrong)
