"""State dicts of other people's networks, read without running code and loaded to the last tensor."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from .._errors import ArtefactError


def load_weights(network: nn.Module, path: str | os.PathLike[str], rename: Callable[[str], str] = str) -> None:
    """Copy the state dict in ``path`` (torch or safetensors) into ``network``, each key under the name ``rename`` gives it.

    Raises:
        ArtefactError: the file is missing, damaged, not a state dict, or is not of this network.
    """
    path = Path(path)
    state = {rename(key): value for key, value in _read(path).items()}
    wanted = network.state_dict()
    absent, surplus = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    wrong = [key for key in wanted.keys() & state.keys() if state[key].shape != wanted[key].shape]
    if absent or surplus or wrong:
        seen = "; ".join(
            f"{what}: {', '.join(keys[:3])}{' …' if len(keys) > 3 else ''} ({len(keys)})"
            for what, keys in (("missing", absent), ("not known here", surplus), ("of another shape", sorted(wrong)))
            if keys
        )
        raise ArtefactError(f"{path} is not a state dict of {type(network).__name__} ({seen}); pass the file made for this encoder")
    sick = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if sick:
        raise ArtefactError(f"{path} holds NaN or infinity in {sick[0]} ({len(sick)} such tensors); fetch the file again")
    network.load_state_dict(state)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ArtefactError(f"there is no file {path}; check the path, or leave it out to download the public weights")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ArtefactError(
            f"{path} ({path.stat().st_size} bytes) could not be read as weights ({type(error).__name__}): damaged, cut off, "
            "or not plain tensors; fetch it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ArtefactError(f"{path} holds a {type(state).__name__}, not a dict of tensors; save the network's state_dict()")
    return state
