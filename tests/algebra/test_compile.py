"""An operator is used where its law is certified, and only so far."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fakes import straight

from oplas import Space
from oplas._errors import DataError
from oplas.actions import Gain, KeyChange, Mix, Transpose
from oplas.algebra import Item, OutOfRange, plan
from oplas.laws import Equivariance
from oplas.operators import CyclicRotation, FreeOperator, Scale, Sum, Translation

MIXING, TRANSPOSING = Equivariance(Mix(2, 4), Sum()), Equivariance(Transpose(-6, 6), Translation(6))


def card(law: Equivariance, verdict: str = "holds", **more: Any) -> dict[str, Any]:
    return {"law": f"{law.action!r} → {law.operator!r}", "verdict": verdict, "why": "R² 0.123", **more}


def space(*laws: Equivariance, **certificate: Any) -> Space:
    made = Space(straight(), laws=laws)
    if certificate:
        made.card["certificate"] = certificate
    return made


def place(item: Item) -> torch.Tensor:
    return torch.full((6,), float(item.name))


def test_a_certified_sum_is_the_sum() -> None:
    made = plan("5 - (2 - 1) + mean(3, '4')", space(MIXING, **card(MIXING)))
    assert made.latents(place).tolist()[0] == [5.0] * 6
    assert made.latents(place).sum(0).tolist() == [7.5] * 6
    assert [str(item) for item in made.items] == ["'5'", "'2'", "'1'", "'3'", "'4'"]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("a + b", "sum"), ("a - b - c", "difference"), ("a - b + c", "exchange"), ("a", ""), ("mean(a, b)", ""),
        ("a + b - c - d", ""), ("transpose(a, 2)", "transpose"), ("transpose(a, 2) + b", ""), ("a - (b - c)", "exchange"),
    ],
)  # fmt: skip
def test_the_kind_of_question(expression: str, kind: str) -> None:
    both = [card(MIXING), card(TRANSPOSING)]
    assert plan(expression, space(MIXING, TRANSPOSING), certificates=both).kind == kind


def test_without_a_certificate_it_says_how_to_get_one() -> None:
    with pytest.raises(DataError, match=r"has no certificate: run 'oplas certify'.*--uncertified"):
        plan("a - b", space(MIXING))
    assert plan("a - b", space(MIXING), uncertified=True).kind == "difference"


def test_a_certificate_of_another_law_is_none() -> None:
    with pytest.raises(DataError, match="no certificate"):
        plan("a - b", space(MIXING, **card(Equivariance(Mix(2, 8), Sum()))))


@pytest.mark.parametrize("verdict", ["partly", "no simple operator", "vacuous"])
def test_a_law_that_does_not_hold_is_refused_with_verdict_and_figure(verdict: str) -> None:
    with pytest.raises(DataError, match=rf"certified '{verdict}': R² 0\.123"):
        plan("a - b", space(MIXING, **card(MIXING, verdict)))


def test_partly_is_taken_where_it_is_trusted_and_nothing_less() -> None:
    assert plan("a - b", space(MIXING, **card(MIXING, "partly")), trust="partly").kind == "difference"
    with pytest.raises(DataError, match="vacuous"):
        plan("a - b", space(MIXING, **card(MIXING, "vacuous")), trust="partly")
    with pytest.raises(DataError, match="trust is"):
        plan("a", space(MIXING), trust="vacuous")


@pytest.mark.parametrize("expression", ["transpose(a, 1)", "key(a, 1)", "shift(a, 1)", "gain(a, 1)"])
def test_an_operator_that_the_space_does_not_claim(expression: str) -> None:
    with pytest.raises(DataError, match=r"does not claim.*\n  .*\n  \^"):
        plan(expression, space(MIXING, **card(MIXING)))


def test_a_mixing_law_of_another_operator_gives_no_plus() -> None:
    with pytest.raises(DataError, match="need the mixing law"):
        plan("a + b", space(Equivariance(Mix(), FreeOperator(6))), uncertified=True)


@pytest.mark.parametrize("expression", ["a", "mean(a, b)"])
def test_what_needs_no_law_needs_no_certificate(expression: str) -> None:
    assert plan(expression, space()).terms


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("1 + 2 + 3 + 4", True), ("1 + 2 + 3 + 4 + 5", False), ("9 - 1 - 2 - 3", True), ("9 - 1 - 2 - 3 - 4", False),
        ("transpose(1, 6)", True), ("transpose(1, 6.5)", False), ("gain(1, -12)", True), ("-12.1 dB * 1", False),
    ],
)  # fmt: skip
def test_what_the_law_was_not_judged_on_is_out_of_range(expression: str, fits: bool) -> None:
    both = [card(MIXING, homogeneity={"exponent": 2.0, "r2": 0.99}), card(TRANSPOSING)]
    made = space(MIXING, TRANSPOSING)
    if fits:
        plan(expression, made, certificates=both)
    else:
        with pytest.raises(OutOfRange, match="judged"):
            plan(expression, made, certificates=both)
        plan(expression, made, certificates=both, uncertified=True)


def test_gains_go_by_the_homogeneity_that_was_measured() -> None:
    made = space(MIXING, **card(MIXING, homogeneity={"exponent": 2.0, "r2": 0.95}))
    assert torch.allclose(plan("10 dB * 1", made).latents(place), torch.full((1, 6), 10.0))
    made = space(MIXING, **card(MIXING, homogeneity={"exponent": 1.5, "r2": 0.6}))
    with pytest.raises(DataError, match=r"certified 'partly': a gain g scales the space by g\^1.50, R² 0.600"):
        plan("10 dB * 1", made)


def test_gains_go_by_their_own_law_where_there_is_one() -> None:
    law = Equivariance(Gain(-20, 20), Scale(1.0))
    assert torch.allclose(plan("-20 dB * 1", space(law, **card(law))).latents(place), torch.full((1, 6), 0.1))


def test_a_fifth_is_seven_semitones_taken_to_the_nearest_octave() -> None:
    move = Translation(6)
    move.direction.data = torch.arange(6.0)
    law = Equivariance(Transpose(-6, 6), move)
    made = plan("key(1, +1 fifth)", space(law, **card(law)))
    assert torch.allclose(made.latents(place)[0], 1 - 5 * torch.arange(6.0))


def test_key_goes_by_a_ring_where_there_is_one() -> None:
    law = Equivariance(KeyChange(), CyclicRotation(6, 12))
    made = space(law, **card(law))
    z = torch.randn(6, generator=torch.Generator().manual_seed(0))
    there = plan("key(key(a, 5), -5)", made).latents(lambda item: z)[0]
    assert torch.allclose(there, z, atol=1e-5)
    assert not torch.allclose(plan("key(a, 5)", made).latents(lambda item: z)[0], z, atol=1e-2)
