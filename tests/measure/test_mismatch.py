"""Guarantees of the mismatch detector: what it says of known pairs of columns, and nulls that are calibrated."""

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, ShapeError
from oplas.measure.mismatch import mismatch


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


SCALE = torch.arange(1.0, 13.0, dtype=torch.float64)
X = normal(300, 12) * SCALE + 3
TURN = torch.linalg.qr(normal(12, 12, seed=5)).Q
ORDER = torch.randperm(300, generator=Generator().manual_seed(4))


@pytest.mark.parametrize(
    ("y", "verdict"),
    [
        (X, "same space"),
        (X.half().double(), "same space"),
        (X + 2 * normal(300, 12, seed=1), "shared coordinates"),  # one side is noisier
        ((X - 3) @ TURN + 3, "another space"),
        (X @ normal(12, 20, seed=6) + normal(300, 20, seed=7), "another space"),
        (X[ORDER], "same space, other rows"),
        (normal(300, 12, seed=8) * SCALE + 3, "same space, other rows"),
        ((X @ TURN)[ORDER], "no correspondence"),
        (normal(300, 20, seed=9), "no correspondence"),
    ],
    ids=["itself", "half precision", "noisier", "turned", "wider", "shuffled", "drawn anew", "turned and shuffled", "unrelated"],
)
def test_known_pairs_of_columns(y, verdict):
    found = mismatch(X, y, permutations=399)
    assert found.verdict == verdict, str(found)
    assert found.same is (verdict == "same space")


def test_two_noisy_readings_are_the_same_space():
    assert mismatch(X + normal(300, 12, seed=1), X + normal(300, 12, seed=2), permutations=399).same


def rejections(p: list[float], level: float) -> float:
    """Share of rejections less what chance allows three standard errors above the level."""
    return sum(each <= level for each in p) / len(p) - level - 3 * math.sqrt(level * (1 - level) / len(p))


class TestNull:
    """Under each null the p-value is at or below any level no oftener than that level says."""

    RUNS = 80

    @pytest.mark.parametrize("depends", [0.0, 0.9], ids=["independent columns", "two readings of one thing"])
    def test_distribution(self, depends):
        p = []
        for s in range(self.RUNS):
            common = math.sqrt(depends) * normal(40, 5, seed=3 * s) * SCALE[:5]
            x, y = (common + math.sqrt(1 - depends) * normal(40, 5, seed=3 * s + i) * SCALE[:5] for i in (1, 2))
            p.append(mismatch(x, y, permutations=59).distribution)
        assert rejections(p, 0.05) <= 0 and rejections(p, 0.3) <= 0
        assert sum(p) / len(p) < 0.65  # and it is not merely timid

    def test_correspondence_and_coordinates(self):
        found = [
            mismatch(normal(40, 5, seed=2 * s) * SCALE[:5], normal(40, 5, seed=2 * s + 1), permutations=59)
            for s in range(self.RUNS)
        ]
        for level in (0.05, 0.3):
            assert rejections([each.correspondence for each in found], level) <= 0
            assert rejections([each.coordinates for each in found], level) <= 0

    def test_songs_are_no_correspondence_of_their_own(self):
        """Rows cluster by song in both columns, the songs themselves are unrelated: rows are not, and must not be, counted."""
        song = torch.arange(20).repeat_interleave(6)
        p = [
            mismatch(
                3 * normal(20, 4, seed=4 * s)[song] + normal(120, 4, seed=4 * s + 1),
                3 * normal(20, 4, seed=4 * s + 2)[song] + normal(120, 4, seed=4 * s + 3),
                groups=song,
                permutations=59,
            )
            for s in range(60)
        ]
        assert rejections([each.correspondence for each in p], 0.05) <= 0
        assert rejections([each.distribution for each in p], 0.05) <= 0


def test_it_reads_arrays_and_names_of_songs():
    names = np.array([f"song {i // 10}" for i in range(300)])
    found = mismatch(X.numpy().astype(np.float32), X.numpy(), groups=names, permutations=199)
    assert found.same and found.rows == 30


def test_everything_goes_into_json():
    import json

    found = mismatch(X, normal(300, 3), permutations=19).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False))["distribution"] is None


def test_bad_input():
    with pytest.raises(ShapeError):
        mismatch(X, X[1:])
    with pytest.raises(ShapeError, match="3 groups for 300 rows"):
        mismatch(X, X, groups=[1, 2, 3])
    with pytest.raises(DataError, match="2 groups are too few"):
        mismatch(X, X, groups=[0, 1] * 150)
    with pytest.raises(DataError):
        mismatch(X[:11], X[:11])
    with pytest.raises(DataError):
        mismatch(X * math.nan, X)
