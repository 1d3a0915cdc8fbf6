"""What survives of a search, measured and foretold."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError
from oplas.measure.recall import forecast, overlap
from oplas.translators import Ridge


def models(rows: int, noise: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(seed)
    turn = torch.randn(12, 10, generator=Generator().manual_seed(99), dtype=torch.float64)
    old = torch.randn(rows, 12, generator=generator, dtype=torch.float64)
    return old, old @ turn + noise * torch.randn(rows, 10, generator=generator, dtype=torch.float64)


def test_overlap_of_a_gallery_with_itself_and_with_another() -> None:
    new = models(300, 0.0)[1]
    assert overlap(new[:50], new, new).eq(1).all()
    shuffled = overlap(new[:50], new, new.roll(1, 0)).mean()
    assert shuffled < 0.15


def test_a_query_need_not_find_itself() -> None:
    x = torch.eye(6)
    alone = overlap(x[:3], x, x, k=1, own=torch.tensor([0, 1, 2]))
    assert alone.eq(1).all()
    moved = x.clone()
    moved[0] = 9 * x[1] + x[0]  # now nearest to query 1, were it not for query 1's own row
    assert overlap(x[1:2], x, moved, k=1).item() == 1
    assert overlap(x[1:2], x, moved, k=1, own=torch.tensor([1])).item() in (0, 1)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_metrics_agree_where_lengths_do(metric) -> None:
    generator = Generator().manual_seed(1)
    a, b = (torch.nn.functional.normalize(torch.randn(200, 5, generator=generator), dim=1) for _ in range(2))
    assert torch.equal(overlap(a[:20], a, b, metric=metric), overlap(a[:20], a, b))


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_forecast_holds_at_another_size(noise) -> None:
    ahead = forecast(Ridge(), *models(800, noise), size=6000)
    old, new = models(6400, noise, seed=5)
    made = Ridge().fit(*models(800, noise)).transform(old[400:])
    truth = float(overlap(new[:400], new[400:], made).mean())
    assert abs(ahead.recall - truth) < 0.06
    assert ahead.low <= ahead.recall <= ahead.high
    assert ahead.recall < ahead.measured[800]


def test_without_noise_nothing_is_lost() -> None:
    ahead = forecast(Ridge(), *models(400, 0.0), size=100_000)
    assert ahead.recall > 0.99 and ahead.untouched != ahead.untouched  # dimensions differ


def test_old_vectors_as_they_are_stand_beside() -> None:
    new = models(400, 0.0)[1]
    assert forecast(Ridge(), new, new).untouched == 1


def test_too_few_anchors_say_nothing() -> None:
    with pytest.raises(DataError, match="150 paired anchors are too few"):
        forecast(Ridge(), *models(150, 0.1))
    with pytest.raises(DataError, match="no metric"):
        overlap(torch.ones(1, 2), torch.ones(2, 2), torch.ones(2, 2), 1, "taxi")  # type: ignore[arg-type]


def test_rows_of_one_group_must_not_foretell_each_other() -> None:
    """Ten readings of each of forty things: by rows the forecast knows every thing, by groups none."""
    item, generator = torch.arange(400) % 40, Generator().manual_seed(3)
    strange = torch.randn(40, 10, generator=generator, dtype=torch.float64)  # a model that shares nothing but the things
    x = torch.nn.functional.one_hot(item, 40).double() + 0.05 * torch.randn(400, 40, generator=generator, dtype=torch.float64)
    y = strange[item] + 0.05 * torch.randn(400, 10, generator=generator, dtype=torch.float64)
    assert forecast(Ridge(), x, y).recall > 0.3
    assert forecast(Ridge(), x, y, groups=item).recall < 0.1
    with pytest.raises(DataError, match="of 3 groups"):
        forecast(Ridge(), x, y, groups=item % 3)
