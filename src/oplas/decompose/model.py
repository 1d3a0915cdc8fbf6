"""The composable model: codes of a mixture to one number a frame and component, each rendered on its own, and composed again."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from .._errors import DataError, ShapeError
from .._spelled import Spelled
from .operators import Operator, compose
from .semantic import Semantic
from .sizes import Size, preset
from .unet import UNet

Decoder = Literal["shared", "separate"]
View = Literal["noisy", "blind", "clean"]
Predict = Literal["clean", "velocity"]
MOST = 8


class Composable(Spelled, nn.Module):
    r"""Encoders E of one number a frame, a decoder g, and an operator C over the components:

    .. math:: z_{1\dots N}=E(x),\qquad y_i=g(\text{seen},\alpha,z_i),\qquad \hat x=C(y_1\dots y_N).

    A. Bindi and P. Esling, "Unsupervised Composable Representations for Audio", 2024, https://arxiv.org/abs/2408.09792.

    Args:
        channels: numbers a frame of the codec, C.
        parts: components, N.
        operator: how parts become the mixture.
        decoder: one for all components, or one each.
        view: what a decoder sees beside its latent: ``noisy``, the mixture and noise, as in the paper; ``blind``, nothing, so that
            one pass does and nothing is diffused; ``clean``, the mixture itself, from which the latent asks for a part.
        predict: what a noisy decoder tells, the codes or the velocity from noise to codes.
        numbers: of each component a frame; the paper has one, and only one can be generated and varied.
        positive: codes of this codec are not negative, and neither are those rendered.

    Raises:
        DataError: there is no such choice, or there are fewer than 1 or more than 8 parts.
    """

    scale: Tensor

    def __init__(
        self,
        channels: int,
        parts: int = 2,
        *,
        size: Size = "M",
        operator: Operator = "mean",
        decoder: Decoder = "shared",
        view: View = "noisy",
        predict: Predict = "clean",
        numbers: int = 1,
        positive: bool = False,
    ) -> None:
        super().__init__()
        if not 1 <= parts <= MOST:
            raise DataError(f"{parts} parts were asked for; a mixture is decomposed into 1 to {MOST}")
        choices = ((operator, Operator), (decoder, Decoder), (view, View), (predict, Predict))
        for value, known in choices:
            if value not in get_args(known):
                raise DataError(f"there is no {value!r}; choose {', '.join(get_args(known))}")
        if predict == "velocity" and view != "noisy":
            raise DataError(f"view={view!r} has no noise and so no velocity; use predict='clean', or view='noisy'")
        if not 1 <= numbers <= MOST:
            raise DataError(f"{numbers} numbers a frame were asked for; a component has 1 to {MOST}")
        sizes = preset(size)
        self.channels, self.parts, self.size, self.numbers = channels, parts, size, numbers
        self.operator: Operator = operator
        self.decoder, self.view, self.predict = decoder, view, predict
        self.positive = positive and predict == "clean"
        self.encoders = nn.ModuleList(Semantic(channels, sizes.semantic, numbers) for _ in range(parts))
        count = 1 if decoder == "shared" else parts
        self.decoders = nn.ModuleList(UNet(channels, channels, sizes.decoder, rows=numbers) for _ in range(count))
        self.register_buffer("scale", torch.ones(()))

    def latents(self, x: Tensor) -> Tensor:
        """What each component has to say: ``[batch, C, frames] -> [batch, parts, (numbers,) frames]``."""
        if x.ndim != 3 or x.shape[1] != self.channels:
            raise ShapeError(f"this model reads codes [batch, {self.channels}, frames]; these are {list(x.shape)}")
        x = x / self.scale
        z = torch.stack([encoder(x) for encoder in self.encoders], 1)
        return z.squeeze(2) if self.numbers == 1 else z

    def render(self, z: Tensor, seen: Tensor, alpha: Tensor) -> Tensor:
        """Each component from its own latent, all from what is seen, or each from its own.

        Shape:
            - z: as :meth:`latents` tells, ``[batch, n, frames]``; n is the number of parts, or any if the decoder is shared
            - seen: ``[batch, C, frames]`` or ``[batch, n, C, frames]``; a blind model does not look
            - alpha: ``[batch]``, the share of the mixture in what is seen: 1 if there is no noise
            - returns ``[batch, n, C, frames]``: codes, or velocities
        """
        z = z.unsqueeze(2) if self.numbers == 1 else z
        batch, parts, _, frames = z.shape
        seen = seen if seen.ndim == 4 else seen.unsqueeze(1).expand(-1, parts, -1, -1)
        seen = torch.zeros_like(seen) if self.view == "blind" else seen / self.scale
        alpha = alpha.unsqueeze(1).expand(-1, parts)
        if len(self.decoders) == 1:  # components side by side in the batch
            made = self.decoders[0](seen.flatten(0, 1), alpha.flatten(), z.flatten(0, 1)).view(batch, parts, -1, frames)
        elif parts != len(self.decoders):
            raise ShapeError(f"{parts} latents for {len(self.decoders)} separate decoders; give one each")
        else:
            rows = [g(seen[:, i], alpha[:, i], z[:, i]) for i, g in enumerate(self.decoders)]
            made = torch.stack(rows, 1)
        return (functional.softplus(made) if self.positive else made) * self.scale

    def compose(self, y: Tensor) -> Tensor:
        """Components as one, ``[batch, n, C, frames] -> [batch, C, frames]``."""
        return compose(y, self.operator)

    @torch.no_grad()
    def measure(self, codes: Tensor) -> None:
        """Take the root mean square of codes as the unit in which the networks work. The paper's sizes keep the codec's own."""
        if self.size != "paper":
            self.scale.copy_(codes.square().mean().sqrt().clamp_min(1e-8))
