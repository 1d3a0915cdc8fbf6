"""An exported graph gives the codes ONNX Runtime gives, whatever the batch, and misuse is explained."""

import numpy as np
import onnxruntime
import pytest
import soxr
import torch

from oplas._errors import ArtefactError, ShapeError
from oplas.encoders import onnx
from oplas.encoders.onnx import mean_over_time

RATE, SAMPLES = 22050, 43844


@pytest.fixture(scope="module")
def graph(shared_data):
    return shared_data / "encoders" / "basic_pitch_nmp.onnx"


@pytest.fixture(scope="module")
def windows(shared_data):
    import soundfile

    wave, rate = soundfile.read(
        shared_data / "audio" / "Kevin_MacLeod_-_Vibe_Ace.hq.ogg", frames=400_000, dtype="float32", always_2d=True
    )
    wave = soxr.resample(wave.mean(1), rate, RATE)
    return torch.from_numpy(wave[: 4 * SAMPLES]).reshape(4, SAMPLES)


def test_codes_are_the_mean_over_time_of_what_the_runtime_answers(graph, windows):
    encoder = onnx(graph, RATE, SAMPLES)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: windows[..., None].numpy()})
    expected = np.concatenate([output.mean(1) for output in outputs], 1)
    assert encoder.dim == 88 + 88 + 264
    np.testing.assert_allclose(encoder.encode(windows), expected, rtol=1e-4, atol=1e-6)


def test_codes_do_not_depend_on_the_batch(graph, windows):
    encoder = onnx(graph, RATE, SAMPLES)
    torch.testing.assert_close(encoder.encode(windows, batch=1), encoder.encode(windows, batch=4), rtol=1e-4, atol=1e-6)
    assert encoder.encode(windows[:0]).shape == (0, encoder.dim)
    assert torch.isfinite(encoder.encode(encoder.silence())).all()


def test_a_tone_is_heard_as_its_note(graph):
    """Of basic-pitch's 88 keys from A0, A4 is number 48."""
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(SAMPLES) / RATE)[None]
    names = [node.name for node in onnxruntime.InferenceSession(str(graph)).get_outputs()]
    notes = [onnx(graph, RATE, SAMPLES, output=name).encode(tone) for name in names[:2]]
    assert {int(code.argmax()) for code in notes} >= {48}


def test_another_output_or_pooling_is_another_dimension(graph, windows):
    assert onnx(graph, RATE, SAMPLES, output="StatefulPartitionedCall:0").dim == 264
    both = onnx(graph, RATE, SAMPLES, pool=lambda y: torch.cat([y.mean(1), y.std(1)], 1))
    assert both.encode(windows[:1]).shape == (1, 880)


def test_graph_outputs_and_pooling_are_the_identity(graph, tmp_path):
    (tmp_path / graph.name).write_bytes(graph.read_bytes())
    assert onnx(tmp_path / graph.name, RATE, SAMPLES).identity == onnx(graph, RATE, SAMPLES).identity
    others = [{}, {"output": "StatefulPartitionedCall:1"}, {"output": "StatefulPartitionedCall:2"}, {"pool": lambda y: y.amax(1)}]
    assert len({onnx(graph, RATE, SAMPLES, **other).identity for other in others}) == len(others)
    assert onnx(graph, RATE, SAMPLES, pool=lambda y: y.mean(1)).identity == onnx(graph, RATE, SAMPLES).identity


def test_other_windows_and_outputs_are_refused_with_what_there_is(graph):
    with pytest.raises(ShapeError, match=r"reads windows of 43844 samples .* pass samples=43844"):
        onnx(graph, RATE, 44100)
    with pytest.raises(ShapeError, match=r"no output 'notes'; it has StatefulPartitionedCall"):
        onnx(graph, RATE, SAMPLES, output="notes")
    with pytest.raises(ShapeError, match="pass pool="):
        onnx(graph, RATE, SAMPLES, pool=lambda y: mean_over_time(y[..., None]))


def test_damaged_and_absent_files_are_refused_by_name(graph, tmp_path):
    (tmp_path / "cut.onnx").write_bytes(graph.read_bytes()[:50_000])
    with pytest.raises(ArtefactError, match=r"cut.onnx \(50000 bytes\) could not be read as an ONNX graph"):
        onnx(tmp_path / "cut.onnx", RATE, SAMPLES)
    with pytest.raises(ArtefactError, match="there is no file"):
        onnx(tmp_path / "absent.onnx", RATE, SAMPLES)
