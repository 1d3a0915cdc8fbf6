"""Networks for piano rolls: shapes, gradients to the last parameter, and codes that stay where their cells are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from oplas.networks.blocks import Rows
from oplas.networks.decoder import Decoder
from oplas.networks.pooled import Pooled, Unpooled
from oplas.networks.swin import Swin, gather
from oplas.networks.vit import ViT


@pytest.fixture(scope="module")
def rolls() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(3, 2, 128, 128, generator=generator) < 0.01).float()


def awake(network: nn.Module) -> nn.Module:
    """Layers that start as zero made small instead, so that what lies behind them counts."""
    for parameter in network.parameters():
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return network


VIT, SWIN = ViT(code=2, depth=2), Swin(code=4, depths=(2, 1))
NETWORKS = [VIT, SWIN, Pooled(8, ViT(code=2, depth=1)), Pooled(8, Swin(code=4, depths=(1, 1)))]


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_every_parameter_learns(network, rolls):
    network = awake(network)
    z = network(rolls)
    assert z.shape == (3, network.dim)
    decoder = awake(Unpooled(8, code=2, depth=1) if isinstance(network, Pooled) else Decoder(network.width // 16, depth=1))
    logits = decoder(z)
    assert logits.shape == rolls.shape
    nn.functional.binary_cross_entropy_with_logits(logits, rolls).backward()
    for module in (network, decoder):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.mark.parametrize("network", [VIT, SWIN], ids=repr)
def test_a_hidden_patch_is_not_seen(network, rolls):
    """Whatever stands in a hidden patch, the answer is the same; elsewhere it is not."""
    network = awake(network).eval()
    heard = torch.ones(3, 64, dtype=torch.bool)
    heard[:, 3 * 8 + 5] = False
    inside, outside = rolls.clone(), rolls.clone()
    inside[:, :, 48:64, 80:96] = 1
    outside[:, :, 0, 0] = 1 - outside[:, :, 0, 0]
    assert torch.equal(network(rolls, heard), network(inside, heard))
    assert not torch.equal(network(rolls, heard), network(outside, heard))


@pytest.mark.parametrize("network", [ViT(code=4, depth=1), Swin(code=4, depths=(1, 1))], ids=repr)
def test_a_cell_is_told_in_its_own_row(network):
    """Before attention has learned anything, a cell changes the numbers of its pitch in its bar, and no others."""
    silent = torch.zeros(1, 2, 128, 128)
    struck = silent.clone()
    struck[0, 0, 37, 50] = 1
    changed = (network(struck) - network(silent))[0].unflatten(0, (64, 16, 4)).abs().sum(2).nonzero()
    assert changed.tolist() == [[37 // 16 * 8 + 50 // 16, 37 % 16]]


def test_a_row_is_drawn_from_its_own_numbers():
    decoder = awake(Decoder(code=4, depth=1)).eval()
    rows = decoder.amended(torch.randn(1, 4096))
    other = rows.clone()
    other[0, 2, 3, 5] += 1
    changed = (decoder.logits(rows) - decoder.logits(other))[0].abs().sum(0).nonzero()
    assert set(changed[:, 0].tolist()) == {37} and changed[:, 1].min() >= 48 and changed[:, 1].max() < 64


def test_silent_rows_say_what_silence_says(rolls):
    rows = Rows(16, 4)
    told = rows(rolls)
    silence = rows.read(torch.zeros(32))
    silent = ~rolls.unflatten(2, (-1, 16)).unflatten(4, (-1, 16)).permute(0, 2, 4, 3, 1, 5).flatten(4).any(-1).flatten(1, 2)
    assert torch.allclose(told.unflatten(2, (16, 4))[silent], silence.expand(int(silent.sum()), 4), atol=1e-6)


def test_fine_patches_lie_in_their_patch():
    side = torch.arange(256).unflatten(0, (16, 16))
    four = gather(torch.arange(256.0).reshape(1, 256, 1))[0, 8 * 3 + 5, :, 0]
    assert four.tolist() == side[6:8, 10:12].flatten().tolist()
