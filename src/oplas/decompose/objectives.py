"""What a decomposition is learned by: terms of one loss, none of which needs a label."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Generator, Tensor

from .._spelled import Spelled
from ..codecs import Codec
from .blending import blend, noise
from .model import Composable
from .windows import Batch


class Objective(Spelled, ABC):
    """A term of the loss, and its weight in it."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def begin(self, model: Composable) -> None:
        """Called once, before the first step.

        Raises:
            DataError: this model cannot be taught so.
        """

    @abstractmethod
    def loss(self, model: Composable, batch: Batch, codec: Codec, generator: Generator) -> Tensor:
        """One number, from windows of mixtures; all chance comes from the generator."""


class Compose(Objective):
    r"""Parts compose to the mixture, from which noise has to be told apart:

    .. math:: \big\|C(y_1\dots y_N)-x\big\|^2,\quad y_i=g(\alpha x+(1-\alpha)\varepsilon,\alpha,z_i),\quad \alpha\sim U(0,1),

    all components from the same :math:`x_\alpha`; of a model that predicts velocities, :math:`x-\varepsilon` is the target. In
    units of the codes' mean square. A model whose view is not noisy sees what it sees, at :math:`\alpha=1`.
    """

    def loss(self, model: Composable, batch: Batch, codec: Codec, generator: Generator) -> Tensor:
        x = batch.codes
        alpha = torch.rand(len(x), generator=generator).to(x)
        epsilon = noise(x, generator) * model.scale
        noisy = model.view == "noisy"
        told = model.render(model.latents(x), blend(x, epsilon, alpha) if noisy else x, alpha if noisy else torch.ones_like(alpha))
        target = x if model.predict == "clean" else x - epsilon
        return ((model.compose(told) - target) / model.scale).square().mean()
