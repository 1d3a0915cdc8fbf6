"""What holds for every encoder: its declared facts, one code a window whatever the batch, an origin, a stable identity."""

import subprocess
import sys

import pytest
import torch

from oplas import encoders as enc
from oplas._errors import DataError, MissingDependency, ShapeError
from oplas.encoders.jamendo import FCN, Musicnn
from oplas.encoders.vggish import VGGish


def seeded(make, *arguments):
    torch.manual_seed(0)
    return enc.freeze(make(*arguments))


MAKERS = {
    "power_mel": enc.power_mel,
    "log_mel": enc.log_mel,
    "chroma": enc.chroma,
    "cqt": enc.cqt,
    "mini": enc.mini,
    "fcn": lambda: seeded(FCN),
    "musicnn": lambda: seeded(Musicnn),
    "vggish": lambda: seeded(VGGish, 32),
    "precomputed": lambda: enc.Precomputed(7),
    "mixer": enc.mixer,
}


@pytest.fixture(scope="module", params=MAKERS.values(), ids=MAKERS.keys())
def maker(request):
    return request.param


def test_every_encoder_keeps_the_contract(maker):
    encoder = maker()
    x = torch.randn(3, encoder.samples, generator=torch.Generator().manual_seed(1)) * 0.1
    y = encoder.encode(x)
    assert y.shape == (3, encoder.dim)
    assert y.dtype == torch.float32
    assert not y.requires_grad
    torch.testing.assert_close(encoder.encode(x, batch=1), y, rtol=1e-4, atol=1e-4)
    assert encoder.encode(x[:0]).shape == (0, encoder.dim)
    assert encoder.silence().shape == (1, encoder.samples)
    assert torch.isfinite(encoder.encode(encoder.silence())).all()
    assert encoder.identity == maker().identity
    with pytest.raises(ShapeError):
        encoder.encode(x[:, :-1])
    with pytest.raises(DataError):
        encoder.encode(torch.full((1, encoder.samples), torch.inf))


def test_every_encoder_can_be_cached(maker, tmp_path):
    encoder = maker()
    x = torch.randn(2, encoder.samples, generator=torch.Generator().manual_seed(1)) * 0.1
    first, again = (enc.Cached(encoder, tmp_path).encode(x) for _ in range(2))
    assert torch.equal(first, again)
    torch.testing.assert_close(first, encoder.encode(x), rtol=1e-4, atol=1e-4)


def test_identities_are_distinct():
    assert len({make().identity for make in MAKERS.values()}) == len(MAKERS)


def test_names_are_makers_even_when_their_modules_are_imported():
    assert all(callable(getattr(enc, name)) for name in enc.__all__)
    assert sys.modules["oplas.encoders.jamendo"].jamendo is enc.jamendo


def test_importing_encoders_imports_nothing_optional():
    code = "import sys, oplas.encoders; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"transformers", "onnxruntime", "pyarrow", "soundfile", "soxr", "librosa", "scipy", "matplotlib"} & set(loaded)


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("onnxruntime", lambda folder: enc.onnx(folder / "graph.onnx", 16000, 16000)),
        ("transformers", lambda folder: enc.huggingface("anybody/anything")),
        ("pyarrow", lambda folder: enc.load_embeddings(folder / "codes.parquet")),
    ],
)
def test_a_missing_package_is_named_with_its_install_command(package, use, tmp_path, monkeypatch):
    (tmp_path / "codes.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency, match=rf"{package}, which is not installed: pip install"):
        use(tmp_path)
