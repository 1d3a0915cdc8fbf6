"""VGGish's front end and wiring, on random weights: the public ones are 288 MB and are not downloaded in tests."""

from importlib import import_module

import numpy as np
import pytest
import torch

from oplas._errors import ArtefactError, DataError
from oplas.encoders import vggish
from oplas.encoders.vggish import VGGish


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return VGGish(hidden=32).eval()


def noise(batch: int) -> torch.Tensor:
    return torch.randn(batch, VGGish.samples, generator=torch.Generator().manual_seed(0)) * 0.1


def test_the_front_end_is_the_published_one(encoder):
    """25 ms periodic Hann frames every 10 ms, magnitudes, 64 triangles on HTK's mel axis, ln(· + 0.01): in plain numpy."""
    x = noise(1)
    frames = np.stack([x[0].double().numpy()[start : start + 400] for start in range(0, 15600 - 399, 160)])
    magnitude = np.abs(np.fft.rfft(frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)), 512))
    mel = 1127 * np.log(1 + np.linspace(0, 8000, 257) / 700)
    corners = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    filters = np.stack([np.interp(mel, corners[band : band + 3], [0, 1, 0]) for band in range(64)])
    expected = np.log(magnitude @ filters.T + 0.01)
    assert expected.shape == (96, 64)
    np.testing.assert_allclose(encoder.level(x)[0], expected, atol=2e-3)


def test_codes_have_128_numbers_of_either_sign_and_do_not_depend_on_the_batch(encoder):
    x = torch.cat([noise(5), encoder.silence()])
    y = encoder.encode(x)
    assert y.shape == (6, 128)
    assert torch.isfinite(y).all()
    assert (y < 0).any()
    torch.testing.assert_close(encoder.encode(x[3:4])[0], y[3])
    assert encoder.encode(x[:0]).shape == (0, 128)


def test_the_dense_layer_reads_channels_last(encoder):
    """Column (t * 4 + f) * 512 + c of the first dense layer weighs channel c at time t and frequency f."""
    seen = {}
    handles = [
        encoder.features.register_forward_hook(lambda module, inputs, output: seen.update(maps=output)),
        encoder.embeddings.register_forward_pre_hook(lambda module, inputs: seen.update(flat=inputs[0])),
    ]
    encoder.encode(noise(1))
    for handle in handles:
        handle.remove()
    assert seen["maps"].shape == (1, 512, 6, 4)
    assert seen["flat"][0, (5 * 4 + 1) * 512 + 300] == seen["maps"][0, 300, 5, 1]


def test_the_networks_tensors_are_those_of_the_public_weights():
    """Names and shapes of the torch conversion: six convolutions, three dense layers, 72 141 184 numbers."""
    shapes = {key: tuple(value.shape) for key, value in VGGish().state_dict().items()}
    convolutions = {f"features.{index}.weight": shapes[f"features.{index}.weight"][:2] for index in (0, 3, 6, 8, 11, 13)}
    assert list(convolutions.values()) == [(64, 1), (128, 64), (256, 128), (256, 256), (512, 256), (512, 512)]
    assert [shapes[f"embeddings.{index}.weight"] for index in (0, 2, 4)] == [(4096, 12288), (4096, 4096), (128, 4096)]
    assert sum(np.prod(shape) for shape in shapes.values()) == 72_141_184
    assert len(shapes) == 18


def test_a_wrong_file_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "wrong.pth")
    with pytest.raises(ArtefactError, match=r"wrong.pth is not a state dict of VGGish \(missing: .*\(18\)"):
        vggish(tmp_path / "wrong.pth")


def test_without_a_connection_the_way_out_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path))
    monkeypatch.setattr(import_module("oplas.encoders.vggish"), "_HOME", "http://127.0.0.1:9/vggish.pth")
    with pytest.raises(DataError, match=r"could not be downloaded .* by hand and pass its path"):
        vggish()
