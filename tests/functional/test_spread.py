"""Guarantees of the figures and losses of spread."""

import math

import pytest
import torch
from torch import Generator

from oplas.functional.spread import correlation_leak, covariance, effective_rank, scatter, sigreg, spectrum, variance_hinge


def cloud(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, d, generator=Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: scatter(z),
        lambda z: variance_hinge(z, floor=3.0),
        lambda z: correlation_leak(z),
        lambda z: covariance(z),
        lambda z: sigreg(z, 3, Generator().manual_seed(1)),
    ],
    ids=["scatter", "variance_hinge", "correlation_leak", "covariance", "sigreg"],
)
def test_gradients_are_those_of_the_formula(loss):
    assert torch.autograd.gradcheck(loss, (cloud(7, 3).requires_grad_(),))


def test_covariance_and_scatter_by_hand():
    z = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
    assert torch.allclose(covariance(z), torch.tensor([[4 / 3, 0.0], [0.0, 16 / 3]]))
    assert scatter(z).item() == pytest.approx(1 + 4)


def test_variance_hinge_by_hand():
    z = torch.tensor([[-1.0, -0.1, 0.0], [1.0, 0.1, 0.0]])  # variances 2, 0.02, 0
    expected = [0.0, 1 - math.sqrt(0.0201), 1 - math.sqrt(1e-4)]
    assert variance_hinge(z).tolist() == pytest.approx(expected, abs=1e-6)


def test_mean_square_of_the_leak_is_vicregs_covariance_term():
    z = cloud(50, 4) @ cloud(4, 4, 1)
    c = torch.cov(z.T)
    off = (c.square().sum() - c.diagonal().square().sum()) / 4
    assert correlation_leak(z).square().mean().item() == pytest.approx(off.item(), rel=1e-9)


@pytest.mark.parametrize(("scales", "rank"), [((1, 1, 1, 1), 4), ((1, 1, 0, 0), 2), ((1, 0, 0, 0), 1), ((0, 0, 0, 0), 0)])
def test_effective_rank_of_known_clouds(scales, rank):
    axes = torch.cat([torch.eye(4), -torch.eye(4)]) * torch.tensor(scales, dtype=torch.float32)
    turned = axes @ torch.linalg.qr(cloud(4, 4, dtype=torch.float32)).Q + 3
    assert effective_rank(turned) == pytest.approx(rank, abs=1e-4)


def test_effective_rank_is_the_exponential_of_the_entropy_of_the_spectrum():
    z = torch.cat([torch.eye(3), -torch.eye(3)]) * torch.tensor([3.0, 2.0, 1.0])
    p = [9 / 14, 4 / 14, 1 / 14]
    assert spectrum(z).tolist() == pytest.approx(p, abs=1e-6)
    assert effective_rank(z) == pytest.approx(math.exp(-sum(x * math.log(x) for x in p)), abs=1e-5)
    assert spectrum(torch.ones(5, 3)).tolist() == [0, 0, 0]


def test_sigreg_is_nothing_on_gaussians_and_something_elsewhere():
    normal = cloud(4000, 8)
    others = {
        "uniform": (torch.rand(4000, 8, generator=Generator().manual_seed(2), dtype=torch.float64) - 0.5) * 12**0.5,
        "shifted": normal + 1,
        "narrow": normal / 3,
        "point": normal * 0,
        "a line": normal[:, :1].expand(-1, 8),
    }
    scores = {name: sigreg(z, 64, Generator().manual_seed(3)).mean().item() for name, z in others.items()}
    least = sigreg(normal, 64, Generator().manual_seed(3)).mean().item()
    assert least < 1e-3
    # projections of a uniform cube onto random directions are nearly normal: only the others are far off
    assert all(score > 10 * least for name, score in scores.items() if name != "uniform")
    assert scores["uniform"] > least


def test_sigreg_depends_on_its_generator_alone():
    z = cloud(40, 3)
    assert torch.equal(sigreg(z, 8, Generator().manual_seed(5)), sigreg(z, 8, Generator().manual_seed(5)))
    assert not torch.equal(sigreg(z, 8, Generator().manual_seed(5)), sigreg(z, 8, Generator().manual_seed(6)))
