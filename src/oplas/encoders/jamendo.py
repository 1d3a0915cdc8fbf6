"""Two public music taggers trained on MTG-Jamendo, without their last layer (networks written anew, weights by M. Won).

- M. Won, A. Ferraro, D. Bogdanov, X. Serra, "Evaluation of CNN-based automatic music tagging models", 2020,
  https://arxiv.org/abs/2006.00751 (weights, MIT: https://github.com/minzwon/sota-music-tagging-models)
- K. Choi, G. Fazekas, M. Sandler, "Automatic tagging using deep convolutional neural networks", 2016,
  https://arxiv.org/abs/1606.00298 (FCN)
- J. Pons, O. Nieto, M. Prockup, E. Schmidt, A. Ehmann, X. Serra, "End-to-end learning for music audio tagging at scale",
  2018, https://arxiv.org/abs/1711.02520 (Musicnn)
"""

from __future__ import annotations

import os
from abc import abstractmethod
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .._download import fetch
from .._errors import DataError
from ..functional.spectra import decibels, mel_filters, power_spectrogram
from ._weights import load_weights
from .base import Encoder, freeze, portions

_HOME = (
    "https://raw.githubusercontent.com/minzwon/sota-music-tagging-models/"
    "ffcd1f90b97a1e923a50c6e5283f147cf9dd7dfd/models/jamendo/{}/best_model.pth"
)
_SHA256 = {
    "fcn": "7bce08a66dbc70d096b0a330f44b4cacd9aa25519b83489fbb98f2164a194e2b",
    "musicnn": "66280f4859376377c47f64313c7ac889a3201fdb06a01bf6e94ac6e619081bb5",
}

_TAGS = """
    alternative ambient atmospheric chillout classical dance downtempo easylistening electronic experimental folk funk hiphop
    house indie instrumentalpop jazz lounge metal newage orchestral pop popfolk poprock reggae rock soundtrack techno trance
    triphop world
    acousticguitar bass computer drummachine drums electricguitar electricpiano guitar keyboard piano strings synthesizer
    violin voice
    emotional energetic film happy relaxing
"""
#: The tags of :meth:`Tagger.tags`, in order: MTG-Jamendo's fifty most frequent (genres, instruments, moods and themes).
TAGS: tuple[str, ...] = tuple(_TAGS.split())


class Tagger(Encoder):
    """Mel spectrogram in dB, a network, and the linear layer that reads tags off its embedding.

    The front end: 16 kHz, frames of 512 samples every 256 (Hann), 96 HTK bands up to 8 kHz.
    """

    window: Tensor
    filters: Tensor
    rate = 16000

    def __init__(self, name: str, seconds: int, dim: int) -> None:
        super().__init__()
        self.name, self.samples, self.dim = name, seconds * self.rate, dim
        self.register_buffer("window", torch.hann_window(512))
        self.register_buffer("filters", mel_filters(self.rate, 512, 96).T)
        self.level_norm = nn.BatchNorm2d(1)
        self.tagger = nn.Linear(dim, 50)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._code(part) for part in portions(x, 1)])

    def _code(self, x: Tensor) -> Tensor:
        mel = decibels(self.filters.T @ power_spectrogram(x, self.window, 256))
        return self.embed(self.level_norm(mel[:, None]))

    @abstractmethod
    def embed(self, level: Tensor) -> Tensor:
        """Code of a normalised spectrogram, ``[batch, 1, 96, frames]`` to ``[batch, dim]``."""

    @torch.no_grad()
    def tags(self, x: Tensor) -> Tensor:
        """Probability of each of :data:`TAGS`, ``[batch, 50]``: what the network itself makes of the windows."""
        return self.tagger(self.encode(x)).sigmoid()


def _block(kind: type[nn.Module], norm: type[nn.Module], *shape: Any, **options: Any) -> nn.Sequential:
    return nn.Sequential(kind(*shape, **options), norm(shape[1]))


