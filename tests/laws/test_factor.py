"""The cosine laws hold where moves are orthogonal translations and nowhere else; views are their evidence, and so are songs."""

import copy

import pytest
import torch
from torch import Generator, Tensor

from oplas._errors import DataError
from oplas._spelled import read
from oplas.actions import Transpose
from oplas.actions.base import Action
from oplas.actions.pianoroll import KeyChange, Shift
from oplas.actions.twice import Twice
from oplas.data.base import Scene
from oplas.data.blobs import blobs
from oplas.data.views import Views
from oplas.laws import Decorrelation, Equivariance, RoundTrip, VarianceFloor
from oplas.laws.factor import AntiParallel, Orthogonal, Parallel, factored
from oplas.laws.paint import Painted
from oplas.laws.step import Recognised, Step, UnitVariance, Whitened
from oplas.laws.views import Batch
from oplas.networks import ConvNet
from oplas.networks.centred import Painter
from oplas.operators import Translation

PITCH, TIME = Transpose(), Shift()
COSINES = [Parallel(PITCH), AntiParallel(PITCH), Parallel(TIME), AntiParallel(TIME), Orthogonal(PITCH, TIME)]


def batch(steps: Tensor, *, bend: float = 0.0, count: int = 64, width: int = 6) -> Batch:
    """Latents that move by the two rows of ``steps``, and a little as the square of the move, too."""
    views = blobs(4).views(count, Generator().manual_seed(0))
    rest = torch.randn(count, 1, width, generator=Generator().manual_seed(1))
    moves = views.moves.float()
    z = rest + moves @ steps + bend * moves.square().sum(-1, keepdim=True) * torch.eye(width)[2]
    return Batch(torch.nn.Identity(), views, z)


def straight(width: int = 6) -> Tensor:
    return torch.eye(2, width) * 0.7


@pytest.mark.parametrize("law", COSINES, ids=repr)
def test_nothing_is_left_where_moves_are_orthogonal_translations(law):
    assert float(batch(straight()).loss(law)) < 1e-8
    askew = torch.tensor([[1.0, 0, 0, 0, 0, 0], [0.9, 0.1, 0, 0, 0, 0]])
    assert float(batch(askew if isinstance(law, Orthogonal) else straight(), bend=0.5).loss(law)) > 1e-3


def test_every_pair_of_views_is_one_laws_evidence_and_the_weights_make_the_seeds_mean():
    some = batch(torch.randn(2, 6, generator=Generator().manual_seed(5)), bend=0.3, count=3000)
    pairs = [len(some.seen(law.action).after) for law in COSINES]
    assert sum(pairs) == 3000 and min(pairs) > 300
    d = some.z[:, 1:] - some.z[:, :1]
    cosine = torch.nn.functional.cosine_similarity(d[:, 0], d[:, 1], dim=1)
    wanted = (some.views.moves[:, 1] * some.views.moves[:, 2]).sum(1).sign()
    seeds = float((cosine - wanted).square().mean())
    assert float(sum(law.weight * some.loss(law) for law in factored(PITCH, TIME))) == pytest.approx(seeds, rel=0.1)


def test_views_know_how_far_each_thing_went():
    some = batch(straight())
    for action, axis in ((PITCH, 0), (TIME, 1)):
        seen = some.seen(action)
        moved = (seen.after - seen.before[:, 0]) @ straight().T / 0.49
        assert torch.allclose(moved[:, axis], seen.trials.theta[:, 0], atol=1e-5)
        assert moved[:, 1 - axis].abs().max() < 1e-5
    assert torch.equal(some.seen(None).latents.sort(0).values, some.z.flatten(0, 1).sort(0).values)


def test_views_say_what_they_cannot_give():
    some = batch(straight())
    with pytest.raises(DataError, match="neither Transpose nor Shift"):
        some.seen(KeyChange())
    with pytest.raises(DataError, match="keep no codes"):
        some.loss(RoundTrip())


def test_a_batch_without_a_laws_evidence_leaves_nothing_of_it():
    still = Views(torch.zeros(5, 2, 3), torch.zeros(5, 2, 2))
    assert float(Batch(torch.nn.Identity(), still, torch.randn(5, 2, 4)).loss(Step(PITCH, Translation(4)))) == 0


def test_the_step_laws_loss_is_the_squared_translation_error_and_it_learns_the_step():
    law = Step(PITCH, move := Translation(6))
    some = batch(straight(), bend=0.1)
    loss = float(some.loss(law))
    seen = some.seen(PITCH)
    d, theta = seen.after - seen.before[:, 0], seen.trials.theta
    v = (theta * d).sum(0) / theta.square().sum()
    assert torch.allclose(move.direction, v, atol=1e-5)
    assert loss == pytest.approx(float((d - theta * v).square().sum() / d.square().sum()), rel=1e-3)
    assert float(batch(straight()).loss(law)) < 1e-8
    law.eval()
    assert float(batch(2 * straight()).loss(law)) == pytest.approx(0.25, rel=1e-3)  # the step kept, not the batch's


def test_a_space_in_which_nothing_moves_meets_equivariance_but_not_the_step():
    noise = 1e-3 * torch.randn(64, 3, 6, generator=Generator().manual_seed(2))
    held = batch(0 * straight())
    held = Batch(held.network, held.views, held.z + noise)
    assert held.loss(Equivariance(PITCH, Translation(6))).item() < 1e-4
    assert held.loss(Step(PITCH, Translation(6))).item() > 0.5


