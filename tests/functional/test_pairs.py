"""Statistics of pairs are those of the rows, however they were gathered, merged or taken away."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.functional import pairs
from oplas.functional.pairs import TENSORS, PairStatistics


def rows(n: int, d: int = 5, e: int = 3, seed: int = 0, far: float = 0.0) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return x + far, x[:, :e].cumsum(1) + torch.randn(n, e, generator=generator, dtype=torch.float64) - far


def by_hand(x: Tensor, y: Tensor) -> PairStatistics:
    x, y = x.double(), y.double()
    a, b = x - x.mean(0), y - y.mean(0)
    return PairStatistics(len(x), x.mean(0), y.mean(0), a.T @ a, a.T @ b, b.T @ b)


def same(one: PairStatistics, other: PairStatistics, tolerance: float = 1e-9) -> bool:
    scale = max(1.0, float(other.xx.trace()), float(other.yy.trace()))
    near = (torch.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=tolerance * scale) for name in TENSORS)
    return one.n == other.n and all(near)


parts = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(parts, st.floats(-1e4, 1e4), st.integers(0, 1000))
def test_a_stream_says_what_the_whole_says(sizes, far, seed):
    x, y = rows(sum(sizes), seed=seed, far=far)
    streamed = PairStatistics.empty(5, 3)
    for a, b in zip(x.split(sizes), y.split(sizes), strict=True):
        streamed.update(a, b)
    assert same(streamed, by_hand(x, y), 1e-9)


@settings(max_examples=40, deadline=None)
@given(parts, st.floats(-1e4, 1e4), st.randoms())
def test_workers_merge_in_any_order(sizes, far, random):
    x, y = rows(sum(sizes), far=far)
    found = [PairStatistics.of(a, b) for a, b in zip(x.split(sizes), y.split(sizes), strict=True)]
    random.shuffle(found)
    assert same(sum(found[1:], found[0]), by_hand(x, y))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60), st.floats(-1e3, 1e3))
def test_what_is_taken_away_leaves_the_rest(kept, gone, far):
    x, y = rows(kept + gone, far=far)
    whole, fold = PairStatistics.of(x, y), PairStatistics.of(x[kept:], y[kept:])
    before = by_hand(x, y)
    assert same(whole - fold, by_hand(x[:kept], y[:kept]), 1e-8)
    assert same(whole, before) and same((whole - fold) + fold, before), "the operands are left as they were"


def test_all_taken_away_leaves_nothing():
    x, y = rows(9)
    none = PairStatistics.of(x, y) - PairStatistics.of(x, y)
    assert none.n == 0 and all(getattr(none, name).abs().max() == 0 for name in ("xx", "xy", "yy"))


def test_rows_far_from_zero_lose_nothing():
    """Where the mean is 10⁸ times the spread, moments about zero would have lost every digit."""
    x, y = rows(500)
    near, far = PairStatistics.of(x, y), PairStatistics.of(x + 1e8, y - 1e8)
    assert torch.allclose(near.xy, far.xy, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_low_precision_is_summed_in_float64(kind):
    x, y = (each.to(kind) for each in rows(3000, far=10.0))
    found = PairStatistics.of(x, y)
    assert found.xx.dtype == torch.float64
    assert same(found, by_hand(x, y), 1e-12)


def test_wide_rows_have_the_same_gram_as_narrow_ones():
    """Above a width the product is made in mirrored blocks."""
    x, y = rows(50, d=400, e=3)
    found = PairStatistics.of(x, y)
    assert same(found, by_hand(x, y), 1e-12) and torch.allclose(found.xx, found.xx.T, rtol=1e-12)


def test_chunks_are_of_no_account(monkeypatch):
    x, y = rows(100)
    monkeypatch.setattr(pairs, "CHUNK", 7)
    assert same(PairStatistics.of(x, y), by_hand(x, y))


def test_scaled_swapped_and_about_zero_are_those_of_the_rows_so_changed():
    x, y = rows(60, far=2.0)
    found, u, v = PairStatistics.of(x, y), torch.linspace(0.5, 2, 5).double(), torch.linspace(3, 1, 3).double()
    assert same(found.scaled(u, 4.0), by_hand(x / u, y / 4.0))
    assert same(found.scaled(1.0, v), by_hand(x, y / v))
    assert same(found.swapped(), by_hand(y, x))
    raw = found.about_zero()
    assert torch.allclose(raw.xy, x.T @ y) and torch.allclose(raw.yy, y.T @ y) and raw.mean_x.abs().max() == 0


def test_what_is_not_asked_for_in_full_keeps_its_diagonal():
    x, y = rows(60)
    found, whole = PairStatistics.of(x, y, full=("yy",)), by_hand(x, y)
    assert torch.allclose(found.xx, whole.xx.diagonal().diag()) and torch.allclose(found.yy, whole.yy)


def test_state_is_plain_tensors_that_read_back():
    x, y = rows(60)
    state = PairStatistics.of(x, y).state()
    assert all(isinstance(each, Tensor) for each in state.values())
    assert same(PairStatistics.from_state(state), by_hand(x, y))


def test_what_does_not_fit_is_refused():
    x, y = rows(10)
    found = PairStatistics.of(x, y)
    for bad_x, bad_y in ((x[:, :4], y), (x, y[:5]), (x[0], y[0])):
        with pytest.raises(ShapeError, match="shapes"):
            found.update(bad_x, bad_y)
    with pytest.raises(ShapeError, match="different pairs of spaces"):
        found + PairStatistics.of(y, x)
    with pytest.raises(DataError, match="10 pairs cannot be taken from 5"):
        PairStatistics.of(x[:5], y[:5]) - found


def test_memory_does_not_grow_with_the_rows():
    x, y = rows(10)
    small, large = PairStatistics.of(x, y), PairStatistics.empty(5, 3)
    for _ in range(50):
        large.update(*rows(100))
    assert [getattr(small, name).shape for name in TENSORS] == [getattr(large, name).shape for name in TENSORS]
    assert large.n == 5000
