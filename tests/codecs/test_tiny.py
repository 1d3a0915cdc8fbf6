import importlib
import json
from pathlib import Path

import pytest
import torch

from oplas import ArtefactError
from oplas.codecs.tiny import SHA256, WEIGHTS, Tiny, lapped, tiny


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_lapped_transform_is_orthonormal_and_loses_nothing() -> None:
    basis = lapped(8).double()
    assert torch.allclose(basis @ basis.T, torch.eye(8).double(), atol=1e-6)
    assert torch.allclose(basis[:, 8:] @ basis[:, :8].T, torch.zeros(8, 8).double(), atol=1e-6)
    codec, x = Tiny(), _noise(1, 3200)
    back = torch.nn.functional.conv_transpose1d(codec.transform(x), codec.basis, stride=320, padding=160)[0]
    assert torch.allclose(back[:, 160:-160], x[:, 160:-160], atol=1e-5)


@pytest.mark.parametrize("gain", [1e-4, 0.25, 1e3])
def test_a_gain_on_the_sound_is_that_gain_on_the_code(gain: float) -> None:
    codec, x = tiny(), 0.1 * _noise(2, 5000)
    assert torch.allclose(codec.encode(gain * x), gain * codec.encode(x), rtol=1e-4, atol=1e-4 * gain)
    z = codec.encode(x)
    assert torch.allclose(codec.decode(gain * z), gain * codec.decode(z), rtol=1e-4, atol=1e-4 * gain)


def test_what_comes_later_is_heard_a_few_frames_ahead_at_most() -> None:
    codec, x = tiny(), 0.1 * _noise(24_000)
    y = x.clone()
    y[12_000:] = 0
    same = 12_000 // codec.hop - 16
    assert torch.allclose(codec.encode(x)[:, :same], codec.encode(y)[:, :same], atol=1e-5)


def test_weights_that_are_not_the_shipped_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("oplas.codecs.tiny")  # the package's own name of it is the function
    damaged = tmp_path / "tiny.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:-1])
    monkeypatch.setattr(module, "WEIGHTS", damaged)
    with pytest.raises(ArtefactError, match="SHA-256"):
        tiny()
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "nothing")
    with pytest.raises(ArtefactError, match="install oplas again"):
        tiny()


def test_its_card_tells_where_it_comes_from_and_that_it_was_worth_training() -> None:
    card = json.loads(WEIGHTS.with_suffix(".json").read_text())
    assert card["sha256"] == SHA256 and card["command"].startswith("python benchmarks/train_tiny.py")
    assert card["held_out"]["mix_si_sdr"] > card["held_out_matrices_alone"]["mix_si_sdr"]
    assert WEIGHTS.stat().st_size < 5e6
