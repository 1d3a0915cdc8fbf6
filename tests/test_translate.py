"""Bridges: latents cross, operators cross with them, and the certificate can tell a true bridge from a false one."""

from __future__ import annotations

import json

import pytest
import torch
from fakes import Straight, clouds
from torch import Generator, Tensor

import oplas
from oplas import ArtefactError, DataError, ShapeError, Space
from oplas import actions as act
from oplas import operators as op
from oplas.actions import Action
from oplas.bridge import Bridge, Carried
from oplas.encoders import Encoder, chroma, freeze, log_mel
from oplas.encoders.both import Both
from oplas.laws import Equivariance
from oplas.projectors import MLP
from oplas.translators import Affine, Orthogonal, Ridge

DIRECTION = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0, 1.0])


class Turned(Straight):
    """y = 2 x Q + 1 in ``width`` dimensions: another encoder's view of the same things."""

    def __init__(self, width: int = 6) -> None:
        super().__init__(6)
        self.dim, self.name = width, f"turned({width})"
        turn = torch.linalg.qr(torch.randn(max(width, 6), max(width, 6), generator=Generator().manual_seed(3)))[0]
        self.register_buffer("turn", 2 * turn[:6, :width])

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.turn + 1


class Shift(Action):
    """x' = x + theta u, with theta between -2 and 2."""

    def perform(self, scene, generator):
        theta = 4 * torch.rand(1, generator=generator) - 2
        part = scene.parts[:1]
        return part, part[0] + theta * DIRECTION, theta, [0]


class Square(op.Operator):
    """Not linear: z' = the parts' sum + theta z²."""

    def forward(self, z: Tensor, theta: Tensor) -> Tensor:
        return (z + theta[..., None] * z.square()).sum(1)


def shifting(encoder: Encoder) -> Space:
    move = op.Translation(encoder.dim)
    laws = [Equivariance(Shift(), move)]
    space = Space(encoder, laws=laws)
    with torch.no_grad():
        move.direction.copy_(DIRECTION)
    return space


def mixing(encoder: Encoder) -> Space:
    return Space(encoder, laws=[Equivariance(act.Mix(2, 3), op.Sum())])


def straight() -> Encoder:
    return freeze(Straight())


def turned(width: int = 6) -> Encoder:
    return freeze(Turned(width))


@pytest.fixture(scope="module")
def bridge() -> Bridge:
    return oplas.translate(shifting(straight()), Space(turned()), clouds(), by="affine", count=300)


@pytest.mark.parametrize("width", [4, 6, 9])
@pytest.mark.parametrize("by", ["ridge", "affine", "orthogonal"])
def test_latents_cross(by, width) -> None:
    bridge = oplas.translate(Space(straight()), Space(turned(width)), clouds(), by=by, count=200)
    x = torch.randn(20, 6, generator=Generator().manual_seed(1))
    truth = bridge.target(x)
    missed = (bridge(bridge.source(x)) - truth).square().sum() / truth.square().sum()
    assert missed < (1e-4 if width >= 6 or by != "orthogonal" else 0.4)
    if width >= 6:
        assert torch.allclose(bridge.back(truth), bridge.source(x), atol=1e-2)


@pytest.mark.parametrize("width", [6, 9])
@pytest.mark.parametrize("operator", [op.Sum(), op.Scale(), op.FreeOperator(6, hidden=8), op.Translation(6), Square()], ids=repr)
def test_any_operator_crosses_with_its_parameter(operator, width) -> None:
    """T R_A T⁺ on B's latents is B's view of what R_A makes of A's, whatever R_A is, and whatever the offset of T."""
    bridge = oplas.translate(Space(straight()), Space(turned(width)), clouds(), by=Affine(), count=200)
    with torch.no_grad():
        for p in operator.parameters():
            p.add_(0.3)
    z = torch.randn(15, 3, 6, generator=Generator().manual_seed(2)).double()
    z[:5, 2] = 0  # absent
    theta = torch.randn(15, 3, generator=Generator().manual_seed(4)).double()
    there = torch.zeros(15, 3, width, dtype=torch.float64)
    there[z.any(-1)] = bridge(z[z.any(-1)])
    operator = operator.double()
    assert torch.allclose(bridge.carry(operator)(there, theta), bridge(operator(z, theta)), atol=1e-4)


