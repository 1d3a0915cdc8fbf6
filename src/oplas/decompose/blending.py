r"""Noise blended into codes, and taken out again in K steps: iterative :math:`\alpha`-(de)blending.

.. math:: x_\alpha = \alpha x + (1-\alpha)\varepsilon

E. Heitz, L. Belcour, T. Chambon, "Iterative α-(de)Blending: a Minimalist Deterministic Diffusion Model", 2023,
https://arxiv.org/abs/2305.03486. The same path as in flow matching, Lipman et al. 2023, https://arxiv.org/abs/2210.02747.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .model import Composable


def noise(like: Tensor, generator: Generator) -> Tensor:
    """Normal noise of a tensor's shape; drawn on the CPU, so that it does not depend on the device."""
    return torch.randn(like.shape, generator=generator).to(like)


def blend(x: Tensor, epsilon: Tensor, alpha: Tensor) -> Tensor:
    """``[batch, ...]``, alpha ``[batch]``: 1 leaves the codes, 0 leaves the noise."""
    share = alpha.view(-1, *(1,) * (x.ndim - 1))
    return share * x + (1 - share) * epsilon


def clean(model: Composable, told: Tensor, seen: Tensor, alpha: float) -> Tensor:
    r"""Codes from what the model tells: themselves, or :math:`x_\alpha+(1-\alpha)v` of a velocity v."""
    return told if model.predict == "clean" else seen + (1 - alpha) * told


@torch.no_grad()
def render(
    model: Composable,
    z: Tensor,
    mix: Tensor | None = None,
    *,
    steps: int = 1,
    seed: int = 0,
    together: bool = True,
) -> Tensor:
    """Components of latents, in so many steps from noise; a model that sees no noise takes one step whatever is asked.

    ``together``, every step blends towards what the components compose to, as in training; otherwise each component is rendered on
    its own, by its latent alone, all from the same noise.

    Shape:
        - z: ``[batch, parts, frames]`` · mix: codes ``[batch, C, frames]``, for a model whose view is clean
        - returns ``[batch, parts, C, frames]``

    Raises:
        DataError: fewer than one step.
        ShapeError: the model's view is clean, and no mixture is given.
    """
    if steps < 1:
        raise DataError(f"{steps} steps were asked for; rendering takes at least 1")
    if model.view == "clean" and mix is None:
        raise ShapeError("this model picks parts from a mixture and renders none without it; give the mixture's codes, or learn "
                         "with view='noisy' or 'blind'")  # fmt: skip
    batch, parts, frames = len(z), z.shape[1], z.shape[-1]
    base = z.new_zeros(batch, model.channels, frames) if mix is None else mix
    if model.view != "noisy":
        return model.render(z, base, z.new_ones(batch))
    generator = Generator().manual_seed(seed)
    base = torch.randn(1, model.channels, frames, generator=generator).to(z).expand(batch, -1, -1) * model.scale
    base = base if together else base.unsqueeze(1).expand(-1, parts, -1, -1)
    made = z.new_zeros(batch, parts, model.channels, frames)
    for step in range(steps):
        alpha = step / steps
        told = model.render(z, base, z.new_full((batch,), alpha))
        made = clean(model, told, base.unsqueeze(1) if together else base, alpha)
        towards = clean(model, model.compose(told), base, alpha) if together else made
        base = towards + (1 - (step + 1) / steps) / (1 - alpha) * (base - towards)
    return made
