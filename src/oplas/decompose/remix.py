"""Objectives without any label: parts of mixtures mixed anew, and mixtures of mixtures."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Generator, Tensor, nn

from .._errors import DataError
from ..codecs import Codec
from .apart import FLOOR, apart, parts
from .model import Composable
from .objectives import Objective
from .windows import Batch


class Remix(Objective, nn.Module):
    r"""Parts that a teacher finds in your mixtures are dealt out among songs, mixed anew, and told apart by the model.

    What the teacher left of one source in another's part is foreign to every new mixture it comes into, so the model need not
    repeat the mistake. The teacher is the model from which learning started, and follows it by a fiftieth a step: start from one
    that has had a :class:`~oplas.decompose.Lesson`, or all parts will be alike.
    E. Tzinis et al., "RemixIT", 2022, https://arxiv.org/abs/2202.08862.
    """

    spread, pace = 4.0, 0.02  # dB; a step
    teacher: Composable

    def __init__(self, weight: float = 1.0) -> None:
        nn.Module.__init__(self)
        super().__init__(weight)

    def begin(self, model: Composable) -> None:
        if model.view == "noisy":
            raise DataError("remixing needs a teacher that separates in one look; learn with view='clean', or 'blind'")
        self.teacher = copy.deepcopy(model).requires_grad_(False)

    def loss(self, model: Composable, batch: Batch, codec: Codec, generator: Generator) -> Tensor:
        if torch.is_grad_enabled():
            self._follow(model)
        with torch.no_grad():
            found = parts(self.teacher.eval(), codec, batch.waves)
            dealt = [found[torch.randperm(len(found), generator=generator), i] for i in range(model.parts)]
            level = 10 ** (self.spread * (2 * torch.rand(*found.shape[:2], 1, generator=generator) - 1) / 20)
        return apart(model, codec, torch.stack(dealt, 1) * level.to(found), generator)

    @torch.no_grad()
    def _follow(self, model: Composable) -> None:
        for mine, theirs in zip(self.teacher.state_dict().values(), model.state_dict().values(), strict=True):
            mine.lerp_(theirs, self.pace)


class MixIT(Objective):
    r"""Parts of the sum of two mixtures are shared out between the two as well as they can be:

    .. math:: \min_{A\subseteq\{1\dots N\}} \Big\|\sum_{i\in A}\hat s_i(a+b) - a\Big\|^2,

    in dB of a and of b; what A leaves over is b, as the parts add up. A source may not be split between the two, so sources end up
    in parts of their own, if there are parts enough: twice as many as a mixture has sources. Which is which is not told.
    S. Wisdom et al., "Unsupervised sound separation using mixture invariant training", 2020, https://arxiv.org/abs/2006.12701.
    """

    def begin(self, model: Composable) -> None:
        if model.view == "noisy":
            raise DataError("mixtures of mixtures are shared out in one look; learn with view='clean', or 'blind'")
        if model.parts < 2:
            raise DataError("one part cannot be shared out between two mixtures; ask for at least 2 parts")

    def loss(self, model: Composable, batch: Batch, codec: Codec, generator: Generator) -> Tensor:
        order = torch.randperm(len(batch.waves), generator=generator)[: len(batch.waves) // 2 * 2]
        first, second = batch.waves[order].unflatten(0, (2, -1))
        found = parts(model, codec, first + second)
        shares = torch.tensor(list(itertools.product((0.0, 1.0), repeat=model.parts)), device=found.device)
        alike, like_first = found @ found.mT, (found @ first.unsqueeze(2)).squeeze(2)
        error = torch.einsum("ai,bij,aj->ba", shares, alike, shares) - 2 * like_first @ shares.T
        least = (error.min(1).values + first.square().sum(1)).clamp_min(0)
        whole = torch.stack([first.square().sum(1), second.square().sum(1)])
        return (10 * torch.log10(least / whole.clamp_min(1e-12) + FLOOR)).mean()
