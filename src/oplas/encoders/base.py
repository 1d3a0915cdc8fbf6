"""What every encoder is: a frozen map from a window of data to one code."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from .. import _artefact
from .._errors import DataError, ShapeError


class Encoder(nn.Module, ABC):
    r"""A frozen map :math:`f: x \mapsto y`, never trained by oplas.

    Shape:
        - x: ``[batch, samples]``, amplitude in [-1, 1], at ``rate`` samples per second
        - y: ``[batch, dim]``

    Subclasses set the four facts below and write :meth:`forward`; they are called through :meth:`encode`.
    """

    name: str
    rate: int
    samples: int
    dim: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...

    @property
    def identity(self) -> str:
        """Hash of name, window and weights: two encoders with the same identity give the same codes."""
        told = f"{type(self).__name__} {self.name} {self.rate} {self.samples} {self.dim}"
        return _artefact.identity(told, self.state_dict())

    @property
    def hop(self) -> int:
        """How far apart certificates place windows, samples: end to end, or every two seconds where windows exceed five."""
        return 2 * self.rate if self.samples > 5 * self.rate > 0 else self.samples

    def silence(self) -> Tensor:
        """The window in which nothing sounds; its code is a space's origin. ``[1, samples]``."""
        return torch.zeros(1, self.samples)

    @torch.no_grad()
    def encode(self, x: Tensor, batch: int = 64) -> Tensor:
        """Codes of many windows, a batch at a time, on the encoder's own device.

        Raises:
            ShapeError: x is not ``[n, samples]``.
            DataError: x, or the code the encoder made of it, holds NaN or infinity.
        """
        if x.ndim != 2 or x.shape[1] != self.samples:
            raise ShapeError(
                f"{self.name} reads windows [n, {self.samples}] at {self.rate} Hz; this batch is {list(x.shape)}; "
                "cut or resample it to that length"
            )
        if not torch.isfinite(x).all():
            raise DataError(f"the batch given to {self.name} holds NaN or infinite samples; mend the file it came from")
        device = next((tensor.device for tensor in self.state_dict().values()), x.device)
        rows = [self(part.to(device)).to(x.device) for part in x.split(batch) if len(part)]
        codes = torch.cat(rows) if rows else x.new_zeros(0, self.dim)
        if not torch.isfinite(codes).all():
            raise DataError(f"{self.name} answered NaN or infinity to finite input; its weights may be damaged")
        return codes


def portions(x: Tensor, count: int) -> tuple[Tensor, ...]:
    """x in parts of ``count`` windows on a CPU, whose caches are small; whole anywhere else."""
    return x.split(count) if x.device.type == "cpu" else (x,)


def freeze(encoder: Encoder) -> Encoder:
    """The same encoder in evaluation mode, with no parameter asking for a gradient."""
    return encoder.eval().requires_grad_(False)
