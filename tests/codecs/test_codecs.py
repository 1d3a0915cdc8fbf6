"""What every codec promises."""

import tempfile
from functools import cache
from pathlib import Path

import pytest
import torch
from codec_fakes import small
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from oplas import DataError, ShapeError
from oplas.codecs import Codec, Encodec, Mel, Tiny, named, tiny
from oplas.functional.separation import si_sdr

NAMES = ["Mel()", "Mel(24)", "tiny()", "Tiny(7, 8, 1)", "Encodec"]
every = pytest.mark.parametrize("codec", NAMES, indirect=True)


@cache
def made(name: str) -> Codec:
    torch.manual_seed(0)
    if name == "Encodec":
        with tempfile.TemporaryDirectory() as folder:
            return Encodec(small(Path(folder)))
    return eval(name, {"Mel": Mel, "Tiny": Tiny, "tiny": tiny}).requires_grad_(False)


@pytest.fixture
def codec(request: pytest.FixtureRequest) -> Codec:
    return made(request.param)


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _decibels(error: Tensor, of: Tensor) -> float:
    return float(10 * torch.log10(error.double().square().sum() / of.double().square().sum()))


@pytest.mark.parametrize("samples", [1, 100, 511, 512, 513, 2047, 5000])
@every
def test_lengths_and_shapes(codec: Codec, samples: int) -> None:
    z = codec.encode(_noise(2, 3, samples))
    assert z.shape == (2, 3, codec.channels, codec.frames(samples)) and z.isfinite().all()
    assert codec.decode(z, samples=samples).shape == (2, 3, samples)
    assert codec.encode(codec.decode(z)).shape == z.shape, "the length a codec chooses has the same frames"
    assert codec.decode(z, _noise(2, samples)).shape == (2, 3, samples), "all parts of two mixtures"
    assert codec.decode(z, _noise(2, 3, samples)).shape == (2, 3, samples), "one part of six mixtures"


@every
def test_a_batch_is_its_rows(codec: Codec) -> None:
    x = torch.stack([_noise(4000), torch.zeros(4000), 5 * _noise(4000, seed=1)])
    z = codec.encode(x)
    for row, code, back in zip(x, z, codec.decode(z, samples=4000), strict=True):
        assert torch.allclose(codec.encode(row), code, atol=1e-4)
        assert torch.allclose(codec.decode(code, samples=4000), back, atol=1e-4)


@every
def test_silence_is_zero_both_ways(codec: Codec) -> None:
    z = codec.encode(torch.zeros(3000))
    assert not z.any()
    assert not codec.decode(z, samples=3000).any()
    assert not codec.decode(z, torch.zeros(3000)).any() and not codec.decode(z, _noise(3000)).any()


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(NAMES), st.integers(1, 5), st.integers(1, 6000), st.floats(-6, 1),
    st.sampled_from([torch.float32, torch.float64]), st.integers(0, 99),
)  # fmt: skip
def test_parts_of_any_codes_add_up_to_the_mixture(
    name: str, n: int, samples: int, level: float, dtype: torch.dtype, seed: int
) -> None:
    codec = made(name)
    mix = 10**level * _noise(samples, seed=seed).to(dtype)
    z = torch.randn(n, codec.channels, codec.frames(samples), generator=torch.Generator().manual_seed(seed))
    z[0, :, : z.shape[-1] // 2] = 0
    parts = codec.decode(z, mix)
    assert parts.shape == (n, samples) and parts.dtype == dtype
    assert _decibels(parts.sum(0) - mix, mix) < -100


@every
def test_the_mixture_of_one_part_is_that_part(codec: Codec) -> None:
    x = _noise(6000)
    z = codec.encode(x)
    assert _decibels(codec.decode(z[None], x)[0] - x, x) < -100, "as the only one of all parts"
    assert _decibels(codec.decode(z, x) - x, x) < -100, "and as one part of which no other is known"


@pytest.mark.parametrize("codec", NAMES[:3], indirect=True)
def test_ceilings_stand_in_their_order(codec: Codec) -> None:
    t = torch.arange(12_000) / codec.rate
    low, high = torch.sin(2 * torch.pi * 300 * t), torch.sin(2 * torch.pi * 3000 * t) * (t % 0.25 < 0.1)
    sources = torch.stack([low, high])
    found = codec.ceiling(sources)
    assert found.shared > 5 and found.shared > found.alone and found.shared > found.single - 3
    assert found.shared == pytest.approx(float(si_sdr(sources, codec.decode(codec.encode(sources), sources.sum(0))).mean()))
    assert "shared" in str(found) and found.to_dict()["alone"] == found.alone


@every
def test_bad_input_is_refused(codec: Codec) -> None:
    z, mix = codec.encode(_noise(2, 3000)), _noise(3000)
    for wrong in (torch.zeros(0), torch.zeros(3, 0), torch.tensor(0.5)):
        with pytest.raises(ShapeError, match="no samples"):
            codec.encode(wrong)
    for sick in (torch.nan, torch.inf):
        with pytest.raises(DataError, match="sound holds numbers that are not finite"):
            codec.encode(torch.full((3000,), sick))
        with pytest.raises(DataError, match="mixture holds"):
            codec.decode(z, torch.full((3000,), sick))
        with pytest.raises(DataError, match="codes hold"):
            codec.decode(z * sick, mix)
    with pytest.raises(DataError, match="floating-point"):
        codec.encode(torch.zeros(3000, dtype=torch.int16))
    with pytest.raises(ShapeError, match="encode and decode the same length"):
        codec.decode(z, _noise(9000))
    with pytest.raises(ShapeError, match="encode and decode the same length"):
        codec.decode(z, samples=0)
    with pytest.raises(ShapeError, match="leave one out"):
        codec.decode(z, mix, samples=2999)
    with pytest.raises(ShapeError, match="no parts of mixtures"):
        codec.decode(z, _noise(3, 3000))
    with pytest.raises(ShapeError, match="decodes codes"):
        codec.decode(z[:, :-1], mix)
    with pytest.raises(DataError, match="silent"):
        codec.ceiling(torch.stack([mix, 0 * mix]))


def test_identity_tells_codecs_apart() -> None:
    assert Mel().identity == Mel(128).identity and tiny().identity == made("tiny()").identity
    assert len({made(name).identity for name in NAMES}) == len(NAMES)


def test_codecs_by_name() -> None:
    assert repr(named.codec("mel")) == "Mel()"
    assert named.codec("tiny").identity == tiny().identity
    for wrong in ("mp3", "mel:3", ""):
        with pytest.raises(DataError, match="knows mel, tiny, encodec"):
            named.codec(wrong)
