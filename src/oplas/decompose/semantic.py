"""What a component has to say of a mixture: one number a frame."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Semantic(nn.Module):
    """Codes of a mixture to one scalar a frame: convolutions of kernel 3 and SiLU, no norm, no attention.

    The scalar is the bottleneck from which a component's part has to be rendered. Layers after A. Bindi and P. Esling,
    "Unsupervised Composable Representations for Audio", 2024, https://arxiv.org/abs/2408.09792; the arrangement is ours.

    Shape:
        - x: ``[batch, channels, frames]`` · returns ``[batch, numbers, frames]``
    """

    def __init__(self, channels: int, widths: tuple[int, int, int] = (128, 256, 512), numbers: int = 1) -> None:
        super().__init__()
        low, middle, high = widths
        self.first = nn.Sequential(
            *_layer(channels, low), *_layer(low, middle), *_layer(middle, middle), *_layer(middle, middle)
        )  # fmt: skip
        self.wide = nn.Sequential(*_layer(middle, high), nn.Conv1d(high, high, 3, padding=1))
        self.beside = nn.Conv1d(middle, high, 3, padding=1)
        self.last = nn.Sequential(
            nn.SiLU(), *_layer(high, high), *_layer(high, numbers)[:1], nn.Conv1d(numbers, numbers, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = functional.silu(self.first(x))
        z: Tensor = self.last(self.wide(h) + self.beside(h))
        return z


def _layer(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv1d(inputs, outputs, 3, padding=1), nn.SiLU()