class FCN(Tagger):
    """Five 3x3 convolutions with max pooling, down to one position: 29 s to 64 numbers."""

    def __init__(self) -> None:
        super().__init__("jamendo-fcn", 29, 64)
        widths, pools = (1, 64, 128, 128, 128, 64), ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))
        self.blocks = nn.ModuleList(
            _block(nn.Conv2d, nn.BatchNorm2d, narrow, wide, 3, padding=1) for narrow, wide in pairwise(widths)
        )
        self.blocks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
        self.pools = nn.ModuleList(nn.MaxPool2d(size) for size in pools)

    def embed(self, level: Tensor) -> Tensor:
        for block, pool in zip(self.blocks, self.pools, strict=True):
            level = pool(block(level)).relu()  # after the maximum, where it does the same to fewer numbers
        return level.flatten(1)


class Musicnn(Tagger):
    """Timbral (tall) and temporal (long) filters side by side, three convolutions over time: 3 s to 200 numbers."""

    def __init__(self) -> None:
        super().__init__("jamendo-musicnn", 3, 200)
        self.vertical = nn.ModuleList(_block(nn.Conv2d, nn.BatchNorm2d, 1, 204, (height, 7), padding=(0, 3)) for height in (67, 38))
        self.horizontal = nn.ModuleList(
            _block(nn.Conv1d, nn.BatchNorm1d, 1, 51, length, padding=length // 2) for length in (129, 65, 33)
        )
        self.middle = nn.ModuleList(
            _block(nn.Conv1d, nn.BatchNorm1d, width, 64, 7, padding=3) for width in (2 * 204 + 3 * 51, 64, 64)
        )
        self.dense, self.dense_norm = nn.Linear(2 * (561 + 3 * 64), 200), nn.BatchNorm1d(200)

    def embed(self, level: Tensor) -> Tensor:
        tall = [block(level).amax(2).relu() for block in self.vertical]
        long = [block(level.mean(2)).relu() for block in self.horizontal]
        front = torch.cat(tall + long, 1)
        first = self.middle[0](front).relu()
        second = first + self.middle[1](first).relu()
        third = second + self.middle[2](second).relu()
        every = torch.cat([front, first, second, third], 1)
        return self.dense_norm(self.dense(torch.cat([every.amax(-1), every.mean(-1)], 1))).relu()


#: The weight files' names of modules, in ours.
_NAMES = {
    "spec.spectrogram.window": "window",
    "spec.mel_scale.fb": "filters",
    "spec_bn": "level_norm",
    "dense": "tagger",
    "dense1": "dense",
    "dense2": "tagger",
    "bn": "dense_norm",
    **{f"layers.{index}": f"vertical.{index}" for index in range(2)},
    **{f"layers.{index}": f"horizontal.{index - 2}" for index in range(2, 5)},
}


def _rename(key: str, blocks: str) -> str:
    for part, place in ((".conv.", ".0."), (".bn.", ".1.")):
        key = key.replace(part, place)
    for theirs, ours in _NAMES.items():
        if key == theirs or key.startswith(f"{theirs}."):
            return ours + key[len(theirs) :]
    if key.startswith("layer"):
        number, _, rest = key.removeprefix("layer").partition(".")
        return f"{blocks}.{int(number) - 1}.{rest}"
    return key


def jamendo(kind: Literal["fcn", "musicnn"] = "musicnn", weights: str | os.PathLike[str] | None = None) -> Tagger:
    """Music tagger of MTG-Jamendo at 16 kHz: ``"fcn"`` reads 29 s into 64 numbers, ``"musicnn"`` 3 s into 200.

    Args:
        weights: a state dict of that network; left out, the public one is downloaded once (2 or 3 MB) and its checksum checked.

    Raises:
        DataError: ``kind`` is neither of the two, or the weights cannot be downloaded.
        ArtefactError: the weights are damaged, or made for another network.
    """
    if kind not in _SHA256:
        raise DataError(f"there is no jamendo network {kind!r}; ask for 'fcn' or 'musicnn'")
    network = FCN() if kind == "fcn" else Musicnn()
    path = weights or fetch(_HOME.format(kind), _SHA256[kind], f"jamendo-{kind}.pth")
    load_weights(network, path, lambda key: _rename(key, "blocks" if kind == "fcn" else "middle"))
    freeze(network)
    return network
