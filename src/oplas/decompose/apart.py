"""Parts told apart: those that a model finds in waves, and how far they are from the ones that were mixed."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ..codecs import Codec
from ..codecs.base import FRAME, STEP
from ..functional.spectra import stft
from .blending import blend, noise
from .model import Composable
from .windows import levelled

#: The share of the mixture's power below which an error is as good as none: -30 dB.
FLOOR = 1e-3


def parts(model: Composable, codec: Codec, waves: Tensor) -> Tensor:
    """Parts that share each mixture out, of a model that needs one look: ``[batch, samples] -> [batch, n, samples]``."""
    return codec.decode(_look(model, codec, waves), waves)


def apart(model: Composable, codec: Codec, sources: Tensor, generator: Generator) -> Tensor:
    r"""How far the parts of :math:`\sum_i s_i` are from the sources, in dB of the mixture's power, the mean over all:

    .. math:: 10\log_{10}\Big(\frac{\|\hat s_i-s_i\|^2}{\sum_j\|s_j\|^2}+\tau\Big),\quad \tau=10^{-3}.

    A model that sees noise renders each source's codes from the noisy mixture, and the error is that of codes.

    Shape:
        - sources: ``[batch, n, samples]`` at the codec's rate
    """
    waves, gain = levelled(sources.sum(1))
    sources = sources * gain.unsqueeze(1)
    if model.view != "noisy":
        wanted = stft(sources, FRAME, STEP)
        return decibels(codec.shared(_look(model, codec, waves), waves) - wanted, wanted)
    codes, wanted = codec.encode(waves), codec.encode(sources)
    alpha = torch.rand(len(codes), generator=generator).to(codes)
    epsilon = noise(codes, generator) * model.scale
    told = model.render(model.latents(codes), blend(codes, epsilon, alpha), alpha)
    target = wanted if model.predict == "clean" else wanted - epsilon.unsqueeze(1)
    return decibels(told - target, wanted)


def decibels(error: Tensor, sources: Tensor) -> Tensor:
    """The mean error, ``[batch, n, ...]``, in dB of all sources' power together."""
    whole = sources.abs().square().flatten(1).sum(1).clamp_min(1e-12)
    return (10 * torch.log10(error.abs().square().flatten(2).sum(2) / whole.unsqueeze(1) + FLOOR)).mean()


def _look(model: Composable, codec: Codec, waves: Tensor) -> Tensor:
    codes = codec.encode(levelled(waves)[0])
    return model.render(model.latents(codes), codes, codes.new_ones(len(codes)))
