"""From what an expression says to what a space may do: each operator only where its law is certified, and only so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._errors import DataError
from ..actions.audio import Gain
from ..certificate import Certificate
from ..laws.equivariance import Equivariance
from ..operators.base import Operator
from ..operators.linear import Scale, Sum
from .grammar import UNITS, Call, Expression, Item, Total, parse, pointed
from .questions import called

if TYPE_CHECKING:
    from ..space import Space

#: Verdicts from best to worst; ``trust`` names the worst that is taken.
VERDICTS = ("holds", "partly")
NEED = {
    "sum": "'+' and '-' need the mixing law, Mix → Sum",
    "key": "key needs a law of KeyChange or Transpose",
    "gain": "a gain needs a law of Gain, or the certificate of a mixing law, which measures how gains scale a space",
}


class OutOfRange(DataError):
    """The query leaves what the certificate was made on."""


@dataclass(frozen=True)
class Ground:
    """What one function stands on: the operator, from where to where its law was judged, and what the certificate says."""

    law: str
    operator: Operator
    low: float
    high: float
    verdict: str | None
    why: str
    step: Callable[[float], float] = float


@dataclass(frozen=True)
class Plan:
    """An expression that may be computed: ``kind`` is the question it asks, empty where no law answers it alone."""

    expression: Expression
    kind: str
    terms: tuple[tuple[float, Expression], ...]
    grounds: Mapping[str, Ground]

    @property
    def items(self) -> list[Item]:
        """Every sound it names, from left to right."""
        return [each for each in _walk(self.expression) if isinstance(each, Item)]

    @torch.no_grad()
    def latents(self, place: Callable[[Item], Tensor]) -> Tensor:
        """The signed terms, ``[n, d]``, whose sum is the query; ``place`` gives an item's latent ``[d]``."""
        return torch.stack([sign * self._of(part, place) for sign, part in self.terms])

    def _of(self, part: Expression, place: Callable[[Item], Tensor]) -> Tensor:
        if isinstance(part, Item):
            return place(part)
        if isinstance(part, Total):
            return torch.stack([sign * self._of(each, place) for sign, each in part.parts]).sum(0)
        z = torch.stack([self._of(each, place) for each in part.arguments])
        if part.name == "mean":
            return z.mean(0)
        ground = self.grounds[part.name]
        assert part.amount is not None
        moved: Tensor = ground.operator(z[None], z.new_tensor([[ground.step(part.amount)]]))
        return moved[0]


def plan(
    expression: str,
    space: Space,
    *,
    trust: str = "holds",
    uncertified: bool = False,
    certificates: Sequence[Certificate | Mapping[str, Any]] = (),
) -> Plan:
    """The expression, if the space's certificates allow it.

    Args:
        trust: ``holds``, or ``partly`` to take laws that are certified so as well.
        uncertified: take whatever the space claims, certified or not, at any amount.
        certificates: those that count beside the one in the space's card.

    Raises:
        DataError: it cannot be read; the space claims no such law, or it is not certified, or not well enough.
        OutOfRange: it asks for more than the law was judged on.
    """
    if trust not in VERDICTS:
        raise DataError(f"trust is 'holds' or 'partly', not {trust!r}: what is certified less is not computed")
    tree, on = parse(expression), grounds(space, certificates)
    for node in _walk(tree):
        name = "sum" if isinstance(node, Total) else node.name if isinstance(node, Call) else ""
        if name and name != "mean":
            _check(expression, node, name, on, trust, uncertified)
    terms = tuple(_flat(tree))
    more, less = sum(sign > 0 for sign, _ in terms), sum(sign < 0 for sign, _ in terms)
    parts = max(more, less + 1 if less else more)
    if "sum" in on and len(terms) > 1 and not uncertified and parts > on["sum"].high:
        raise OutOfRange(
            f"{parts} sounds make one here; the law {on['sum'].law} was judged on {on['sum'].low:g} to {on['sum'].high:g}"
        )
    return Plan(tree, _kind(terms, more, less), terms, on)


