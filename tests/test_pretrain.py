"""Pretraining makes laws hold on views never seen, and comes to the same end however often it is stopped on the way."""

import pytest
import torch
from torch import Generator, nn

from oplas._errors import ArtefactError, DataError
from oplas.actions.pianoroll import Shift, Transpose
from oplas.data.blobs import Blobs
from oplas.data.views import Views
from oplas.laws import Decorrelation
from oplas.laws.factor import factored
from oplas.laws.step import Recognised, Step, UnitVariance
from oplas.laws.views import Batch
from oplas.networks import PlacedNet
from oplas.networks.centred import CentredNet
from oplas.operators import Translation
from oplas.pretrain import pretrain

TOY = Blobs(side=8, reach=2, margin=2)


def terms():
    moves = [Translation(4), Translation(4)]
    steps = [Step(action, move, 10.0) for action, move in zip((Transpose(), Shift()), moves, strict=True)]
    return [*steps, UnitVariance(), Decorrelation(0.2), Recognised(moves), *factored(Transpose(), Shift())]


def run(steps=12, folder=None, seed=0, **options):
    torch.manual_seed(0)
    network = PlacedNet(4)
    told = pretrain(network, terms(), TOY.views, steps=steps, batch=12, seed=seed, folder=folder, progress=False, **options)
    return network, told


def test_laws_hold_better_on_views_never_seen():
    torch.manual_seed(0)
    network, some = PlacedNet(4), terms()
    unseen = TOY.views(200, Generator().manual_seed(10**6))
    for term in some[:2]:
        term.operator.direction.data.normal_()
    told = pretrain(network, some, TOY.views, steps=60, batch=24, progress=False)
    assert told.loss[-1] < 0.5 * told.loss[0]
    assert (told.steps[0], told.steps[-1]) == (0, 60) and len(told.steps) == len(told.loss)
    assert not network.training
    with torch.no_grad():
        seen = Batch.through(network, unseen)
        assert max(float(seen.loss(term.eval())) for term in some[:2]) < 0.1
    assert "60 steps" in str(told) and told.to_dict()["terms"].keys() == told.terms.keys()


def test_a_run_repeats_with_its_seed_and_differs_with_another():
    (a, _), (b, _), (c, _) = run(), run(), run(seed=1)
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    assert not torch.equal(a.head.weight, c.head.weight)


def test_a_run_interrupted_and_taken_up_again_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    whole, _ = run(steps=12)
    calls = []
    views = Blobs.views

    def pull_the_plug(self, count, generator):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return views(self, count, generator)

    monkeypatch.setattr(Blobs, "views", pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        run(steps=12, folder=tmp_path / "state")
    monkeypatch.undo()
    again, told = run(steps=12, folder=tmp_path / "state")
    assert all(torch.equal(x, y) for x, y in zip(whole.state_dict().values(), again.state_dict().values(), strict=True))
    assert told.steps[0] == 0 and told.steps[-1] == 12


def test_another_runs_state_is_refused(tmp_path):
    run(steps=4, folder=tmp_path / "state")
    with pytest.raises(ArtefactError, match="other settings"):
        run(steps=6, folder=tmp_path / "state")


def test_what_cannot_be_learned_is_said():
    with pytest.raises(DataError, match="nothing to learn"):
        pretrain(PlacedNet(4), [], TOY.views)

    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, x):
            return (self.scale * x.flatten(1)[:, :4]) / 0

    with pytest.raises(DataError, match=r"became (nan|inf)"):
        pretrain(Broken(), [UnitVariance()], TOY.views, steps=2, batch=8, progress=False)


def test_views_at_rest_are_enough_for_laws_without_moves():
    network = CentredNet(4, side=12, hidden=16)
    told = pretrain(network, [UnitVariance(), Decorrelation()], TOY.rested, steps=5, batch=16, progress=False)
    assert told.steps[-1] == 5
    assert isinstance(TOY.rested(3, Generator()), Views)
