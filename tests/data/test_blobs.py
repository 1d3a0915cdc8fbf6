"""Blobs are those of the definition, moved exactly; drawn together they follow the law of those drawn one by one."""

import pytest
import torch
from _blobs import OneByOne, shifted
from torch import Generator

from oplas._errors import DataError, ShapeError
from oplas.data import toys
from oplas.data.blobs import Blobs
from oplas.data.views import Views


def seeded(seed=0):
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("margin", [0, 4])
def test_every_move_is_the_rested_picture_shifted(margin):
    blobs = Blobs(margin=margin)
    shapes = blobs.shapes(200, seeded())
    moves = torch.cartesian_prod(torch.tensor([-4, -1, 0, 3]), torch.tensor([-3, 0, 2, 4]))
    pictures = blobs.draw(shapes, moves.expand(200, -1, -1))
    rest = pictures[:, 4 * 2 + 1]
    for picture, (dy, dx) in zip(pictures.unbind(1), moves.tolist(), strict=True):
        assert torch.equal(picture, shifted(shifted(rest, dy, 1), dx, 2))
    assert set(pictures.unique().tolist()) == {0.0, 1.0}


def test_on_the_larger_canvas_no_move_loses_a_cell_and_in_the_square_a_third_do():
    for margin, share in ((4, 0.0), (0, 0.32)):
        views = toys.blobs(margin).views(4000, seeded())
        cells = views.x.sum((2, 3))
        assert float((cells[:, 1:] < cells[:, :1]).float().mean()) == pytest.approx(share, abs=0.03 if share else 0)


@pytest.mark.parametrize("margin", [0, 4])
def test_the_law_is_that_of_the_samples_drawn_one_by_one(margin):
    one_by_one = OneByOne(1, margin=margin)
    some = [one_by_one[i] for i in range(3000)]
    rest, first = torch.stack([s[0] for s in some]), torch.stack([s[1] for s in some])
    views = Blobs(margin=margin).views(30_000, seeded(2))
    for drawn, together in ((rest, views.x[:, 0]), (first, views.x[:, 1])):
        assert float(drawn.sum((1, 2)).mean()) == pytest.approx(float(together.sum((1, 2)).mean()), abs=0.35)  # 4 deviations
        assert float((drawn.mean((0, 2)) - together.mean((0, 2))).abs().max()) < 0.012
        assert float((drawn.mean((0, 1)) - together.mean((0, 1))).abs().max()) < 0.012
    want = torch.tensor([s[3] for s in some])
    signs = (views.moves[:, 1] * views.moves[:, 2]).sum(1).sign()
    for target in (-1, 0, 1):
        assert float((want == target).float().mean()) == pytest.approx(float((signs == target).float().mean()), abs=0.035)


def test_moves_are_along_one_axis_within_reach_and_the_two_pictures_differ():
    views = Blobs(reach=3, margin=3).views(2000, seeded())
    assert (views.moves[:, 0] == 0).all()
    assert ((views.moves[:, 1:] != 0).sum(-1) == 1).all()
    assert int(views.moves.abs().max()) == 3
    assert (views.x[:, 1] != views.x[:, 2]).flatten(1).any(1).all()


def test_draws_repeat_with_their_seed():
    assert torch.equal(Blobs().views(50, seeded(3)).x, Blobs().views(50, seeded(3)).x)
    assert not torch.equal(Blobs().views(50, seeded(3)).x, Blobs().views(50, seeded(4)).x)


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="square of 5 cells"):
        Blobs(side=4)
    with pytest.raises(DataError, match="31 is the most"):
        Blobs(margin=8)
    with pytest.raises(ShapeError, match="one \\(pitch, time\\) for each view"):
        Views(torch.zeros(3, 2, 5), torch.zeros(3, 3, 2))