def test_a_rotation_crosses_by_its_angle() -> None:
    bridge = oplas.translate(Space(straight()), Space(turned(9)), clouds(), by=Affine(), count=200)
    turn = op.Rotation(6).double()
    z, theta = torch.randn(10, 1, 6).double(), torch.randn(10, 1).double()
    carried = bridge.carry(turn)(bridge(z[:, 0])[:, None], theta)
    assert torch.allclose(carried, bridge(turn(z, theta)), atol=1e-4)
    back = bridge.carry(turn)(carried[:, None], -theta)
    assert torch.allclose(back, bridge(z[:, 0]), atol=1e-4)


def test_a_carried_translation_moves_along_the_translated_direction(bridge) -> None:
    z, theta = torch.randn(8, 1, 6), torch.randn(8, 1)
    moved = bridge.laws[0].operator(z, theta) - z[:, 0]
    truth = theta * (DIRECTION @ bridge.target.encoder.turn)
    assert torch.allclose(moved, truth, atol=1e-3)


@pytest.mark.parametrize("width", [3, 6, 9])
def test_to_carry_the_identity_is_the_identity_whatever_the_bridge(width) -> None:
    bridge = oplas.translate(Space(straight()), Space(turned(width)), clouds(), by="affine", count=50)
    z = 5 * torch.randn(7, 1, width)
    assert torch.allclose(bridge.carry(op.Sum())(z, torch.zeros(7, 1)), z[:, 0], atol=1e-4)
    lost = Carried(op.Sum(), bridge, bridge.back, rest=False)(z, torch.zeros(7, 1))
    assert torch.allclose(lost, z[:, 0], atol=1e-2) is (width <= 6)


def test_a_true_bridge_holds_and_its_controls_do_not(bridge) -> None:
    found = oplas.certify_bridge(bridge, clouds(6))
    assert found.verdict == "holds"
    assert found.row("carried").r2 > 0.999 and found.row("carried").top1 == 1
    assert found.row("operate, then translate").r2 > 0.999 and found.row("translate, then operate").r2 > 0.999
    assert found.gap < 1e-3
    for control in ("nothing done", "shuffled bridge", "random bridge", "mean as prediction"):
        assert found.row(control).r2 < 0.95
    assert "nothing of the bridge" not in found.why
    assert found.to_dict()["kept"] is None


def test_the_native_operator_is_the_yardstick() -> None:
    target = shifting(turned())
    with torch.no_grad():
        target.laws[0].operator.direction.copy_(DIRECTION @ target.encoder.turn)
    found = oplas.certify_bridge(oplas.translate(shifting(straight()), target, clouds(), count=300), clouds(6))
    assert found.row("native").r2 > 0.999
    assert found.kept == pytest.approx(1, abs=1e-3)


def test_a_false_bridge_carries_no_translation() -> None:
    codes = torch.randn(300, 6, generator=Generator().manual_seed(0))
    other = torch.randn(300, 6, generator=Generator().manual_seed(1))
    false = oplas.translate(shifting(straight()), Space(turned()), (codes, other), by=Orthogonal())
    assert oplas.certify_bridge(false, clouds(6)).verdict == "no simple operator"


def test_a_sum_crosses_any_bridge_and_the_certificate_says_so() -> None:
    found = oplas.certify_bridge(oplas.translate(mixing(straight()), Space(turned()), clouds(), by="affine", count=200), clouds(6))
    assert found.verdict == "holds"
    assert "'random bridge' carried it as well, so it says nothing of the bridge" in found.why


def test_a_target_that_is_a_point_is_vacuous() -> None:
    bridge = oplas.translate(shifting(straight()), Space(turned()), clouds(), count=100)
    flat = Space(turned(), MLP(6, 6))
    flat.projector.head.data.zero_()
    assert oplas.certify_bridge(Bridge(bridge.source, flat, bridge.translator), clouds(6)).verdict == "vacuous"


