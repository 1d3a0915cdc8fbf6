"""Pretrained audio models of the Hugging Face hub as encoders, through transformers.

- CLAP (Y. Wu et al. 2023, https://arxiv.org/abs/2211.06687): the audio tower's projected features, not scaled to unit length,
  for on a sphere nothing adds
- wav2vec 2.0, HuBERT, WavLM, MERT (Y. Li et al. 2024, https://arxiv.org/abs/2306.00107) and whatever else has a
  ``last_hidden_state``: its mean over time
- EnCodec (A. Défossez et al. 2022, https://arxiv.org/abs/2210.13438): mean and standard deviation over time of the encoder's
  continuous latents, before quantisation
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .._errors import DataError, MissingDependency, ShapeError
from .base import Encoder, freeze, portions

_WHAT_TO_DO = (
    "check the name and the connection, or download the model's folder and pass its path; "
    "a model that needs its authors' code needs trust_remote_code=True"
)


class Hub(Encoder):
    """A transformers model with its own front end (``extractor``), if it has one."""

    settings: Tensor

    def __init__(self, model: nn.Module, extractor: Any, seconds: float | None) -> None:
        super().__init__()
        config: Any = model.config
        self.kind = "clap" if config.model_type.startswith("clap") else config.model_type
        self.name = f"{self.kind}({Path(config.name_or_path or 'unnamed').name})"
        rate = getattr(extractor, "sampling_rate", None) or getattr(config, "sampling_rate", None)
        if rate is None:
            raise DataError(f"{self.name} does not say at which rate it reads sound; pass extractor=, its feature extractor")
        longest = getattr(extractor, "nb_max_samples", None) if self.kind == "clap" else None
        self.rate, self.samples = int(rate), round(seconds * rate) if seconds else int(longest or 5 * rate)
        if longest and not 0 < self.samples <= longest:
            raise ShapeError(f"{self.name} reads at most {longest / rate:g} s; asked for {self.samples / rate:g} s")
        self.model, self.extractor = model, extractor
        # The front end's settings are part of the state, and so of the identity.
        text = extractor.to_json_string() if extractor is not None else ""
        self.register_buffer("settings", torch.tensor(list(text.encode()), dtype=torch.uint8))
        freeze(self)
        self.dim = self.encode(self.silence()).shape[1]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._code(part) for part in portions(x, 8)]).float()

    def _code(self, x: Tensor) -> Tensor:
        if self.kind == "encodec":
            return self._latents(x)
        inputs = {"input_values": x} if self.extractor is None else self._extracted(x)
        if self.kind == "clap":
            tower: Any = self.model
            # No window is longer than the tower reads; its front end would else mark one of each batch so, at random.
            longer = torch.zeros(len(x), 1, dtype=torch.bool, device=x.device)
            found = tower.audio_model(input_features=inputs["input_features"], is_longer=longer)
            return tower.audio_projection(found.pooler_output)
        return self.model(**inputs).last_hidden_state.mean(1)

    def _extracted(self, x: Tensor) -> dict[str, Tensor]:
        waves = list(x.cpu().numpy())
        return dict(self.extractor(waves, sampling_rate=self.rate, return_tensors="pt").to(x.device))

    def _latents(self, x: Tensor) -> Tensor:
        config: Any = self.model.config
        if config.normalize:
            x = x / (x.square().mean(1, keepdim=True).sqrt() + 1e-8)
        encoder: Any = self.model.encoder
        latents = encoder(x[:, None].expand(-1, config.audio_channels, -1))
        return torch.cat([latents.mean(2), latents.std(2)], 1)


def huggingface(
    model: str | os.PathLike[str] | nn.Module,
    *,
    seconds: float | None = None,
    extractor: Any = None,
    trust_remote_code: bool = False,
) -> Encoder:
    """A model of the hub, by name, by folder, or as an object, as an encoder at the rate it was made for.

    >>> clap = huggingface("laion/clap-htsat-unfused")                            # doctest: +SKIP
    >>> mert = huggingface("m-a-p/MERT-v1-95M", seconds=5, trust_remote_code=True)  # doctest: +SKIP

    Args:
        seconds: length of the windows it will read; default CLAP's own 10 s, else 5 s.
        extractor: its feature extractor; needed only beside a model object that has one.
        trust_remote_code: run code that the model's authors put beside its weights. MERT needs it; read that code first.

    Raises:
        MissingDependency: transformers is not installed.
        DataError: there is no such model, it cannot be downloaded, or it does not say at which rate it reads sound.
        ShapeError: the windows are longer than the model reads.
    """
    if not isinstance(model, nn.Module):
        model, extractor = _load(model, extractor, trust_remote_code)
    config: Any = model.config
    if extractor is None and config.model_type.startswith("clap"):
        tower = getattr(config, "audio_config", config)
        extractor = _transformers().ClapFeatureExtractor(truncation="fusion" if tower.enable_fusion else "rand_trunc")
    return Hub(model, extractor, seconds)


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingDependency("models of the hub need transformers, which is not installed: pip install 'oplas[hub]'") from error
    return transformers


def _load(name: str | os.PathLike[str], extractor: Any, trust: bool) -> tuple[nn.Module, Any]:
    library = _transformers()
    name = os.fspath(name)
    verbosity = library.logging.get_verbosity()
    library.logging.set_verbosity_error()  # else it lists every tensor of CLAP's text tower, which is not wanted here
    try:
        config = library.AutoConfig.from_pretrained(name, trust_remote_code=trust)
        tower = config.model_type.startswith("clap")
        kind, options = (library.ClapAudioModelWithProjection, {}) if tower else (library.AutoModel, {"trust_remote_code": trust})
        model, report = kind.from_pretrained(name, output_loading_info=True, **options)
        extractor = extractor or library.AutoFeatureExtractor.from_pretrained(name, trust_remote_code=trust)
    except Exception as error:  # an unknown name, no connection, and a damaged file each raise kinds of their own
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{name} could not be loaded ({type(error).__name__}: {reason}); {_WHAT_TO_DO}") from error
    finally:
        library.logging.set_verbosity(verbosity)
    absent = sorted(report["missing_keys"])
    if absent:
        warnings.warn(
            f"{len(absent)} tensors of {name} are not in its weight file and stay random, {absent[0]} for one; "
            "if the codes depend on them they mean nothing",
            stacklevel=3,
        )
    return model, extractor
