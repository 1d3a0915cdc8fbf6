"""The networks: as large as the paper's, alike whatever the order of parts, for any number of frames."""

from __future__ import annotations

import pytest
import torch

from oplas import DataError, ShapeError
from oplas.decompose import Composable, compose
from oplas.decompose.blending import render
from oplas.decompose.prior import Prior
from oplas.decompose.semantic import Semantic
from oplas.decompose.unet import sinusoids


def count(module: torch.nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def test_the_paper_sizes_are_the_papers() -> None:
    with torch.device("meta"):
        model, prior, one = Composable(128, 2, size="paper"), Prior(2, size="paper"), Semantic(128)
    assert count(one) == 2_904_453
    assert count(model.encoders) == 5_808_906  # 5.81 M
    assert count(model.decoders) == 10_478_136  # 10.48 M
    assert count(prior) == 7_731_714  # 7.73 M


def test_m_is_small_enough_to_ship() -> None:
    with torch.device("meta"):
        assert 4 * (count(Composable(128, 4)) + count(Prior(4))) < 20e6


@pytest.mark.parametrize("decoder", ["shared", "separate"])
@pytest.mark.parametrize("frames", [1, 7, 64])
def test_any_number_of_frames(decoder, frames: int) -> None:
    model = Composable(8, 3, size="S", decoder=decoder).eval()
    x = torch.rand(2, 8, frames)
    z = model.latents(x)
    y = model.render(z, x, torch.tensor([0.0, 0.5]))
    assert z.shape == (2, 3, frames) and y.shape == (2, 3, 8, frames) and model.compose(y).shape == x.shape


def test_a_shared_decoder_keeps_the_order_of_parts() -> None:
    model = Composable(8, 3, size="S").eval()
    x, order = torch.rand(2, 8, 16), torch.tensor([2, 0, 1])
    z, alpha = model.latents(x), torch.tensor([0.2, 0.7])
    y = model.render(z, x, alpha)
    torch.testing.assert_close(model.render(z[:, order], x, alpha), y[:, order])
    torch.testing.assert_close(model.compose(y[:, order]), model.compose(y))


def test_each_part_may_see_its_own() -> None:
    model = Composable(8, 2, size="S").eval()
    x, other, alpha = torch.rand(1, 8, 16), torch.rand(1, 8, 16), torch.ones(1)
    z = model.latents(x)
    y = model.render(z, torch.stack([x, other], 1), alpha)
    torch.testing.assert_close(y[:, :1], model.render(z[:, :1], x, alpha))
    torch.testing.assert_close(y[:, 1:], model.render(z[:, 1:], other, alpha))


def test_a_blind_decoder_does_not_look() -> None:
    model = Composable(8, 2, size="S", view="blind").eval()
    x, alpha = torch.rand(1, 8, 16), torch.ones(1)
    z = model.latents(x)
    assert torch.equal(model.render(z, x, alpha), model.render(z, 3 * x, alpha))


def test_positive_codes_stay_positive_and_units_carry_over() -> None:
    model = Composable(8, 2, size="S", positive=True).eval()
    x, alpha = torch.rand(1, 8, 16), torch.ones(1)
    before = model.render(model.latents(x), x, alpha)
    model.scale.fill_(10.0)
    assert bool((before >= 0).all())
    torch.testing.assert_close(model.render(model.latents(10 * x), 10 * x, alpha), 10 * before)


@pytest.mark.parametrize("name", ["mean", "sum", "max", "min"])
def test_operators_ask_for_no_order(name) -> None:
    y = torch.rand(2, 3, 5)
    torch.testing.assert_close(compose(y, name), compose(y.flip(1), name))


def test_noise_levels_are_told_apart() -> None:
    told = sinusoids(1000 * torch.linspace(0, 1, 50), 16)
    assert float(torch.pdist(told).min()) > 1e-2


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"parts": 0}, DataError),
        ({"parts": 9}, DataError),
        ({"operator": "product"}, DataError),
        ({"view": "noisy", "predict": "noise"}, DataError),
        ({"view": "blind", "predict": "velocity"}, DataError),
        ({"size": "XL"}, DataError),
    ],
)
def test_no_other_choices(choice, kind) -> None:
    with pytest.raises(kind):
        Composable(8, **{"size": "S", **choice})


def test_codes_of_another_codec_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\[batch, 8, frames\]"):
        Composable(8, size="S").latents(torch.rand(1, 9, 16))


@pytest.mark.parametrize("decoder", ["shared", "separate"])
def test_a_component_may_have_several_numbers_a_frame(decoder: str) -> None:
    model = Composable(16, 3, size="S", decoder=decoder, view="blind", numbers=2)  # type: ignore[arg-type]
    x = torch.randn(2, 16, 20)
    z = model.latents(x)
    assert z.shape == (2, 3, 2, 20)
    assert model.render(z, x, torch.ones(2)).shape == (2, 3, 16, 20)
    assert render(model, z).shape == (2, 3, 16, 20)
    with pytest.raises(DataError, match="1 to 8"):
        Composable(16, 3, numbers=0)
