"""VGGish, the audio encoder behind AudioSet's embeddings (network written anew, public weights).

- S. Hershey et al., "CNN architectures for large-scale audio classification", 2017, https://arxiv.org/abs/1609.09430
- weights: the AudioSet authors' (Apache-2.0), converted to torch: https://github.com/harritaylor/torchvggish, release v0.1
"""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn

from .._download import fetch
from ..functional.spectra import hertz_to_mel
from ._weights import load_weights
from .base import Encoder, freeze, portions

_HOME = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth"
_SHA256 = "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b"

FRAME, HOP, N_FFT, BANDS, FRAMES = 400, 160, 512, 64, 96


def mel_weights(rate: int = 16000) -> Tensor:
    """Triangles whose sides are straight on the *mel* axis, 125 Hz to 7500 Hz, nothing from 0 Hz: ``[64, 257]``."""
    ends = hertz_to_mel(torch.tensor([125.0, 7500.0], dtype=torch.float64))
    corners = torch.linspace(float(ends[0]), float(ends[1]), BANDS + 2, dtype=torch.float64)
    bins = hertz_to_mel(torch.linspace(0, rate / 2, N_FFT // 2 + 1, dtype=torch.float64))
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = torch.minimum((bins - left) / (peak - left), (right - bins) / (right - peak)).clamp_min(0)
    triangles[:, 0] = 0
    return triangles.float()


class VGGish(Encoder):
    r"""Log-mel magnitudes of 96 frames (25 ms, every 10 ms), six 3x3 convolutions, three dense layers.

    .. math:: \ell = \ln(M\,|\mathrm{STFT}(x)| + 0.01), \qquad y = \mathrm{network}(\ell)

    The code is read before any final nonlinearity, and is neither whitened nor quantised.

    Shape:
        - x: ``[batch, 15600]``, 0.975 s at 16 kHz
        - y: ``[batch, 128]``

    Built untrained, from PyTorch's global generator; :func:`vggish` is the trained one.
    """

    window: Tensor
    filters: Tensor
    name, rate, samples, dim = "vggish", 16000, (FRAMES - 1) * HOP + FRAME, 128

    def __init__(self, hidden: int = 4096) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(FRAME), persistent=False)
        self.register_buffer("filters", mel_weights(), persistent=False)
        layers: list[nn.Module] = []
        narrow = 1
        for widths in ((64,), (128,), (256, 256), (512, 512)):
            for wide in widths:
                layers += [nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU()]
                narrow = wide
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # quicker
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * 512, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, self.dim)
        )

    def level(self, x: Tensor) -> Tensor:
        """What the network sees, ``[batch, 96 frames, 64 bands]``."""
        spectrum = torch.fft.rfft(x.unfold(-1, FRAME, HOP) * self.window, N_FFT)
        return (spectrum.abs() @ self.filters.T + 0.01).log()

    def forward(self, x: Tensor) -> Tensor:
        # The weights were made for channels last, so that order is restored before the dense layers.
        rows = [self.features(part[:, None]).permute(0, 2, 3, 1).flatten(1) for part in portions(self.level(x), 4)]
        return self.embeddings(torch.cat(rows))


def vggish(weights: str | os.PathLike[str] | None = None) -> Encoder:
    """VGGish, trained on YouTube-8M's audio: 0.975 s at 16 kHz to 128 numbers.

    Args:
        weights: a state dict of that network; left out, the public one is downloaded once (288 MB) and its checksum checked.

    Raises:
        DataError: the weights cannot be downloaded.
        ArtefactError: the weights are damaged, or made for another network.
    """
    network = VGGish()
    load_weights(network, weights or fetch(_HOME, _SHA256, "vggish.pth"))
    return freeze(network)
