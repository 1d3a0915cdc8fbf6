"""The interface of an operator, and its algebra: product, power, inverse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from .._spelled import Spelled

if TYPE_CHECKING:
    from .composed import Composition, Power


class Operator(Spelled, nn.Module, ABC):
    r"""What an action becomes in the space: :math:`(z_1,\dots,z_k;\theta)\mapsto z'`.

    ``a @ b`` is b, then a; ``a ** 3`` three times a; ``a.inverse()`` its undoing: each an operator.

    Shape:
        - z: ``[n, k, d]``, zeros where a part is absent
        - theta: ``[n, k]``, the action's parameter for each part
        - returns: ``[n, d]``
    """

    linear: bool = False
    """Whether the operator commutes with every linear map of the space, so that coordinates are free to choose."""
    flow: bool = False
    r"""Whether :math:`O_sO_t=O_{s+t}` for every real s and t, so that any power, the inverse too, is another theta."""

    @abstractmethod
    def forward(self, z: Tensor, theta: Tensor) -> Tensor: ...

    def undo(self, z: Tensor, theta: Tensor) -> Tensor:
        """What was there before, where one part was operated on: ``z [n, d]``, ``theta [n]``.

        Raises:
            ShapeError: the operator has no inverse.
        """
        from .._errors import ShapeError

        if self.flow:
            answer: Tensor = self(z[:, None], -theta[:, None])
            return answer
        raise ShapeError(f"{self!r} cannot be undone; use an operator that can, such as Rotation, Translation or Koopman")

    def inverse(self) -> Power:
        """The operator that undoes this one."""
        return self**-1

    def __matmul__(self, first: Operator) -> Composition:
        from .composed import Composition

        return Composition(self, first) if isinstance(first, Operator) else NotImplemented

    def __pow__(self, exponent: float) -> Power:
        from .composed import Power

        return Power(self, exponent)
