"""The last step of learning, in closed form: the coordinates in which the law holds best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._errors import ShapeError
from ._types import Trials
from .evidence import Evidence
from .functional.components import lawful_components
from .laws.base import Seen
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


@torch.no_grad()
def settle(space: Space, evidence: Evidence, *, options: bool = False) -> float | None:
    """Solve the projector's head for the space's first equivariance law.

    Only where the operator commutes with every linear map (the sum does): then coordinates are free to choose, and
    :func:`oplas.functional.components.lawful_components` chooses them. Leaves the space white on the evidence, most lawful
    coordinate first.

    Args:
        options: also try the projector's discrete settings, and keep the one that finds the missing part most often.

    Returns:
        the mean R² along the coordinates kept, or None where nothing could be solved.
    """
    projector = space.projector
    found = [(law, trials) for laws, trials in evidence.shares for law in laws if isinstance(law, Equivariance) and law.operator.linear]
    if not found or not isinstance(projector, Headed):
        return None
    law, trials = found[0]
    if options and (settings := list(projector.options())):
        some, found_first = trials.pick(torch.arange(min(len(trials), _CHUNK))), []
        for take in settings:
            take()
            projector.head.copy_(_solve(space, projector, law, some)[0])
            found_first.append(_found(space, law, some))
        settings[found_first.index(max(found_first))]()
    directions, shares = _solve(space, projector, law, trials.pick(torch.arange(min(len(trials), 8 * _CHUNK))))
    projector.head.copy_(directions.to(projector.head))
    return float(shares.mean())


def _solve(space: Space, projector: Headed, law: Equivariance, trials: Trials) -> tuple[Tensor, Tensor]:
    view, errors, wholes = _Features(space, projector), [], []
    for rows in torch.arange(len(trials), device=trials.after.device).split(_CHUNK):
        seen = Seen.through(view, trials.pick(rows))
        errors.append((law.predict(seen) - seen.after).double())
        wholes.append(seen.after.double())
    error, whole = torch.cat(errors), torch.cat(wholes)
    centred = whole - whole.mean(0)
    directions, shares = lawful_components(error.T @ error / len(error), centred.T @ centred / (len(whole) - 1))
    return directions[:, : projector.width], shares[: projector.width]


def _found(space: Space, law: Equivariance, trials: Trials) -> float:
    seen = space.see(trials)
    return float((missing_part(seen.before, seen.after, law.predict(seen), trials.present) == 0).double().mean())
