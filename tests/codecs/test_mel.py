import pytest
import torch

from oplas import ShapeError
from oplas.codecs import Mel


def test_codes_of_ordinary_music_have_mean_square_one_and_grow_with_the_root_of_level() -> None:
    noise = torch.randn(24_000, generator=torch.Generator().manual_seed(0)).cumsum(0)
    noise = 0.1 * noise / noise.square().mean().sqrt()
    mel = Mel()
    assert (mel.encode(noise) >= 0).all()
    assert torch.allclose(mel.encode(4 * noise), 2 * mel.encode(noise), rtol=1e-4)


def test_without_a_mixture_the_magnitudes_are_kept() -> None:
    t = torch.arange(24_000) / 24_000
    x = sum(0.1 * torch.sin(2 * torch.pi * 220 * k * t + k) for k in range(1, 6)) * torch.exp(-2 * t)
    mel = Mel()
    z = mel.encode(x)
    again = mel.encode(mel.decode(z, samples=len(x)))
    assert (again - z).square().mean() < 0.1 * z.square().mean()


def test_a_code_is_differentiable_through_the_mixture() -> None:
    mel, mix = Mel(), torch.randn(5000, generator=torch.Generator().manual_seed(0))
    z = mel.encode(torch.stack([mix, mix.roll(700)])).requires_grad_()
    (gradient,) = torch.autograd.grad(mel.decode(z, mix)[0].square().sum(), z)
    assert gradient.isfinite().all() and gradient.any()


def test_bands_are_as_many_as_bins_at_most() -> None:
    assert torch.allclose(Mel(1025).triangles, torch.eye(1025), atol=1e-5)
    for bands in (1, 1026):
        with pytest.raises(ShapeError, match="at most"):
            Mel(bands)
