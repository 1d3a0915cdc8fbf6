"""Auto chooses by what it has not seen, and says what it tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError, OplasError
from oplas.functional.pairs import PairStatistics
from oplas.translators import Affine, Auto, Kernel, Orthogonal, Residual, Ridge, Translator


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=Generator().manual_seed(seed))


def turn(d: int) -> Tensor:
    return torch.linalg.qr(draw(d, d, seed=1)).Q


def test_each_truth_is_found_by_the_method_made_for_it() -> None:
    x = draw(40, 12)
    noise = 0.3 * draw(40, 12, seed=2)
    assert Auto().fit(x, x @ turn(12) + noise).best_.__class__ is Orthogonal
    assert Auto().fit(x, x @ draw(12, 12, seed=3) + noise).best_.__class__ is Ridge
    x = draw(300, 2)
    assert Auto().fit(x, torch.sin(2 * x)).best_.__class__ is Kernel


def test_a_fold_taken_from_the_statistics_is_the_fold_refitted() -> None:
    """The score of a closed form is that of fitting each fold's complement on its rows."""
    x, y = draw(60, 5), draw(60, 4, seed=1) + draw(60, 5) @ draw(5, 4, seed=2)
    auto = Auto([Ridge(0.7)], seed=3).fit(x, y)
    told = torch.empty_like(y)
    for part in auto._parts(60):
        kept = torch.ones(60, dtype=torch.bool)
        kept[part] = False
        told[part] = Ridge(0.7).fit(x[kept], y[kept]).transform(x[part])
    expected = 1 - (told - y).square().sum() / (y - y.mean(0)).square().sum()
    assert auto.tried_[0]["score"] == pytest.approx(float(expected), abs=1e-10)


def test_statistics_alone_are_enough_for_closed_forms() -> None:
    x, y = draw(90, 6), draw(90, 6) @ turn(6) + 0.1 * draw(90, 6, seed=5)
    folds = [PairStatistics.of(a, b) for a, b in zip(x.split(30), y.split(30), strict=True)]
    auto = Auto().fit_folds(folds)
    assert isinstance(auto.best_, Orthogonal)
    assert torch.allclose(auto.transform(x), Orthogonal().fit(x, y).transform(x))
    assert {row["method"] for row in auto.tried_ if row["score"] is None} >= {"Kernel()"}
    with pytest.raises(DataError, match="two folds"):
        Auto().fit_folds(folds[:1])
    with pytest.raises(DataError, match="R²"):
        Auto(by="retrieval").fit_folds(folds)


def test_what_the_user_names_decides() -> None:
    x, y = draw(50, 6), draw(50, 6) @ turn(6)
    seen = []

    def worse(told: np.ndarray, true: np.ndarray) -> float:
        assert told.shape == true.shape == (50, 6)
        seen.append(float(((told - true) ** 2).sum()))
        return seen[-1]

    auto = Auto([Orthogonal(), Ridge(1e9)], by=worse).fit(x, y)
    assert repr(auto.best_) == "Ridge(1000000000.0)" or isinstance(auto.best_, Ridge)
    assert [row["score"] for row in auto.tried_] == sorted(seen, reverse=True)
    retrieval = Auto(by="retrieval").fit(x, y)
    assert retrieval.tried_[0]["score"] == 1.0


def test_what_cannot_be_fitted_is_passed_over_and_says_why() -> None:
    x = draw(6, 3)
    auto = Auto([Residual(), Affine()]).fit(x, x)
    assert isinstance(auto.best_, Affine)
    assert auto.tried_[1]["score"] is None
    assert "anchors are too few" in auto.tried_[1]["why_not"]
    with pytest.raises(DataError, match="none of 1 methods"):
        Auto([Residual()]).fit(x, x)
    with pytest.raises(DataError, match="too few"):
        Auto().fit(x[:4], x[:4])
    with pytest.raises(OplasError, match="no criterion"):
        Auto(by="best").fit(x, x)  # type: ignore[arg-type]
    with pytest.raises(OplasError, match="at least two"):
        Auto(folds=1).fit(draw(30, 3), draw(30, 3))


def test_a_saved_choice_needs_no_function(tmp_path: Path) -> None:
    x, y = draw(40, 4), draw(40, 4) @ turn(4)
    auto = Auto(by=lambda told, true: -float(abs(told - true).sum())).fit(x, y)
    again = Translator.load(auto.save(tmp_path / "auto.safetensors"))
    assert isinstance(again, Auto)
    assert again.tried_ == auto.tried_
    assert torch.equal(again.transform(x), auto.transform(x))
    assert torch.allclose(again.inverse_transform(again.transform(x)), x)


def test_numpy_and_torch_and_clone_agree() -> None:
    sklearn = pytest.importorskip("sklearn.base")
    x, y = draw(40, 4), draw(40, 3, seed=1)
    auto = Auto([Ridge(), Kernel(2.0)])
    twin = sklearn.clone(auto)
    assert repr(twin) == repr(auto)
    told = twin.fit(x.numpy(), y.numpy()).transform(x.numpy())
    assert isinstance(told, np.ndarray)
    assert np.allclose(told, auto.fit(x, y).transform(x).numpy())
