"""Any exported network as an encoder, through ONNX Runtime."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .._errors import ArtefactError, MissingDependency, ShapeError
from .base import Encoder, freeze


def mean_over_time(y: Tensor) -> Tensor:
    """Mean over the second axis of ``[batch, frames, features]``; ``[batch, features]`` is left as it is.

    Raises:
        ShapeError: y has another number of axes.
    """
    if y.ndim not in (2, 3):
        raise ShapeError(f"an output of shape {list(y.shape)} cannot be averaged over time; pass pool=, a function to [batch, dim]")
    return y.mean(1) if y.ndim == 3 else y


class Onnx(Encoder):
    """An ONNX graph with one input of sound; its outputs are pooled, flattened and put side by side.

    Shape:
        - x: ``[batch, samples]``; the graph may want ``[samples]``, ``[batch, samples]``, or that with one channel axis
    """

    content: Tensor

    def __init__(self, path: Path, rate: int, samples: int, output: str | None, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.name, self.rate, self.samples, self.pool = f"onnx({path.name})", rate, samples, pool
        self.session = _session(path)
        self.outputs = [node.name for node in self.session.get_outputs()]
        if output is not None:
            if output not in self.outputs:
                raise ShapeError(f"{path} has no output {output!r}; it has {', '.join(self.outputs)}")
            self.outputs = [output]
        inputs = self.session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) > 3 or inputs[0].type != "tensor(float)":
            seen = ", ".join(f"{node.name} {node.type} {node.shape}" for node in inputs)
            raise ShapeError(f"{path} should have one float input of sound, up to [batch, channel, samples]; it has {seen}")
        self.input, self.shape = inputs[0].name, list(inputs[0].shape)
        fixed = [size for size in self.shape[-2:] if isinstance(size, int) and size > 1]
        if fixed and fixed != [samples]:
            raise ShapeError(f"{path} reads windows of {fixed[-1]} samples (input {self.shape}); pass samples={fixed[-1]}")
        found = self._outputs(self.silence())
        self.dim = self._pooled(found).shape[1]
        # Graph, outputs and pooling (known by what it makes of fixed numbers) are part of the state, and so of the identity.
        probe = self._pooled([(torch.arange(y.numel()) % 17).float().view_as(y) for y in found])
        facts = " ".join([*self.outputs, *(f"{value:.3e}" for value in probe.flatten().tolist())])
        digest = hashlib.sha256(path.read_bytes() + facts.encode()).digest()
        self.register_buffer("content", torch.tensor(list(digest), dtype=torch.uint8))

    def forward(self, x: Tensor) -> Tensor:
        whole = len(self.shape) > 1 and not isinstance(self.shape[0], int)
        parts = x.split(len(x) if whole else 1)
        return torch.cat([self._pooled(self._outputs(part)) for part in parts]).to(x.device)

    def _outputs(self, x: Tensor) -> list[Tensor]:
        if len(self.shape) == 3:
            x = x[..., None] if self.shape[-1] == 1 else x[:, None]
        fed = (x[0] if len(self.shape) == 1 else x).cpu().contiguous().numpy()
        found = [torch.from_numpy(array) for array in self.session.run(self.outputs, {self.input: fed})]
        return [y[None] if len(self.shape) == 1 else y for y in found]

    def _pooled(self, found: list[Tensor]) -> Tensor:
        return torch.cat([self.pool(y).flatten(1) for y in found], 1).float()


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependency("ONNX graphs need onnxruntime, which is not installed: pip install 'oplas[hub]'") from error
    if not path.is_file():
        raise ArtefactError(f"there is no file {path}; check the path")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common base for what a damaged file raises
        raise ArtefactError(
            f"{path} ({path.stat().st_size} bytes) could not be read as an ONNX graph ({type(error).__name__}); export it again"
        ) from error


def onnx(
    path: str | os.PathLike[str],
    rate: int,
    samples: int,
    output: str | None = None,
    pool: Callable[[Tensor], Tensor] = mean_over_time,
) -> Encoder:
    """An exported network as an encoder of windows of ``samples`` at ``rate`` Hz, run on the CPU.

    Args:
        output: name of the output to read; left out, all of them, side by side.
        pool: from what an output holds to ``[batch, dim]``.

    Raises:
        MissingDependency: onnxruntime is not installed.
        ArtefactError: the file is missing or damaged.
        ShapeError: the graph reads other windows, or has no such output.
    """
    return freeze(Onnx(Path(path), rate, samples, output, pool))
