"""Guarantees of the closed-form coordinates: the lawful subspace is found, whatever the coordinates it hides in."""

import pytest
import torch
from torch import Generator, Tensor

from oplas.functional.components import lawful_components
from oplas.functional.spread import covariance


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def planted(error: tuple[float, ...], scale: tuple[float, ...], turn: Tensor | None = None, n: int = 4000) -> tuple[Tensor, Tensor]:
    """Residuals and outcomes of n trials: coordinate j varies by scale[j] and errs by error[j] in units of that."""
    size = torch.tensor(scale, dtype=torch.float64)
    outcome = normal(n, len(scale)) * size
    residual = normal(n, len(scale), seed=1) * size * torch.tensor(error, dtype=torch.float64)
    turn = torch.eye(len(scale), dtype=torch.float64) if turn is None else turn
    return residual @ turn, outcome @ turn


def solve(residual: Tensor, outcome: Tensor, **options: float) -> tuple[Tensor, Tensor]:
    return lawful_components(residual.T @ residual / len(residual), covariance(outcome), **options)


def test_planted_lawful_subspace_is_recovered():
    turn = normal(6, 6, seed=2)
    residual, outcome = planted((1.0, 0.05, 0.7, 0.1, 1.3, 0.9), (3, 1, 2, 1, 1, 2), turn)
    directions, shares = solve(residual, outcome, shrink=1e-9)
    lawful = torch.linalg.inv(turn)[:, [1, 3]]  # the columns that read the planted coordinates
    fit = torch.linalg.lstsq(directions[:, :2], lawful).solution
    assert torch.linalg.norm(directions[:, :2] @ fit - lawful) < 0.05 * torch.linalg.norm(lawful)
    assert shares[:2].tolist() == pytest.approx([1 - 0.05**2, 1 - 0.1**2], abs=2e-3)
    assert (shares[2:] < 0.6).all()


def test_coordinates_are_white_and_in_order_of_r2():
    residual, outcome = planted((0.5, 0.1, 0.9, 0.2), (1, 5, 0.2, 1), normal(4, 4, seed=3))
    directions, shares = solve(residual, outcome, shrink=1e-12)
    z, errors = outcome @ directions, residual @ directions
    assert torch.allclose(covariance(z), torch.eye(4, dtype=torch.float64), atol=1e-6)
    assert torch.equal(shares, shares.sort(descending=True).values)
    measured = 1 - errors.square().mean(0) / z.var(0)
    assert torch.allclose(measured, shares, atol=1e-6)


def test_what_is_found_does_not_depend_on_the_coordinates_it_is_looked_for_in():
    residual, outcome = planted((0.5, 0.1, 0.9, 0.2), (1, 5, 0.2, 1))
    turn = normal(4, 4, seed=4)
    (plain, shares), (turned, others) = (solve(residual @ t, outcome @ t, shrink=1e-12) for t in (torch.eye(4).double(), turn))
    assert torch.allclose(shares, others, atol=1e-6)
    z, w = outcome @ plain, outcome @ turn @ turned
    assert torch.allclose(z.abs(), w.abs(), atol=1e-4)  # each direction up to its sign


def test_scale_of_a_dimension_changes_nothing_even_when_shrunk():
    residual, outcome = planted((0.5, 0.1, 0.9, 0.2), (1, 5, 0.2, 1))
    units = torch.tensor([1e-2, 1.0, 1e2, 10.0]).double()
    assert torch.allclose(solve(residual, outcome)[1], solve(residual * units, outcome * units)[1], atol=1e-9)


def test_directions_in_which_nothing_varies_are_not_taken_for_lawful():
    """A dead dimension errs by nothing and says nothing; one far below the others that breaks the law says no more."""
    residual, outcome = planted((0.3, 1.0, 0.0), (1, 1, 0))
    directions, shares = solve(residual, outcome)
    assert directions[2, 0].abs() * 1e-6 < directions[0, 0].abs()
    assert (outcome @ directions).var(0)[0] == pytest.approx(1, abs=0.01)
    assert shares[0] == pytest.approx(1 - 0.09, abs=0.02)
    hidden = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1e-3, 0.0], [0.0, 0.0, 1.0]]).double()  # the first two nearly parallel
    directions, shares = solve(*planted((0.3, 1.0, 0.6), (1, 1, 1), hidden))
    assert shares[0] < 0.95, "a direction 1000 times narrower than the others, with R² 0, was ranked as lawful"
