r"""What latents of music are like: a masking prior over the rows of all parts together.

Some rows are masked by noise, the others are as they are, and the network tells the rows behind the noise:

.. math:: \big\|g\big(m Z_\alpha+(1-m)Z,\;m,\;\alpha\big)-Z\big\|^2,\qquad Z_\alpha=\alpha Z+(1-\alpha)\varepsilon.

With every row masked it generates, with some it accompanies, and from :math:`\alpha_0>0` it varies. After A. Bindi and P. Esling,
"Unsupervised Composable Representations for Audio", 2024, https://arxiv.org/abs/2408.09792.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from .._errors import DataError
from .._spelled import Spelled
from .blending import blend, noise
from .sizes import Size, preset
from .unet import UNet


class Prior(Spelled, nn.Module):
    """Over ``parts`` rows of one number a frame.

    Shape:
        - z: ``[batch, parts, frames]`` · free: ``[parts]`` bool, which rows are masked and made anew
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, parts: int, size: Size = "M") -> None:
        super().__init__()
        self.parts = parts
        self.net = UNet(2 * parts, parts, preset(size).prior)
        self.register_buffer("mean", torch.zeros(parts, 1))
        self.register_buffer("deviation", torch.ones(parts, 1))

    @torch.no_grad()
    def measure(self, z: Tensor) -> None:
        """Take each row's mean and deviation, so that noise of deviation 1 masks it."""
        self.mean.copy_(z.mean((0, 2)).unsqueeze(1))
        self.deviation.copy_(z.std((0, 2)).unsqueeze(1).clamp_min(1e-8))

    def loss(self, z: Tensor, generator: Generator) -> Tensor:
        """Mean square over all rows, in units of their deviation; half of the batch is masked whole."""
        rows = (z - self.mean) / self.deviation
        alpha = torch.rand(len(z), generator=generator).to(z)
        masked = torch.rand(len(z), self.parts, generator=generator) < 0.5
        masked[::2] = True
        masked[~masked.any(1), torch.randint(self.parts, (), generator=generator)] = True
        seen = torch.where(masked.to(z.device).unsqueeze(-1), blend(rows, noise(rows, generator), alpha), rows)
        return (self._told(seen, masked.to(z), alpha) - rows).square().mean()

    @torch.no_grad()
    def sample(self, z: Tensor, free: Tensor, *, strength: float = 1.0, steps: int = 50, seed: int = 0) -> Tensor:
        r"""The rows that are free made anew, the others clamped at every step.

        ``strength`` is the share of noise that is begun from, :math:`1-\\alpha_0`: 1 forgets the rows, 0 leaves them.

        Raises:
            DataError: the strength is not from 0 to 1, or there is not one step.
        """
        if not 0 <= strength <= 1 or steps < 1:
            raise DataError(f"strength={strength} and steps={steps}; a strength is from 0 to 1, and at least one step is taken")
        if not strength or not bool(free.any()):
            return z
        rows, mask = (z - self.mean) / self.deviation, free.to(z).expand(len(z), -1)
        epsilon = noise(rows, Generator().manual_seed(seed))
        base = blend(rows, epsilon, z.new_full((len(z),), 1 - strength))
        for step in range(steps):
            left, after = strength * (1 - step / steps), strength * (1 - (step + 1) / steps)
            seen = torch.where(free.unsqueeze(-1), base, rows)
            told = self._told(seen, mask, z.new_full((len(z),), 1 - left))
            base = told + after / left * (base - told)
        return torch.where(free.unsqueeze(-1), base * self.deviation + self.mean, z)

    def _told(self, rows: Tensor, masked: Tensor, alpha: Tensor) -> Tensor:
        told: Tensor = self.net(torch.cat([rows, masked.unsqueeze(-1).expand_as(rows)], 1), alpha)
        return told
