"""Noise is taken out step by step, the same each time, along the line that was learned."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from oplas import DataError, ShapeError
from oplas.decompose import Composable
from oplas.decompose.blending import blend, render


class Oracle(Composable):
    """Knows each component, and tells it or its velocity whatever it sees."""

    def __init__(self, truth: torch.Tensor, predict="clean", operator="mean") -> None:
        super().__init__(truth.shape[2], truth.shape[1], size="S", predict=predict, operator=operator)
        self.truth = truth

    def render(self, z, seen, alpha):
        if self.predict == "clean":
            return self.truth.expand(len(z), *self.truth.shape[1:])
        seen = seen if seen.ndim == 4 else seen.unsqueeze(1)
        return (self.truth - seen) / (1 - alpha.view(-1, 1, 1, 1))  # x - ε where seen = α x + (1 - α) ε


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("predict", ["clean", "velocity"])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_model_that_knows_is_believed(together: bool, predict, steps: int) -> None:
    truth = torch.rand(1, 2, 4, 8)
    made = render(Oracle(truth, predict), torch.zeros(3, 2, 8), steps=steps, together=together)
    torch.testing.assert_close(made, truth.expand(3, -1, -1, -1), atol=1e-5, rtol=1e-5)


def test_the_ends_of_the_line() -> None:
    x, e = torch.rand(2, 4, 8), torch.rand(2, 4, 8)
    made = blend(x, e, torch.tensor([1.0, 0.0]))
    assert torch.equal(made[0], x[0]) and torch.equal(made[1], e[1])


@torch.no_grad()
@pytest.mark.parametrize("together", [True, False])
def test_the_same_seed_renders_the_same(together: bool) -> None:
    model = Composable(8, 2, size="S").eval()
    z = torch.rand(2, 2, 16, generator=Generator().manual_seed(1))
    once, again, other = (render(model, z, steps=3, seed=seed, together=together) for seed in (0, 0, 1))
    assert torch.equal(once, again) and not torch.allclose(once, other)
    torch.testing.assert_close(render(model, z[:1], steps=3, together=together), once[:1])  # whatever is beside it in the batch


@torch.no_grad()
def test_alone_a_component_knows_nothing_of_the_others() -> None:
    model = Composable(8, 2, size="S").eval()
    z = torch.rand(1, 2, 16)
    torch.testing.assert_close(render(model, z, steps=3, together=False)[:, :1], render(model, z[:, :1], steps=3, together=False))


def test_bad_questions_are_refused() -> None:
    with pytest.raises(DataError, match="at least 1"):
        render(Composable(8, size="S"), torch.rand(1, 2, 8), steps=0)
    with pytest.raises(ShapeError, match="give the mixture"):
        render(Composable(8, size="S", view="clean"), torch.rand(1, 2, 8))
