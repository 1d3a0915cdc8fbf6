"""One battery that every law enters: nothing is left of it where it holds by construction, something where it does not."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from fakes import bent, clouds, straight
from torch import Generator, Tensor

from oplas import Space, laws
from oplas._spelled import read
from oplas._types import Trials
from oplas.actions import Gain, Mix
from oplas.evidence import gather
from oplas.laws import (
    Decorrelation,
    Equivariance,
    Gaussian,
    Law,
    RoundTrip,
    Seen,
    UnitVariance,
    VarianceFloor,
    Whitened,
    nondegenerate,
)
from oplas.operators import FreeOperator, Operator, Scale, Sum
from oplas.projectors import MLP

KINDS = (Decorrelation, Equivariance, Gaussian, RoundTrip, UnitVariance, VarianceFloor, Whitened, Mix, Gain, Sum, Scale)
WORDS = {cls.__name__: cls for cls in KINDS}


def trials(law: Law | None = None, bend: bool = False, count: int = 96) -> Trials:
    encoder = bent() if bend else straight()
    space = Space(encoder, laws=[Equivariance(Mix(), Sum()) if law is None or law.action is None else law])
    return gather(space, clouds(), count, 0).shares[0][1]


def space(bend: bool = False) -> Space:
    return Space(bent() if bend else straight())


def white(n: int = 4096, d: int = 6) -> Tensor:
    z = torch.randn(n, d, generator=Generator().manual_seed(0))
    z = z - z.mean(0)
    return z @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(z.T)).T)


def of_latents(z: Tensor) -> Seen:
    """Latents as if they were wholes without parts."""
    present = torch.zeros(len(z), 1, dtype=torch.bool)
    flat = torch.zeros(len(z), 1)
    evidence = Trials(z[:, None] * 0, present, z, flat, torch.zeros(len(z)).long(), flat.long() - 1, z[:1] * 0)
    return Seen(space(), evidence, z[:, None] * 0, z)


@dataclass(frozen=True)
class Case:
    law: Law
    true: Callable[[], Seen]
    """Where the law holds by construction."""
    false: Callable[[], Seen]
    """Where it does not."""
    of_batch: bool


CASES = [
    Case(
        Equivariance(Mix(), Sum()),
        lambda: space().see(trials()),
        lambda: space(bend=True).see(trials(bend=True)),
        False,
    ),
    Case(
        Equivariance(Gain(), Scale(1.0)),
        lambda: space().see(trials(Equivariance(Gain(), Scale(1.0)))),
        lambda: space(bend=True).see(trials(Equivariance(Gain(), Scale(1.0)), bend=True)),
        False,
    ),
    Case(
        RoundTrip(),
        lambda: space(bend=True).see(trials(bend=True)),
        lambda: Space(bent(), MLP(6, 2, hidden=8), inverse=MLP(2, 6, hidden=8)).see(trials(bend=True)),
        False,
    ),
    Case(VarianceFloor(), lambda: of_latents(3 * white()), lambda: of_latents(0.1 * white()), True),
    Case(Decorrelation(), lambda: of_latents(white()), lambda: of_latents(white()[:, :1].expand(-1, 6)), True),
    Case(UnitVariance(), lambda: of_latents(white()), lambda: of_latents(3 * white()), True),
    Case(Whitened(), lambda: of_latents(white()), lambda: of_latents(white()[:, :1].expand(-1, 6)), True),
    Case(Gaussian(), lambda: of_latents(white()), lambda: of_latents(5 * white() + 1), True),
]
every = pytest.mark.parametrize("case", CASES, ids=[repr(case.law) for case in CASES])


def test_every_law_is_in_the_battery():
    public = [each for name in laws.__all__ if isinstance(each := getattr(laws, name), type) and issubclass(each, Law)]
    of_groups = {laws.Commute, laws.Homomorphism, laws.Identity, laws.Inverse, laws.Order, laws.Ring}  # tests/laws/test_group.py
    of_moves = {laws.AntiParallel, laws.Orthogonal, laws.Parallel, laws.Step}  # tests/laws/test_factor.py
    assert {type(case.law) for case in CASES} == {*public} - {Law} - of_groups - of_moves


@every
def test_nothing_is_left_where_it_holds_and_something_where_not(case):
    held, broken = (case.law.residual(make()).square().mean().sqrt().item() for make in (case.true, case.false))
    # a sample of 4096 is normal but for sampling noise: only that law is not exact
    assert held < (0.05 if isinstance(case.law, Gaussian) else 1e-3)
    assert broken > 0.1 and broken > 10 * held


@every
def test_facts_and_shapes(case):
    assert case.law.of_batch is case.of_batch
    seen = case.true()
    residual = case.law.residual(seen)
    if not case.of_batch:
        assert residual.shape[0] in (len(seen.trials), len(seen.latents))
        half = seen.space.see(seen.trials.pick(torch.arange(40))) if isinstance(seen.space, Space) else seen
        assert torch.isfinite(case.law.residual(half)).all()


@every
def test_gradients_reach_the_projector_and_are_finite(case):
    torch.manual_seed(0)
    home = Space(bent(), MLP(6, 4, hidden=8), inverse=MLP(4, 6, hidden=8))
    case.law.residual(home.see(trials(case.law, bend=True))).square().mean().backward()
    gradients = [p.grad for p in home.projector.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(g).all() for g in gradients)
    if not isinstance(case.law, VarianceFloor):  # this one is content with a space that is wide already
        assert any(g.abs().sum() > 0 for g in gradients)


@every
def test_gradients_are_finite_in_a_collapsed_space(case):
    torch.manual_seed(0)
    home = Space(bent(), MLP(6, 4, hidden=8), inverse=MLP(4, 6, hidden=8))
    torch.nn.init.zeros_(home.projector.head)
    case.law.residual(home.see(trials(case.law, bend=True))).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in home.parameters() if p.grad is not None)


@every
def test_spelling_makes_the_same_law_again(case):
    for law in (case.law, copy.deepcopy(case.law)):
        assert repr(read(repr(law), WORDS)) == repr(law) == repr(law.again())
    assert read(repr(case.law), WORDS).weight == case.law.weight


def test_a_collapsed_space_obeys_and_only_the_floor_tells():
    torch.manual_seed(0)
    home = Space(bent(), MLP(6, 4, hidden=8))
    with torch.no_grad():
        home.projector.head.mul_(1e-6)
    seen = home.see(trials(bend=True))
    assert Equivariance(Mix(), Sum()).residual(seen).abs().max() < 1e-2
    assert VarianceFloor().residual(seen).min() > 0.9
    assert Decorrelation().residual(seen).abs().max() < 1e-2


def test_equivariance_asks_the_same_of_every_dimension_whatever_its_scale():
    units = torch.tensor([1e3, 1.0, 10.0, 1e2, 5.0, 1e4])
    plain, seen = space(bend=True).see(trials(bend=True)), space(bend=True).see(trials(bend=True))
    scaled = Seen(seen.space, seen.trials, seen.before * units, seen.after * units)
    law = Equivariance(Mix(), Sum())
    assert torch.allclose(law.residual(plain), law.residual(scaled), rtol=1e-3, atol=1e-3)


def test_absent_parts_stay_at_zero_and_have_no_gradient():
    evidence = trials(bend=True)
    seen = space(bend=True).see(evidence)
    assert (~evidence.present).any()
    assert seen.before[~evidence.present].abs().max() == 0
    assert seen.latents.shape == (int(evidence.present.sum()) + len(evidence), 6)
    assert torch.equal(seen.latents, space(bend=True).project(evidence.codes))


def test_nondegenerate_keeps_off_the_point_and_the_line():
    line = of_latents(white()[:, :1].expand(-1, 6))
    point, cloud = of_latents(torch.zeros(64, 6)), of_latents(white())

    def price(seen: Seen) -> float:
        return sum(float(law.weight * law.residual(seen).square().mean()) for law in nondegenerate())

    assert price(cloud) < 1e-3 < 1 < price(line) and price(point) > 10
    assert all(law.of_batch for law in nondegenerate())


def test_a_law_of_ones_own_is_enough_to_write_a_residual():
    class Small(Law):
        def residual(self, seen: Seen) -> Tensor:
            return seen.after

    home = Space(straight(), laws=[Equivariance(Mix(), Sum()), Small()])
    (share,) = gather(home, clouds(), 8, 0).shares
    assert repr(share[0][1]) == "Small()" and share[0][1].residual(home.see(share[1])).shape == (8, 6)


def test_operators_with_parameters_are_parameters_of_the_space():
    home = Space(straight(), laws=[Equivariance(Gain(), Scale()), Equivariance(Mix(), FreeOperator(6, 4))])
    assert any(name.endswith("operator.exponent") for name, _ in home.named_parameters())
    assert all(isinstance(law.operator, Operator) for law in home.laws)
