"""Residual is never worse than the ridge it starts from; Kernel follows bends."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import OplasError
from oplas.translators import Kernel, Residual, Ridge, Translator


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=Generator().manual_seed(seed))


def bent(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    x = draw(n, 4, seed=seed)
    return x, torch.cat([torch.tanh(2 * x), x[:, :2] * x[:, 2:]], 1)


def test_the_network_finds_what_ridge_cannot() -> None:
    (x, y), (new, true) = bent(600), bent(300, seed=9)
    made = Residual(seed=1).fit(x, y)
    assert made.epochs_ > 0
    assert made.held_out_["residual"] > made.held_out_["ridge"] + 0.1
    assert made.score(new, true) > Ridge().fit(x, y).score(new, true) + 0.1


@pytest.mark.parametrize("n", [10, 25, 200])
def test_where_the_truth_is_linear_it_is_ridge(n: int) -> None:
    x = draw(n, 8, seed=n)
    y = x @ draw(8, 5, seed=3) + 0.5 * draw(n, 5, seed=4)
    made = Residual().fit(x, y)
    assert made.held_out_["residual"] >= made.held_out_["ridge"]
    new = draw(500, 8, seed=5)
    assert made.score(new, new @ draw(8, 5, seed=3)) >= Ridge().fit(x, y).score(new, new @ draw(8, 5, seed=3)) - 1e-9


def test_a_seed_gives_the_same_map_again_and_a_file_keeps_it(tmp_path: Path) -> None:
    x, y = bent(200)
    made, twin = Residual(seed=2).fit(x, y), Residual(seed=2).fit(x, y)
    assert torch.equal(made.transform(x), twin.transform(x))
    again = Translator.load(made.save(tmp_path / "residual.safetensors"))
    assert torch.equal(again.transform(x), made.transform(x))
    assert again.held_out_ == made.held_out_  # type: ignore[attr-defined]


def test_a_kernel_follows_bends_with_few_centres_too(tmp_path: Path) -> None:
    (x, y), (new, true) = bent(600), bent(300, seed=9)
    line = Ridge().fit(x, y).score(new, true)
    whole, part = Kernel().fit(x, y), Kernel(most=150).fit(x, y)
    assert len(part.centres_) == 150
    assert whole.score(new, true) > line + 0.2
    assert part.score(new, true) > line + 0.1
    again = Kernel.load(part.save(tmp_path / "kernel.safetensors"))
    assert torch.equal(again.transform(new), part.transform(new))


def test_far_from_all_anchors_a_kernel_says_the_mean() -> None:
    x, y = bent(100)
    assert torch.allclose(Kernel().fit(x, y).transform(1e3 + x[:5]), Kernel().fit(x, y).transform(-1e3 + x[:5]))


def test_options_out_of_range_are_refused() -> None:
    x, y = bent(30)
    for wrong in (Residual(held_out=1.0), Residual(rank=-1), Residual(hidden=0), Kernel(0.0), Kernel(most=1)):
        with pytest.raises(OplasError, match=type(wrong).__name__ if isinstance(wrong, Residual) else "width"):
            wrong.fit(x, y)
