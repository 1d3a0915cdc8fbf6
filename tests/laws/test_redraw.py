"""Self-supervised terms on views of rolls, and the loop that goes on with them where it was killed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from oplas.data.notes import Notes
from oplas.data.pianoroll import Crops
from oplas.data.rollviews import RollViews
from oplas.data.views import Views
from oplas.laws.redraw import Attraction, Redraw
from oplas.laws.views import Batch
from oplas.networks.decoder import Decoder
from oplas.networks.vit import ViT
from oplas.pretrain import pretrain


@pytest.fixture(scope="module")
def views() -> RollViews:
    walk = torch.cumsum(torch.randint(-4, 5, (200,), generator=torch.Generator().manual_seed(0)), 0).clamp(-20, 20) + 60
    return RollViews(Crops([Notes.of([(beat / 2, 0.5, int(pitch)) for beat, pitch in enumerate(walk)], name="walk")]))


def test_views_are_the_rest_moved(views):
    seen = views.views(24, torch.Generator().manual_seed(1))
    assert seen.x.shape == (24, 3, 2, 128, 128) and not seen.moves[:, 0].any()
    for rest, x, moves in zip(seen.x[:, :1].expand(-1, 2, -1, -1, -1).flatten(0, 1), seen.x[:, 1:].flatten(0, 1),
                              seen.moves[:, 1:].flatten(0, 1).tolist(), strict=True):  # fmt: skip
        assert torch.equal(rest.roll(moves, (1, 2)), x)
    along = (seen.moves[:, 1:] != 0).sum(2)
    assert (along == 1).all()  # each view is moved along one axis
    assert seen.moves[..., 0].abs().max() <= 6 and seen.moves[..., 1].abs().max() <= 8


def test_attraction_weakens_with_distance():
    moves = torch.tensor([[[0, 0], [1, 0], [0, -8]]])
    seen = Views(torch.zeros(1, 3, 1), moves)
    z = torch.tensor([[[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]])
    near, far = torch.exp(torch.tensor(-1 / 4)), torch.exp(torch.tensor(-8 / 4))
    assert float(Attraction(4.0)(Batch(nn.Identity(), seen, z))) == pytest.approx(float((near + far) / 2))


class Knows(Decoder):
    """Draws rows from 32 numbers that are their cells."""

    def __init__(self) -> None:
        super().__init__(code=32, depth=0)
        self.draw = nn.Identity()  # type: ignore[assignment]


class Tells(nn.Module):
    """Says every cell, 20 where it is on and -20 where it is off; of hidden patches that all is off."""

    def forward(self, rolls, heard=None):
        rows = rolls.unflatten(2, (8, 16)).unflatten(4, (8, 16)).permute(0, 2, 4, 3, 1, 5).flatten(4)
        if heard is not None:
            rows = rows * heard.view(-1, 8, 8, 1, 1)
        return (40 * rows - 20).flatten(1)


def test_what_is_known_costs_nothing_and_what_is_hidden_does(views):
    seen = views.views(8, torch.Generator().manual_seed(2))
    batch = Batch.through(Tells(), seen)
    torch.manual_seed(0)
    assert Redraw(Knows())(batch).item() < 1e-4
    assert Redraw(Knows(), hidden=0.5)(batch).item() > 10  # nats: a cell that is on is missed at 20


def test_two_terms_may_share_a_decoder_and_be_resumed(views, tmp_path, monkeypatch):
    def fresh() -> tuple[ViT, list[Redraw]]:
        torch.manual_seed(0)
        decoder = Decoder(code=2, depth=1, hidden=8)
        return ViT(code=2, depth=1), [Redraw(decoder), Redraw(decoder, hidden=0.25, weight=0.1)]

    options = {"steps": 10, "batch": 2, "progress": False}
    whole, terms = fresh()
    pretrain(whole, terms, views.views, **options)
    killed, terms = fresh()
    calls = 0

    def stream(count, generator):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return views.views(count, generator)

    stream.__self__ = views
    with pytest.raises(KeyboardInterrupt):
        pretrain(killed, terms, stream, folder=tmp_path / "run", **options)
    again, terms = fresh()
    pretrain(again, terms, views.views, folder=tmp_path / "run", **options)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
