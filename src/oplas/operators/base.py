"""The interface of an operator."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from .._spelled import Spelled


class Operator(Spelled, nn.Module, ABC):
    r"""What an action becomes in the space: :math:`(z_1,\dots,z_k;\theta)\mapsto z'`.

    Shape:
        - z: ``[n, k, d]``, zeros where a part is absent
        - theta: ``[n, k]``, the action's parameter for each part
        - returns: ``[n, d]``
    """

    linear: bool = False
    """Whether the operator commutes with every linear map of the space, so that coordinates are free to choose."""

    @abstractmethod
    def forward(self, z: Tensor, theta: Tensor) -> Tensor: ...
