"""From one space to another: ``oplas.translate``."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ._errors import ShapeError
from ._types import Trials
from .bridge import Bridge
from .encoders.both import Both
from .space import Space
from .translators.base import Translator
from .translators.named import named

if TYPE_CHECKING:
    from .data.base import Dataset

Pairs = tuple[Tensor, Tensor]


@torch.no_grad()
def translate(
    source: Space,
    target: Space,
    anchors: Dataset | Pairs | tuple[Trials, Trials],
    *,
    by: str | Translator = "ridge",
    count: int = 2000,
    seed: int = 0,
) -> Bridge:
    r"""Estimate :math:`T: z_A\mapsto z_B` from anchors, things that both spaces have encoded, and carry A's laws over it.

    An operator R_A of A becomes :math:`R_B=T\,R_A\,T^{+}` in B, without learning anything there; see
    :class:`oplas.bridge.Carried` for what becomes of what does not cross. Translation from parallel anchors: Maiorca et al.
    2023, https://arxiv.org/abs/2311.00664.

    Args:
        anchors: songs, of which ``count`` windows (mixes and single parts) are heard by both encoders; or codes that are
            paired already, ``([n, dim_a], [n, dim_b])``, or paired trials.
        by: a translator to fit a copy of, or the name of one: ridge, affine, orthogonal, auto, ...
        seed: of the windows drawn.

    Raises:
        DataError: the anchors are too few, constant, NaN or infinite.
        ShapeError: the two columns of anchors differ in length, or are not codes of these spaces.
    """
    a, b = latents(source, target, anchors, count, seed)
    wanted = named(by) if isinstance(by, str) else by
    there = copy.deepcopy(wanted).fit(a, b)
    facts = {"anchors": len(a), "by": repr(wanted), "seed": seed, "data": str(getattr(anchors, "fingerprint", "codes"))}
    return Bridge(source, target, there, facts)


def latents(source: Space, target: Space, anchors: Dataset | Pairs | tuple[Trials, Trials], count: int, seed: int) -> Pairs:
    """The anchors' latents in both spaces, rows in correspondence."""
    if not isinstance(anchors, tuple):
        codes = _heard(Both(source.encoder, target.encoder), anchors, count, Generator().manual_seed(seed))
    else:
        codes = tuple(each.codes if isinstance(each, Trials) else torch.as_tensor(each) for each in anchors)  # type: ignore[assignment]
    if len(codes) != 2 or len(codes[0]) != len(codes[1]):
        raise ShapeError(f"anchors come as two columns of as many rows; these have {[len(each) for each in codes]}; pair them")
    for code, space in zip(codes, (source, target), strict=True):
        if code.ndim != 2 or code.shape[1] != space.encoder.dim:
            raise ShapeError(f"codes of {space.encoder.name} are [n, {space.encoder.dim}]; these are {list(code.shape)}")
    kind = next((tensor.dtype for tensor in source.parameters()), source.origin.dtype)
    a, b = (space.project(code.to(kind)) for code, space in zip(codes, (source, target), strict=True))
    return a, b


def _heard(both: Both, data: Dataset, count: int, generator: Generator) -> Pairs:
    """Codes of windows drawn from songs: each mix, then its parts, until there are ``count``."""
    windows: list[Tensor] = []
    codes: list[Tensor] = []
    while sum(map(len, codes)) + len(windows) < count:
        parts = data.draw(both.rate, both.samples, 1, generator).parts
        windows += [parts.sum(0), *(parts if len(parts) > 1 else ())]
        if len(windows) >= 64:
            codes.append(both.encode(torch.stack(windows)))
            windows.clear()
    if windows:
        codes.append(both.encode(torch.stack(windows)))
    return both.apart(torch.cat(codes)[:count])
