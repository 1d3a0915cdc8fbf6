"""oplas-mini is one frozen, nonlinear, level-keeping map, and its weights are what their hash says."""

from importlib import import_module

import pytest
import torch

from oplas._errors import ArtefactError, ShapeError
from oplas.encoders.base import Encoder
from oplas.functional.spread import effective_rank

module = import_module("oplas.encoders.mini")  # the package exports the loader under the same name
IDENTITY = "77283dc7d261c376"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return module.mini()


@pytest.fixture(scope="module")
def sounds() -> torch.Tensor:
    """Eight windows: a chord of three tones, each started and tuned differently, over faint noise."""
    generator = torch.Generator().manual_seed(0)
    clock = torch.arange(48000) / 16000
    pitch = 110 * 2 ** (torch.rand(8, 3, 1, generator=generator) * 4)
    begin = torch.rand(8, 3, 1, generator=generator) * 2
    tones = torch.sin(2 * torch.pi * pitch * clock) * torch.exp(-2 * (clock - begin)).clamp(max=1) * (clock > begin)
    return 0.2 * tones.sum(1) + 1e-4 * torch.randn(8, 48000, generator=generator)


def test_identity_is_frozen(encoder):
    assert encoder.identity == IDENTITY == module.mini().identity


def test_codes_are_frozen(encoder, sounds):
    """The front end is no weight, so the identity alone would miss a change there."""
    expected = torch.tensor([0.1361, 0.6247, 0.7195, 0.9112])
    assert torch.allclose(encoder.encode(sounds)[0, :4], expected, atol=2e-3)


def test_weights_are_small_and_frozen(encoder):
    assert module.WEIGHTS.stat().st_size <= 5_000_000
    assert not encoder.training and not any(parameter.requires_grad for parameter in encoder.parameters())


def test_shape_and_determinism(encoder, sounds):
    codes = encoder.encode(sounds)
    assert codes.shape == (8, encoder.dim) == (8, 256)
    assert torch.equal(codes, encoder.encode(sounds))


def test_a_code_does_not_depend_on_its_batch(encoder, sounds):
    together, alone = encoder.encode(sounds), encoder.encode(sounds, batch=1)
    assert (together - alone).norm() < 1e-4 * together.norm()


def test_other_lengths_are_refused(encoder):
    with pytest.raises(ShapeError, match="48000"):
        encoder(torch.zeros(2, 47999))
    with pytest.raises(ShapeError, match="48000"):
        encoder(torch.zeros(48000))


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-3, 1.0, 1e3])
def test_codes_are_finite_from_silence_to_clipping(encoder, sounds, level):
    assert torch.isfinite(encoder.encode(level * sounds)).all()
    assert torch.isfinite(encoder.encode(encoder.silence())).all()


def test_it_is_not_additive(encoder, sounds):
    """A space in which mixing is a sum is for a projector to learn; the code itself is none, even about its origin."""
    origin = encoder.encode(encoder.silence())
    a, b, both = (encoder.encode(x) - origin for x in (sounds[:4], sounds[4:], sounds[:4] + sounds[4:]))
    assert (both - a - b).norm() > 0.1 * both.norm()


def test_level_is_kept(encoder, sounds):
    """6 dB less moves a code further than rounding, and every further 6 dB moves it on."""
    codes = torch.stack([encoder.encode(sounds * 10 ** (-level / 20)) for level in (0, 6, 12, 24)])
    steps = (codes - codes[0]).norm(dim=2).mean(1)
    assert steps[1] > 0.02 * codes[0].norm(dim=1).mean() and (steps.diff() > 0).all()


def test_different_sounds_differ(encoder, sounds):
    assert effective_rank(encoder.encode(sounds)) > 4


@pytest.mark.parametrize("harm", [lambda content: content[:-1], lambda content: content[:-1] + bytes([content[-1] ^ 1])])
def test_damaged_weights_are_refused(tmp_path, monkeypatch, harm):
    copy = tmp_path / "mini.safetensors"
    copy.write_bytes(harm(module.WEIGHTS.read_bytes()))
    monkeypatch.setattr(module, "WEIGHTS", copy)
    with pytest.raises(ArtefactError, match="SHA-256"):
        module.mini()


def test_missing_weights_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "mini.safetensors")
    with pytest.raises(ArtefactError, match="cannot be read"):
        module.mini()
