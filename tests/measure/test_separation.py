import math

import pytest
import torch

from oplas import DataError, ShapeError
from oplas.measure.separation import separation


def _windows(n: int, k: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(k, 2000, generator=generator, dtype=torch.float64) for _ in range(n)]


def _noisy(sources: list[torch.Tensor], noise: float) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [s + noise * torch.randn(s.shape, generator=generator, dtype=s.dtype) for s in sources]


def test_the_ratio_is_that_of_the_noise_put_in() -> None:
    sources = _windows(12)
    found = separation(sources, _noisy(sources, 0.1), [i // 3 for i in range(12)])
    assert found.sdr == pytest.approx(20, abs=0.5) and found.sdr_interval[0] <= found.sdr <= found.sdr_interval[1]
    assert found.sir > 25 and (found.windows, found.songs, found.silent, found.named) == (12, 4, 0, 1.0)
    assert "12 windows of 4 songs" in str(found)


def test_the_order_is_looked_for_as_widely_as_asked() -> None:
    sources, songs = _windows(12), [i // 3 for i in range(12)]
    good = _noisy(sources, 0.1)
    by_song = [e.flip(0) if song % 2 else e for e, song in zip(good, songs, strict=True)]
    by_window = [e.flip(0) if i % 3 == 2 else e for i, e in enumerate(good)]
    assert separation(sources, by_song, songs, within="song").sdr > 19
    every = separation(sources, by_song, songs, within="all")
    assert every.named == 0.5
    assert separation(sources, by_window, songs, within="window").sdr > 19
    assert separation(sources, by_window, songs, within="song").named == pytest.approx(2 / 3)


def test_silent_parts_count_as_failures_and_never_as_figures() -> None:
    sources = _windows(5)
    muted = [e * torch.tensor([[1.0], [0.0]]) for e in _noisy(sources, 0.1)]
    found = separation(sources, muted, list(range(5)))
    assert found.sdr == -math.inf and found.silent == 5 and found.to_dict()["sdr"] is None
    assert separation(sources, [e * 0 for e in muted], list(range(5))).sdr == -math.inf


def test_parts_left_over_are_not_judged_and_too_few_are_refused() -> None:
    sources = _windows(4)
    more = [torch.cat([torch.ones(1, 2000, dtype=torch.float64), e]) for e in _noisy(sources, 0.1)]
    assert separation(sources, more, [0, 0, 1, 1]).sdr > 19
    with pytest.raises(ShapeError, match="at least as many"):
        separation(sources, [e[:1] for e in sources], [0, 0, 1, 1])
    with pytest.raises(ShapeError, match="one each"):
        separation([], [], [])
    with pytest.raises(DataError, match="silent"):
        separation([s * 0 for s in sources], sources, [0, 0, 1, 1])