def test_the_target_claims_the_carried_law_and_can_be_certified_as_any_space(bridge) -> None:
    assert oplas.certify(bridge.space, clouds(6)).row.r2 > 0.999
    assert "Carried(Translation(6))" in oplas.certify(bridge.space, clouds(6)).law


def test_a_saved_bridge_is_the_same_bridge(bridge, tmp_path) -> None:
    again = Bridge.load(bridge.save(tmp_path / "a-b.bridge"), bridge.source, bridge.target)
    z = torch.randn(5, 6)
    assert torch.equal(again(z), bridge(z)) and torch.equal(again.back(z), bridge.back(z))
    assert again.card == bridge.card


def test_a_bridge_between_other_spaces_is_refused(bridge, tmp_path) -> None:
    folder = bridge.save(tmp_path / "a-b.bridge")
    with pytest.raises(ArtefactError, match="was built with"):
        Bridge.load(folder, bridge.target, bridge.source)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"anchors": 10**6}))
    with pytest.raises(ArtefactError, match="was changed"):
        Bridge.load(folder, bridge.source, bridge.target)


def test_the_certificate_prints_and_saves(bridge, tmp_path) -> None:
    found = oplas.certify_bridge(bridge, clouds(6), trials=30)
    assert "carried over: holds" in str(found) and "translate, then operate" in str(found)
    assert json.loads(found.save(tmp_path / "c.json").read_text())["verdict"] == "holds"
    assert found.trials == 30


def test_anchors_that_will_not_do() -> None:
    a, b = Space(straight()), Space(turned())
    good = torch.randn(50, 6)
    with pytest.raises(ShapeError, match=r"\[50, 49\]"):
        oplas.translate(a, b, (good, good[1:]))
    with pytest.raises(ShapeError, match="straight"):
        oplas.translate(a, b, (good[:, 1:], good))
    with pytest.raises(DataError, match="NaN"):
        oplas.translate(a, b, (good.clone().fill_(torch.nan), good))
    with pytest.raises(DataError, match="no translator 'rigde'"):
        oplas.translate(a, b, (good, good), by="rigde")
    with pytest.raises(DataError, match="two songs"):
        oplas.certify_bridge(oplas.translate(mixing(straight()), b, clouds()), clouds(1))
    with pytest.raises(DataError, match="claims 0"):
        oplas.certify_bridge(oplas.translate(a, b, clouds()), clouds())


def test_latents_that_will_not_do(bridge) -> None:
    with pytest.raises(ShapeError, match="space A"):
        bridge(torch.randn(3, 5))
    with pytest.raises(DataError, match="1 of 3"):
        bridge.back(torch.randn(3, 6).index_fill_(0, torch.tensor([1]), torch.nan))


def test_both_encoders_hear_the_same_moment() -> None:
    long, short = log_mel(seconds=3.0), chroma(seconds=1.0, rate=8000)
    pair = Both(long, short)
    assert (pair.rate, pair.samples, pair.dim) == (16000, 48000, long.dim + short.dim)
    x = torch.zeros(1, 48000)
    x[:, 22000:26000] = torch.sin(torch.arange(4000) * 0.3)
    first, second = pair.apart(pair.encode(x))
    assert torch.equal(first, long.encode(x))
    outside = torch.where(torch.arange(48000) < 15000, torch.sin(torch.arange(48000) * 0.5), 0.0)[None]
    assert pair.apart(pair.encode(outside))[1].abs().max() < 1e-3 * second.abs().max()


def test_no_window_serves_sound_and_rows() -> None:
    with pytest.raises(ShapeError, match="no window serves both"):
        Both(log_mel(), straight())


def test_translators_fit_inside_the_ridge_of_the_law() -> None:
    """What is fitted is a copy: the translator given stays as it was."""
    given = Ridge()
    oplas.translate(Space(straight()), Space(turned()), clouds(), by=given, count=50)
    assert not hasattr(given, "weight_")
