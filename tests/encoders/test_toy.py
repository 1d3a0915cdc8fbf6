"""The mixer toy's encoder: one to one, undone by its inverse, and no place where sums survive."""

import pytest
import torch

from oplas.encoders.toy import mixer


def points(count=4000, dtype=torch.float64):
    return (torch.rand(count, 2, generator=torch.Generator().manual_seed(0), dtype=dtype) - 0.5) * 12


@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-13), (torch.float32, 1e-4)])
def test_the_inverse_undoes_it_far_beyond_the_data(dtype, error):
    encoder, x = mixer(), points(dtype=dtype)
    assert (encoder.inverse(encoder(x)) - x).abs().max() < error
    assert (encoder(encoder.inverse(x / 10)) - x / 10).abs().max() < error


def test_its_jacobian_is_positive_everywhere():
    jacobian = torch.func.vmap(torch.func.jacrev(mixer()))(points(500))
    assert torch.linalg.det(jacobian).min() > 0


def test_a_known_point():
    """Written out by hand from the definition."""
    x = torch.tensor([[0.5, -1.0]], dtype=torch.float64)
    tanh = torch.tanh
    first = 0.5 - 0.5 * 0.9 * (tanh(torch.tensor(-3.0, dtype=torch.float64)) - 0.1)
    second = -1.0 + 0.7 * 0.9 * (tanh(torch.tensor(0.6, dtype=torch.float64)) + 0.05)
    expected = torch.stack([0.9 * (tanh(3.4 * p) + 0.17 * p) for p in (first, second)])
    assert torch.allclose(mixer()(x)[0], expected)


@pytest.mark.parametrize(("parts", "reference"), [(2, 0.641), (3, 0.859), (4, 1.025)])
def test_sums_of_codes_miss_the_code_of_the_sum_as_far_as_in_the_reference(parts, reference):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(50_000, parts, 2, generator=generator) * 2 - 1
    x[:, 0] *= 1.2
    sign = torch.where(torch.rand(50_000, parts, 1, generator=generator) < 0.5, -1.0, 1.0)
    x = x * (sign + 0.5 * torch.tanh(4 * torch.rand(50_000, parts, 1, generator=generator) - 2))
    encoder = mixer()
    total, mix = encoder(x).sum(1), encoder(x.sum(1))
    assert ((total - mix).square().sum() / mix.square().sum()).sqrt() == pytest.approx(reference, rel=0.02)
    undone = encoder(encoder.inverse(encoder(x)).sum(1))
    assert ((undone - mix).square().sum() / mix.square().sum()).sqrt() < 1e-4


def test_it_is_an_encoder_of_points():
    encoder = mixer()
    assert (encoder.rate, encoder.samples, encoder.dim) == (0, 2, 2)
    assert encoder.encode(points(10)).shape == (10, 2)
    assert encoder.encode(encoder.silence()).abs().max() == 0
    assert encoder.identity == mixer().identity
