r"""No anchors at all: two clouds of rows are matched by their shapes alone, or it is said that this did not work."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Self

import torch
from torch import Generator, Tensor

from .._errors import DataError, MissingDependency
from ..functional.procrustes import polar
from ..functional.similarity import directions
from .affine import Ridge
from .parallel import POOL, refine, standardised
from .rows import Array, float64, pairs_of
from .seeking import Seeking


class Blind(Seeking):
    r"""Rows of X and of Y in no order, not equally many, with no row known to mean the same.

    A first likeness of rows (the subclass's) is refined into a soft matching P by
    :func:`~oplas.translators.parallel.refine`, and a ridge is fitted on :math:`(X, PY)`.

    A matching of unrelated clouds looks as good as a true one to whoever made it. So it is made twice, from halves of the rows
    that share none, and the two rotations are asked about all rows: ``found_`` is whether the mean of :math:`\cos(xR_1,xR_2)`
    reaches ``AGREE``. A symmetry that both halves fall for alike is not noticed by this; check on some pairs where any are to be
    had (``report``).

    Attributes:
        found_: whether the two halves confirm each other; where they do not, ``transform`` refuses.
        why_: the fact behind it.
        agreement_: the mean cosine; about 0 for unrelated maps.
    """

    AGREE: ClassVar[float] = 0.8
    minimum: ClassVar[int] = 40

    agreement_: float

    def fit(self, X: Array, Y: Array) -> Self:
        """Learn from X ``[n, d]`` and Y ``[m, e]``, rows of each in any order.

        Raises:
            ShapeError, DataError: as any translator, but rows need not be equally many; or fewer than 40 on a side.
        """
        x, y = float64(X).detach(), float64(Y).detach()
        if x.ndim == y.ndim == 2:
            if min(len(x), len(y)) < self.minimum:
                raise DataError(f"{len(x)} and {len(y)} rows say too little about a shape; give {self.minimum} at least of each")
            for rows in (x, y):
                pairs_of(rows, rows)
        else:
            pairs_of(x, y)
        self.n_features_in_, self.n_features_out_ = x.shape[1], y.shape[1]
        with torch.no_grad():
            self._fit(x, y.to(x.device))
        return self

    @abstractmethod
    def _likeness(self, a: Tensor, b: Tensor) -> Tensor:
        """How alike rows of two standardised clouds are by shape alone, ``[n, m]``, in the units of a cosine."""

    def _fit(self, x: Tensor, y: Tensor) -> None:
        generator = Generator().manual_seed(0)
        a, b = standardised(x), standardised(y)
        first, second = (torch.randperm(len(rows), generator=generator)[:POOL].to(rows.device) for rows in (a, b))
        turns = [self._turn(a[i], b[j])[0] for i, j in zip(first.tensor_split(2), second.tensor_split(2), strict=True)]
        one, two = (directions(a @ turn) for turn in turns)
        self.agreement_ = float((one * two).sum(1).mean())
        self.found_ = self.agreement_ >= self.AGREE
        self.why_ = f"maps from two halves of the rows agree to a mean cosine of {self.agreement_:.2f}, {self.AGREE} is asked for"
        plan = refine(a[first], b[second], directions(a[first] @ turns[0]) @ directions(b[second]).T)
        self.map_ = Ridge().fit(x[first], plan @ y[second])

    def _turn(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        plan = refine(a, b, self._likeness(a, b))
        return polar((a * plan.square().sum(1, keepdim=True)).T @ (plan @ b)), plan


class Profiles(Blind):
    r"""Distribution matching: a row is known by how far all others are from it.

    The profile of a row is the quantile function of its distances to all rows of its cloud, in units of their mean, which no
    rotation, shift or scale changes; rows with like profiles are matched first. The optimal cost between profiles is a lower
    bound of the Gromov–Wasserstein distance (Mémoli 2011, https://doi.org/10.1007/s10208-011-9093-5), without its search.
    """

    def __init__(self) -> None: ...

    def _likeness(self, a: Tensor, b: Tensor) -> Tensor:
        apart = torch.cdist(_profile(a), _profile(b))
        return -apart / (4 * apart.std()).clamp_min(1e-300)


class GromovWasserstein(Blind):
    r"""The matching that best keeps distances, :math:`\min_P\sum_{ijkl}(\|x_i-x_k\|-\|y_j-y_l\|)^2P_{ij}P_{kl}`.

    Mémoli (2011, https://doi.org/10.1007/s10208-011-9093-5); for embeddings Alvarez-Melis & Jaakkola (2018,
    https://arxiv.org/abs/1809.00013). Solved to a local minimum by POT (Flamary et al. 2021; ``pip install 'oplas[blind]'``).

    Args:
        points: at most so many rows of a side are matched at first; the cost grows with their cube.
    """

    def __init__(self, points: int = 400) -> None:
        self.points = points

    def _likeness(self, a: Tensor, b: Tensor) -> Tensor:
        try:
            from ot.gromov import gromov_wasserstein
        except ImportError as error:
            raise MissingDependency("Gromov–Wasserstein needs POT; pip install 'oplas[blind]', or use Profiles()") from error
        u, v = a[: self.points], b[: self.points]
        near, far = ((apart / apart.mean()).cpu().numpy() for apart in (torch.cdist(u, u), torch.cdist(v, v)))
        plan = torch.from_numpy(gromov_wasserstein(near, far, loss_fun="square_loss", max_iter=200)).to(u)
        return directions(a @ polar(u.T @ plan @ v)) @ directions(b).T


def _profile(z: Tensor, points: int = 64) -> Tensor:
    apart = torch.cdist(z, z)
    return torch.quantile(apart / apart.mean(), torch.linspace(0, 1, points, dtype=z.dtype, device=z.device), dim=1).T