def grounds(space: Space, certificates: Sequence[Certificate | Mapping[str, Any]] = ()) -> dict[str, Ground]:
    """The functions a space offers, by name: its equivariance laws, and gains where its certificate measured them."""
    card = space.card.get("certificate")
    facts = [
        c.to_dict() if isinstance(c, Certificate) else dict(c)
        for c in (*certificates, *([card] if isinstance(card, Mapping) else []))
    ]
    by_law = {str(each.get("law")): each for each in reversed(facts)}
    found: dict[str, Ground] = {}
    for law in space.laws:
        if not isinstance(law, Equivariance) or law.action is None:
            continue
        name = called(law.action)
        if name == "sum" and not isinstance(law.operator, Sum):
            continue
        spelled = f"{law.action!r} → {law.operator!r}"
        told = by_law.get(spelled, {})
        low, high = (getattr(law.action, end, bound) for end, bound in (("low", -math.inf), ("high", math.inf)))
        if name == "sum":
            low, high = getattr(law.action, "least", 1), getattr(law.action, "most", math.inf)
        found.setdefault(name, Ground(spelled, law.operator, low, high, told.get("verdict"), str(told.get("why", ""))))
        if name == "sum" and told.get("homogeneity", {}).get("r2") is not None:
            found.setdefault("gain", _gain(spelled, told["homogeneity"]))
    if "transpose" in found and "key" not in found:  # a fifth is seven semitones, taken to the nearest octave
        on = found["transpose"]
        found["key"] = Ground(on.law, on.operator, on.low, on.high, on.verdict, on.why, lambda fifths: (7 * fifths + 5) % 12 - 5)
    return found


def _gain(law: str, figures: Mapping[str, float]) -> Ground:
    """A gain, by the homogeneity that the certificate of a sum measured beside it."""
    r2, reach = float(figures["r2"]), Gain()
    verdict = "holds" if r2 >= 0.9 else "partly" if r2 >= 0.5 else "no simple operator"
    why = f"a gain g scales the space by g^{figures['exponent']:.2f}, R² {r2:.3f}"
    return Ground(f"{reach!r} → Scale, beside {law}", Scale(float(figures["exponent"])), reach.low, reach.high, verdict, why)


def _check(text: str, node: Expression, name: str, on: Mapping[str, Ground], trust: str, uncertified: bool) -> None:
    ground = on.get(name)
    if ground is None:
        claimed = ", ".join(dict.fromkeys(each.law for each in on.values())) or "no law of this kind"
        need = NEED.get(name, f"{name} needs a law of {name.capitalize()}")
        raise pointed(text, node.at, f"{need}, which this space does not claim (it claims {claimed}); use a space that does")
    if not uncertified:
        if ground.verdict is None:
            raise pointed(
                text, node.at, f"the law {ground.law} has no certificate: run 'oplas certify' on songs the space has not heard, "
                "or take it as it is with --uncertified (uncertified=True)",
            )  # fmt: skip
        if ground.verdict not in VERDICTS[: VERDICTS.index(trust) + 1]:
            hint = "; --trust partly (trust='partly') takes it all the same" if ground.verdict == "partly" else ""
            raise pointed(text, node.at, f"the law {ground.law} is certified '{ground.verdict}': {ground.why}{hint}")
    if isinstance(node, Call) and node.amount is not None and not uncertified:
        step = ground.step(node.amount)
        if not ground.low <= step <= ground.high:
            unit = (UNITS["transpose" if ground.step is not float else name] or ("times",))[0]
            raise OutOfRange(
                f"{node} asks for {step:+g} {unit}; the law {ground.law} was judged from {ground.low:g} to {ground.high:g}"
            )


def _walk(tree: Expression) -> Iterator[Expression]:
    yield tree
    for each in tree.arguments if isinstance(tree, Call) else [part for _, part in tree.parts] if isinstance(tree, Total) else ():
        yield from _walk(each)


def _flat(tree: Expression, sign: float = 1.0) -> Iterator[tuple[float, Expression]]:
    """Signed terms of nested sums."""
    if isinstance(tree, Total):
        for own, part in tree.parts:
            yield from _flat(part, sign * own)
    else:
        yield sign, tree


def _kind(terms: Sequence[tuple[float, Expression]], more: int, less: int) -> str:
    if all(isinstance(part, Item) for _, part in terms):
        return {(1, 0): "", (2, 1): "exchange"}.get((more, less), "sum" if not less else "difference" if more == 1 else "")
    sign, only = terms[0]
    alone = len(terms) == 1 and sign > 0 and isinstance(only, Call) and isinstance(only.arguments[0], Item) and only.name != "mean"
    return only.name if alone and isinstance(only, Call) else ""
