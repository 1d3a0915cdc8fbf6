import json
from pathlib import Path

import pytest
import torch
from codec_fakes import small

from oplas import DataError, MissingDependency
from oplas.codecs import Encodec, codec


def test_codes_are_the_latents_after_the_quantiser(tmp_path: Path) -> None:
    made = Encodec(small(tmp_path))
    assert (made.rate, made.channels, made.hop) == (24_000, 16, 320)
    x = 0.1 * torch.randn(2, 3200, generator=torch.Generator().manual_seed(0))
    theirs = made.model.encode(x[:, None], bandwidth=6.0)
    assert len(theirs.audio_codes[0][0]) == made.model.config.num_quantizers == 13
    assert torch.allclose(made.encode(x), made.model.quantizer.decode(theirs.audio_codes[0].transpose(0, 1)), atol=1e-6)
    sound = made.model.decode(theirs.audio_codes, theirs.audio_scales)[0][:, 0]
    assert torch.allclose(made.decode(made.encode(x)), sound, atol=1e-5)


def test_by_name_and_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codec(f"encodec:{small(tmp_path / 'mono')}").identity == Encodec(tmp_path / "mono").identity
    with pytest.raises(DataError, match="mono 24 kHz"):
        Encodec(small(tmp_path / "stereo", audio_channels=2))
    with pytest.raises(DataError, match="could not be loaded"):
        Encodec(tmp_path / "nothing")
    weights = tmp_path / "mono" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(DataError, match="could not be loaded"):
        Encodec(tmp_path / "mono")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingDependency, match=r"oplas\[hub\]"):
        Encodec(tmp_path / "mono")


def test_incomplete_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = small(tmp_path) / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(file).items() if "quantizer.layers.3" not in name}
    save_file(kept, file, {"format": "pt"})
    assert json.loads((tmp_path / "config.json").read_text())["hidden_size"] == 16
    with pytest.raises(DataError, match="lacks"):
        Encodec(tmp_path)