def test_things_are_recognised_by_what_no_move_changes():
    law = Recognised([Translation(6), Translation(6)], 0.01)
    for each, row in zip(law.operators, straight(), strict=True):
        each.direction.data = row
    assert float(batch(straight()).loss(law)) < 0.3
    alike = batch(straight())
    alike = Batch(alike.network, alike.views, alike.z * torch.tensor([1.0, 1, 0, 0, 0, 0]))
    assert float(alike.loss(law)) == pytest.approx(torch.tensor(64.0).log().item(), rel=0.05)  # no better than a guess


@pytest.mark.parametrize("law", [UnitVariance(), Whitened()])
@pytest.mark.parametrize("scale", [2e-2, 0.2, 1.0, 30.0])
def test_unit_variance_pulls_from_any_scale(scale, law):
    z = (scale * torch.randn(4000, 3, generator=Generator().manual_seed(0))).requires_grad_()
    views = Views(torch.zeros(2000, 2, 1), torch.zeros(2000, 2, 2))
    loss = Batch(torch.nn.Identity(), views, z.unflatten(0, (2000, 2))).loss(law)
    assert float(loss.detach()) == pytest.approx(torch.tensor(scale).log().square().item(), rel=0.05, abs=0.05)
    (slope,) = torch.autograd.grad(loss, z)
    assert torch.isfinite(slope).all()
    if scale != 1:
        assert ((slope * z).sum() > 0) == (scale > 1)


def test_a_repeated_dimension_is_not_white_and_is_told_apart():
    z = torch.randn(4000, 2, generator=Generator().manual_seed(0))
    twice = torch.stack([z[:, 0], z[:, 0] + 0.05 * z[:, 1]], 1).requires_grad_()
    views = Views(torch.zeros(2000, 2, 1), torch.zeros(2000, 2, 2))
    batch = Batch(torch.nn.Identity(), views, twice.unflatten(0, (2000, 2)))
    loss = batch.loss(Whitened())
    assert batch.loss(UnitVariance()) < 0.01 < 1 < loss
    (slope,) = torch.autograd.grad(loss, twice)
    apart, both = twice[:, 1] - twice[:, 0], twice.sum(1)
    assert ((slope[:, 1] - slope[:, 0]) * apart).sum() < 0 < (slope.sum(1) * both).sum()


def test_gradients_are_finite_in_a_collapsed_space():
    network = ConvNet(6)
    torch.nn.init.zeros_(network.head.weight)
    moves = [Translation(6), Translation(6)]
    terms = [*factored(PITCH, TIME), Step(PITCH, moves[0]), UnitVariance(), Whitened(), Recognised(moves), VarianceFloor(),
             Decorrelation()]  # fmt: skip
    some = Batch.through(network, blobs(4).views(8, Generator().manual_seed(0)))
    sum(some.loss(term) for term in terms).backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_spelling_makes_the_same_law_again():
    kinds = (Parallel, AntiParallel, Orthogonal, Step, UnitVariance, Whitened, Recognised, Transpose, Shift, Translation, Twice)
    words = {kind.__name__: kind for kind in kinds}
    for law in [
        *COSINES,
        *factored(PITCH, TIME),
        Step(TIME, Translation(3), 2.0),
        UnitVariance(0.5),
        Whitened(),
        Recognised([Translation(3)]),
    ]:
        for each in (law, copy.deepcopy(law)):
            assert repr(read(repr(each), words)) == repr(law)
            assert read(repr(each), words).weight == law.weight


class Raise(Action):
    """A part louder by a step of a given sign."""

    def __init__(self, sign: int = 0) -> None:
        self.sign = sign

    def perform(self, scene: Scene, generator: Generator) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        theta = torch.randint(1, 4, (1,), generator=generator).float()
        theta = theta * (self.sign or int(2 * torch.randint(2, (1,), generator=generator) - 1))
        return scene.parts[:1], scene.parts[0] + theta, theta, [0]


def test_two_deeds_are_done_to_the_same_thing_and_signs_are_as_asked():
    scene = Scene(torch.zeros(1, 4), ("a",), 0)
    generator = Generator().manual_seed(0)
    for same, sign in ((True, 1), (False, -1)):
        for _ in range(20):
            before, after, theta, chosen = Twice(Raise(), Raise(), same).perform(scene, generator)
            assert before.shape == (2, 4) and chosen == [0, 0]
            assert float(theta.prod().sign()) == sign
            assert float(before[1, 0]) == theta[0] and float(after[0]) == theta[1]
    with pytest.raises(DataError, match="signs wanted"):
        Twice(Raise(1), Raise(1), same=False).perform(scene, generator)


def test_a_blob_is_redrawn_by_whoever_knows_where_it_is():
    moves = [Translation(6), Translation(6)]
    for axis, move in enumerate(moves):
        move.direction.data[axis] = 0.5
    term = Painted(Painter(6, 24, 16), moves)
    views = blobs(4).views(16, Generator().manual_seed(0))
    z = torch.randn(16, 1, 6, generator=Generator().manual_seed(1)) + views.moves.float() @ term.steps
    one = Batch(torch.nn.Identity(), views, z)
    apart = [Batch(torch.nn.Identity(), Views(views.x[:, [i]], views.moves[:, [i]]), z[:, [i]]) for i in range(3)]
    cells = [float(each.views.x.sum()) for each in apart]
    losses = [float(each.loss(term).detach()) for each in apart]
    assert max(losses) - min(losses) < 1e-3 * max(losses)  # a moved blob is drawn as well as one at rest, before any training
    assert float(one.loss(term)) == pytest.approx(sum(a * b for a, b in zip(losses, cells, strict=True)) / sum(cells), rel=1e-3)
