r"""Relative representations: a row as its similarities to anchors, which two spaces share where their coordinates differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from .._errors import OplasError
from ..functional.similarity import leverage
from .affine import Ridge
from .base import Translator
from .rows import Array, float64

Kind = Literal["cosine", "l1", "l2", "linf", "geodesic"]
KINDS: tuple[Kind, ...] = ("cosine", "l1", "l2", "linf", "geodesic")


def relative(x: Tensor, anchors: Tensor, kind: Kind = "cosine") -> Tensor:
    r"""Similarities of rows to anchors, ``[n, d]`` and ``[k, d]`` to ``[n, k]``; what they are *invariant* to is the point.

    ``cosine`` :math:`\frac{x\cdot a}{\|x\|\|a\|}`: rotations and scales of every row · ``l2`` :math:`-\|x-a\|_2`: rotations and
    shifts · ``l1`` and ``linf``: shifts, permutations and changes of sign · ``geodesic`` :math:`-\arccos` of the cosine, the way
    along the unit sphere: as the cosine, with other weights.

    >>> relative(torch.tensor([[2., 0.]]), torch.tensor([[1., 0.], [0., 3.]]))
    tensor([[1., 0.]])
    """
    if kind in ("l1", "l2", "linf"):
        return -torch.cdist(x, anchors, p={"l1": 1.0, "l2": 2.0, "linf": torch.inf}[kind])
    if kind not in KINDS:
        raise OplasError(f"{kind!r} is no similarity known here; take some of {', '.join(KINDS)}")
    unit, other = (z / z.norm(dim=1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny) for z in (x, anchors))
    cosines = unit @ other.T
    return cosines if kind == "cosine" else -torch.arccos(cosines.clamp(-1, 1))


def choose_anchors(x: Array, count: int, *, ridge: float = 0.01, seed: int = 0) -> Tensor:
    r"""Which rows to label when only some can be: drawn without replacement with chances in proportion to their leverage.

    :math:`\ell_i=x_i^\top(X^\top X+\lambda I)^{-1}x_i` says how far a row steers a fit (Mahoney 2011, https://arxiv.org/abs/1104.5557).
    Rows far out and in rare directions come first; where all rows are alike this is a uniform draw.

    Args:
        ridge: :math:`\lambda` in units of the mean squared norm of the centred rows.

    Returns:
        ``count`` distinct row numbers, ``[count]``.

    Raises:
        OplasError: more are asked for than there are.
    """
    rows = float64(x)
    if not 0 < count <= len(rows):
        raise OplasError(f"{count} of {len(rows)} rows cannot be chosen; ask for 1 to {len(rows)}")
    score = leverage(rows, ridge).clamp_min(1e-12).cpu()
    return torch.multinomial(score, count, generator=torch.Generator().manual_seed(seed))


class Invariances(Translator):
    r"""A product of relative representations, each blind to other changes of coordinates, and a ridge that reads it.

    A row becomes its similarities to the anchors, of every kind, side by side, and what stands there is read linearly:

    .. math:: \rho_A(x)=\big[s_1(x,a_1),\dots,s_1(x,a_k),\,s_2(x,a_1),\dots\big],\qquad \hat y = D(\rho_A(x)).

    Which kind carries over between two spaces is not known beforehand; the product leaves the choice to the reader. A decoder
    learned on :meth:`relative_target` reads :meth:`relative` too, without D: zero-shot stitching.
    Relative representations: Moschella et al. (2023, https://arxiv.org/abs/2209.15430); their product: Cannistraci et al. (2024,
    https://arxiv.org/abs/2310.01211); a way out of them: Maiorca et al. (2024, https://arxiv.org/abs/2406.15057).

    Args:
        kinds: similarities, see :func:`relative`; each is standardised in its space.
        anchors: at most so many of the pairs serve as anchors, chosen by leverage; the ridge reads all of them.

    Attributes:
        agreement_: for each kind, the correlation of the two spaces' similarities among the anchors: which invariance holds.
    """

    def __init__(self, kinds: Sequence[Kind] = KINDS, *, anchors: int = 300) -> None:
        self.kinds = kinds
        self.anchors = anchors

    agreement_: dict[str, float]
    anchors_x_: Tensor
    anchors_y_: Tensor
    frame_x_: Tensor
    frame_y_: Tensor
    out_: Ridge
    back_: Ridge

    def relative(self, X: Array) -> Array:
        """What both spaces share: the source's rows as similarities to its anchors, ``[n, kinds · anchors]``."""
        return self._through(X, "n_features_in_", lambda x: self._relative(x, "x"))

    def relative_target(self, Y: Array) -> Array:
        """The same for the target's rows: a decoder learned on these reads :meth:`relative` without any translation."""
        return self._through(Y, "n_features_out_", lambda y: self._relative(y, "y"))

    def _fit(self, x: Tensor, y: Tensor) -> None:
        count = min(self.anchors, len(x))
        chosen = choose_anchors(x, count).sort().values if count < len(x) else torch.arange(len(x))
        self.origin_x_, self.origin_y_ = x.mean(0), y.mean(0)
        self.anchors_x_, self.anchors_y_ = x[chosen] - self.origin_x_, y[chosen] - self.origin_y_
        raw = [[relative(a, a, kind) for kind in self.kinds] for a in (self.anchors_x_, self.anchors_y_)]
        self.frame_x_, self.frame_y_ = (torch.stack([torch.stack([r.mean(), r.std()]) for r in each]) for each in raw)
        pairs = zip(self.kinds, *raw, strict=True)
        self.agreement_ = {kind: float(torch.corrcoef(torch.stack([r.flatten(), s.flatten()]))[0, 1]) for kind, r, s in pairs}
        self.out_ = Ridge().fit(self._relative(x, "x"), y)
        self.back_ = Ridge().fit(self._relative(y, "y"), x)

    def _relative(self, rows: Tensor, side: Literal["x", "y"]) -> Tensor:
        origin, anchors, frame = (getattr(self, f"{name}_{side}_").to(rows) for name in ("origin", "anchors", "frame"))
        parts = zip(self.kinds, frame, strict=True)
        return torch.cat([(relative(rows - origin, anchors, kind) - mean) / std for kind, (mean, std) in parts], 1)

    def _forward(self, x: Tensor) -> Tensor:
        return self.out_._forward(self._relative(x, "x"))

    def _backward(self, y: Tensor) -> Tensor:
        return self.back_._forward(self._relative(y, "y"))


class Relative(Invariances):
    r"""Cosines to anchors alone, :math:`\rho(x)_j=\frac{x\cdot a_j}{\|x\|\|a_j\|}` of centred rows: the first of its kind.

    Blind to rotations and to the length of every row, so that lengths come out at their mean; Moschella et al. (2023,
    https://arxiv.org/abs/2209.15430).
    """

    def __init__(self, *, anchors: int = 300) -> None:
        super().__init__(("cosine",), anchors=anchors)
