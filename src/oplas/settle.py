"""The last step of learning, in closed form: the coordinates in which the law holds best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._errors import ShapeError
from ._types import Trials
from .evidence import Evidence
from .functional.components import lawful_components
from .laws.base import Seeing, Seen
from .laws.equivariance import Equivariance
from .measure.retrieval import missing_part
from .projectors import Headed

if TYPE_CHECKING:
    from .space import Space

_CHUNK = 1024


class _Features:
    """The projector without its head, origin at zero: what the head is solved on."""

    def __init__(self, space: Space, projector: Headed) -> None:
        self.space, self.projector = space, projector

    def project(self, y: Tensor) -> Tensor:
        features = self.projector.features(torch.cat([y, self.space.origin.to(y)]))
        return features[:-1] - features[-1:]

    def lift(self, z: Tensor) -> Tensor:
        raise ShapeError("features alone have no way back to codes; ask the space itself")


def _free(space: Space, evidence: Evidence) -> tuple[Equivariance, Trials] | None:
    """The first equivariance law and its evidence, if every such law's operator leaves coordinates free."""
    found = [(law, trials) for laws, trials in evidence.shares for law in laws if isinstance(law, Equivariance)]
    if not found or not all(law.operator.linear for law, _ in found):
        return None
    law, trials = found[0]
    return law, trials.pick(torch.arange(min(len(trials), 8 * _CHUNK)))


@torch.no_grad()
def settle(space: Space, evidence: Evidence, *, options: bool = False) -> None:
    """Solve the projector's head for the space's first equivariance law, where its operator commutes with every linear map.

    Coordinates are then free to choose, and :func:`oplas.functional.components.lawful_components` chooses them: white on the
    evidence, most lawful first.

    Args:
        options: also try the projector's discrete settings, and keep the one that finds the missing part most often.
    """
    projector, found = space.projector, _free(space, evidence)
    if found is None or not isinstance(projector, Headed):
        return
    law, trials = found
    if options and (settings := list(projector.options())):
        rows = torch.arange(len(trials))
        some, others, scores = trials.pick(rows[_CHUNK // 2 : 5 * _CHUNK]), trials.pick(rows[: _CHUNK // 2]), []
        if not len(some):
            some = others
        for take in settings:
            take()
            projector.head.copy_(_solve(_Features(space, projector), law, some)[0][:, : space.width])
            scores.append(_found(space, law, others))
        settings[scores.index(max(scores))]()
    projector.head.copy_(_solve(_Features(space, projector), law, trials)[0][:, : space.width])


@torch.no_grad()
def orient(space: Space, evidence: Evidence, held_out: Evidence) -> None:
    r"""Choose the space's frame: lawful coordinates, each as long as it is reliable.

    The coordinates are solved for on ``evidence``; the standard deviation of each becomes the square of its
    :math:`R^2` on songs held out, so that what does not hold there weighs little.
    """
    found, held = _free(space, evidence), _free(space, held_out)
    if found is None or held is None:
        return
    law, trials = found
    space.frame.copy_(torch.eye(space.width))
    space.frame.copy_(_solve(space, law, trials)[0])
    seen = space.see(held[1])
    error, spread = (law.predict(seen) - seen.after).square().mean(0), seen.after.var(0).clamp_min(1e-12)
    space.frame.mul_((1 - error / spread).clamp_min(0.1).square())


def _solve(view: Seeing, law: Equivariance, trials: Trials) -> tuple[Tensor, Tensor]:
    errors, wholes = [], []
    for rows in torch.arange(len(trials), device=trials.after.device).split(_CHUNK):
        seen = Seen.through(view, trials.pick(rows))
        errors.append((law.predict(seen) - seen.after).double())
        wholes.append(seen.after.double())
    error, whole = torch.cat(errors), torch.cat(wholes)
    centred = whole - whole.mean(0)
    directions, shares = lawful_components(error.T @ error / len(error), centred.T @ centred / (len(whole) - 1))
    return directions.to(trials.after.dtype), shares.to(trials.after.dtype)


def _found(space: Space, law: Equivariance, trials: Trials) -> float:
    seen = space.see(trials)
    return float((missing_part(seen.before, seen.after, law.predict(seen), trials.present) == 0).double().mean())
