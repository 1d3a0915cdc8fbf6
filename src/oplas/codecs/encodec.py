"""EnCodec's continuous latents, through transformers; the model is the user's own download."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from .._errors import DataError, MissingDependency
from .base import Codec


class Encodec(Codec):
    """A. Défossez et al., "High fidelity neural audio compression", 2022, https://arxiv.org/abs/2210.13438.

    Codes are the latents after the residual quantiser at the highest bandwidth (24 kbit/s for the public 24 kHz model): 128 numbers
    75 times a second, real-valued, so that models of them need no tokens. What EnCodec does not do by itself: digital silence has
    the code zero, and a code of zeros is silent.

    >>> Encodec("facebook/encodec_24khz")  # doctest: +SKIP

    Args:
        model: its name on the Hugging Face hub, or a folder that holds it.

    Raises:
        MissingDependency: transformers is not installed.
        DataError: there is no such model, it cannot be downloaded, its weights are incomplete, or it is not mono.
    """

    def __init__(self, model: str | os.PathLike[str] = "facebook/encodec_24khz") -> None:
        super().__init__()
        self.model = _load(os.fspath(model)).eval().requires_grad_(False)
        config: Any = self.model.config
        if config.audio_channels != 1 or config.normalize or config.chunk_length_s:
            raise DataError(f"{model} reads {config.audio_channels} channels, normalised or in chunks; give the mono 24 kHz model")
        self.name, self.rate, self.channels, self.hop = "encodec", config.sampling_rate, config.hidden_size, config.hop_length

    @torch.no_grad()
    def code(self, wav: Tensor) -> Tensor:
        model: Any = self.model
        wav = pad(wav.float(), (0, -wav.shape[-1] % self.hop))
        rows = [model.quantizer.decode(model.quantizer.encode(model.encoder(part[:, None]))) for part in wav.split(8)]
        return torch.cat(rows) * (wav != 0).any(-1)[:, None, None]

    def sound(self, z: Tensor, samples: int) -> Tensor:
        model: Any = self.model
        flat = z.float().reshape(-1, *z.shape[-2:])
        wav = torch.cat([model.decoder(part)[:, 0, :samples] for part in flat.split(8)])
        return (wav * (flat != 0).any(-1).any(-1)[:, None]).reshape(*z.shape[:-2], samples)


def _load(name: str) -> Any:
    try:
        from transformers import EncodecModel
    except ImportError as error:
        raise MissingDependency("EnCodec needs transformers, which is not installed: pip install 'oplas[hub]'") from error
    try:
        loaded: Any = EncodecModel.from_pretrained(name, output_loading_info=True)
    except Exception as error:  # an unknown name, no connection, and a damaged file each raise kinds of their own
        reason = str(error).strip().partition("\n")[0]
        advice = "check the name and the connection, or download the model's folder and pass its path"
        raise DataError(f"{name} could not be loaded as EnCodec ({type(error).__name__}: {reason}); {advice}") from error
    model, report = loaded
    if absent := sorted(report["missing_keys"]):
        raise DataError(f"{name} lacks {len(absent)} of EnCodec's tensors, {absent[0]} for one; download the model again")
    return model
