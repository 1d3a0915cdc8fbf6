"""The seed's network has the seed's size; the others are as blind to moves as they say."""

import pytest
import torch
from torch import Generator

from oplas._spelled import read
from oplas.data.blobs import blobs
from oplas.networks import ConvNet, PlacedNet
from oplas.networks.centred import CentredNet, Painter, rolled
from oplas.networks.convnet import centroid

WORDS = {kind.__name__: kind for kind in (ConvNet, PlacedNet, CentredNet, Painter)}


def test_the_seeds_network_has_the_seeds_number_of_parameters():
    assert sum(p.numel() for p in ConvNet().parameters()) == 61_264


@pytest.mark.parametrize("network", [ConvNet(8), PlacedNet(8), CentredNet(8, hidden=32)], ids=lambda n: type(n).__name__)
def test_latents_start_with_mean_0_and_deviation_1_and_pictures_need_not_be_square(network):
    x = blobs(4).views(100, Generator().manual_seed(0)).flat
    network.prepare(x)
    z = network(x)[:, 2 if isinstance(network, CentredNet) else 0 :]
    assert z.mean(0).abs().max() < 1e-3 and torch.allclose(z.std(0), torch.ones(z.shape[1]), atol=1e-3)
    assert repr(read(repr(network), WORDS)) == repr(network)
    if not isinstance(network, CentredNet):
        assert torch.isfinite(network(torch.zeros(2, 24, 20))).all()  # an empty picture is somewhere, too


def test_the_centroid_moves_as_the_blob_does():
    toy = blobs(4)
    views = toy.views(50, Generator().manual_seed(0))
    where = centroid(views.flat).unflatten(0, (50, 3))
    assert torch.allclose(where - where[:, :1], views.moves.float(), atol=1e-4)
    assert torch.equal(centroid(torch.zeros(1, 6, 6)), torch.zeros(1, 2))


def test_a_network_factored_by_construction_only_moves_its_first_two_dimensions():
    network = CentredNet(8, hidden=32, unit=4.0)
    views = blobs(4).views(100, Generator().manual_seed(1))
    with torch.no_grad():
        z = network(views.flat).unflatten(0, (100, 3))
    d = z - z[:, :1]
    assert torch.allclose(d[..., :2] * 4, views.moves.float(), atol=1e-4)
    assert d[..., 2:].abs().max() < 1e-5


def test_placed_latents_barely_change_but_by_where_they_are_and_not_at_all_over_four_cells():
    network, toy = PlacedNet(8).eval(), blobs(4)
    shapes = toy.shapes(40, Generator().manual_seed(0))
    rest, far = (toy.draw(shapes, torch.tensor(move).expand(40, 1, 2))[:, 0] for move in ([0, 0], [4, -4]))
    with torch.no_grad():
        d = network(far) - network(rest)
    step = network.head.weight[:, 64] - network.head.weight[:, 65]
    assert torch.allclose(d, step.expand_as(d), atol=1e-4)


def test_each_picture_is_rolled_by_its_own_cells():
    x = torch.arange(2 * 5 * 4.0).view(2, 5, 4)
    moved = rolled(x, torch.tensor([[1, -2], [-3, 0]]))
    assert torch.equal(moved[0], x[0].roll((1, -2), (0, 1)))
    assert torch.equal(moved[1], x[1].roll(-3, 0))
