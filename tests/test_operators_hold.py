"""One battery that every operator enters."""

import copy

import pytest
import torch
from torch import Generator, Tensor

from oplas import operators
from oplas._errors import ArtefactError
from oplas._spelled import read
from oplas.operators import FreeOperator, Operator, Scale, Sum, Translation

DIM = 5
MEMBERS = [Sum(), Scale(), Scale(1.3), FreeOperator(DIM, hidden=16), Translation(DIM)]
MEMBERS[-1].load_state_dict({"direction": torch.arange(1.0, 1 + DIM)})
every = pytest.mark.parametrize("operator", MEMBERS, ids=map(repr, MEMBERS))


def parts(n: int = 7, k: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(seed)
    z = torch.randn(n, k, DIM, generator=generator, dtype=torch.float64)
    return z, 12 * torch.rand(n, k, generator=generator, dtype=torch.float64) - 6


def double(operator: Operator) -> Operator:
    return copy.deepcopy(operator).double()


def test_every_operator_is_in_the_battery():
    public = {getattr(operators, name) for name in operators.__all__} - {Operator}
    assert {type(member) for member in MEMBERS} == public


@every
def test_shape_and_dtype(operator):
    for n in (1, 4):
        for k in (1, 2, 6):
            z, theta = parts(n, k)
            assert double(operator)(z, theta).shape == (n, DIM)
            assert operator(z.float(), theta.float()).dtype == torch.float32


@every
def test_order_of_the_parts_is_of_no_account(operator):
    z, theta = parts()
    order = torch.tensor([2, 0, 1])
    assert torch.allclose(double(operator)(z, theta), double(operator)(z[:, order], theta[:, order]), atol=1e-12)


@every
def test_absent_parts_are_of_no_account(operator):
    z, theta = parts()
    wide = torch.cat([z, torch.zeros(7, 2, DIM)], 1)
    for value in (0.0, 5.0):
        padded = torch.cat([theta, torch.full((7, 2), value)], 1)
        assert torch.allclose(double(operator)(wide, padded), double(operator)(z, theta), atol=1e-12)


@every
def test_each_trial_is_operated_on_alone(operator):
    z, theta = parts()
    whole = double(operator)(z, theta)
    alone = torch.cat([double(operator)(z[i : i + 1], theta[i : i + 1]) for i in range(len(z))])
    assert torch.allclose(whole, alone, atol=1e-12)


@every
def test_gradients(operator):
    z, theta = parts(2, 2)
    assert torch.autograd.gradcheck(double(operator), (z.requires_grad_(), theta.requires_grad_()))


@every
def test_every_parameter_is_learned(operator):
    z, theta = parts()
    made = double(operator)
    made(z.requires_grad_(), theta).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())


@every
def test_claim_to_be_linear_is_true(operator):
    z, theta = parts()
    a = torch.randn(DIM, DIM, generator=Generator().manual_seed(4), dtype=torch.float64)
    commutes = torch.allclose(double(operator)(z @ a, theta), double(operator)(z, theta) @ a, atol=1e-9)
    assert commutes is operator.linear


@every
def test_spelling_and_tensors_make_the_same_operator_again(operator):
    words = {type(member).__name__: type(member) for member in MEMBERS}
    again = read(repr(operator), words)
    assert repr(again) == repr(operator)
    changed = copy.deepcopy(operator)
    with torch.no_grad():
        for p in changed.parameters():
            p.add_(0.1)
    again.load_state_dict(changed.state_dict())
    z, theta = parts()
    assert torch.equal(again(z.float(), theta.float()), changed(z.float(), theta.float()))


def test_a_spelling_runs_nothing_but_what_it_may():
    words = {"Sum": Sum, "Scale": Scale}
    for text in (
        "__import__('os').system('true')", "Sum().__class__", "Sum", "Scale(exponent=open('x'))", "[Sum() for _ in (1,)]",
        "lambda: 1", "Scale(*(1,))", "Scale(**{'exponent': 1})", "Sum(", "", "Scale(1, 2, 3)", "Scale(bend=1)", "(" * 5000,
        "FreeOperator(3)",
    ):  # fmt: skip
        with pytest.raises(ArtefactError):
            read(text, words)


def test_scale_multiplies_by_a_power_of_the_gain():
    z = torch.ones(1, 1, 2)
    assert Scale(2.0)(z, torch.tensor([[20.0]])).tolist()[0] == pytest.approx([100.0, 100.0])
    assert Scale(1.0)(z, torch.tensor([[-20.0]])).tolist()[0] == pytest.approx([0.1, 0.1])


def test_spellings_nest_in_lists_and_tuples():
    words = {"Sum": Sum, "Scale": Scale, "dict": dict}
    made = read("dict(first=[Sum(), (Scale(1.5), -2)], second={'a': 1})", words)
    assert repr(made) == "{'first': [Sum(), (Scale(exponent=1.5), -2)], 'second': {'a': 1}}"


def test_again_is_equal_and_untrained():
    made = Scale(1.5)
    with torch.no_grad():
        made.exponent.add_(1)
    assert repr(made.again()) == repr(made) and made.again().exponent.item() == 1.5
    assert repr(Sum().again()) == "Sum()"


def test_translation_finds_the_direction_of_known_moves():
    z, theta = parts(40, 2)
    truth = torch.arange(DIM, dtype=torch.float64)
    after = z.sum(1) + theta.sum(1)[:, None] * truth
    assert torch.allclose(Translation(DIM).double().fit(z, theta, after).direction, truth, atol=1e-12)
