"""The taggers are the public ones: their weights fit, their tags fit the music, and codes are those of a frozen network."""

import numpy as np
import pytest
import soxr
import torch

from oplas._errors import ArtefactError, DataError
from oplas.encoders import jamendo
from oplas.encoders.jamendo import FCN, TAGS, Musicnn
from oplas.functional.spectra import mel_filters

HUNGARIAN = "Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).hq.ogg"
FISHIN = "Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg"


@pytest.fixture(scope="module", params=["fcn", "musicnn"])
def tagger(request, shared_data):
    return jamendo(request.param, shared_data / "encoders" / f"jamendo_{request.param}.pth")


def recording(path, samples: int, count: int) -> torch.Tensor:
    import soundfile

    wave, rate = soundfile.read(path, frames=30 * 44100, dtype="float32", always_2d=True)
    wave = torch.from_numpy(soxr.resample(wave.mean(1), rate, 16000))
    return wave[: samples * min(count, len(wave) // samples)].reshape(-1, samples)


def test_shapes_and_names(tagger):
    assert (tagger.name, tagger.samples, tagger.dim) in {("jamendo-fcn", 464000, 64), ("jamendo-musicnn", 48000, 200)}
    assert tagger.rate == 16000
    assert len(set(TAGS)) == 50
    assert not tagger.training
    assert not any(parameter.requires_grad for parameter in tagger.parameters())


def test_the_weight_files_front_end_is_the_one_we_compute(tagger):
    assert torch.equal(tagger.window, torch.hann_window(512))
    np.testing.assert_allclose(tagger.filters.T, mel_filters(16000, 512, 96), atol=3e-5)


def test_tags_fit_the_music(tagger, shared_data):
    """A string orchestra is classical, a song is pop."""
    best = [
        TAGS[int(tagger.tags(recording(shared_data / "audio" / name, tagger.samples, 4)).mean(0).argmax())]
        for name in (HUNGARIAN, FISHIN)
    ]
    assert best == ["classical", "pop"]


def test_activations_have_the_statistics_that_training_left(tagger, shared_data):
    """Wrongly wired (pooled in another order, a residual left out), the last norm's input would be off by 1 to 2 deviations."""
    norms = [module for module in tagger.modules() if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)]
    seen = []
    handle = norms[-1].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for name in (HUNGARIAN, FISHIN):
        tagger.encode(recording(shared_data / "audio" / name, tagger.samples, 8))
    handle.remove()
    values = torch.cat(seen).transpose(0, 1).flatten(1)
    off = (values.mean(1) - norms[-1].running_mean).abs() / norms[-1].running_var.sqrt()
    assert off.mean() < 0.8


def test_codes_do_not_depend_on_the_batch_and_silence_has_one(tagger):
    x = torch.cat([torch.randn(2, tagger.samples, generator=torch.Generator().manual_seed(0)) * 0.1, tagger.silence()])
    y = tagger.encode(x)
    assert y.shape == (3, tagger.dim)
    assert torch.isfinite(y).all()
    torch.testing.assert_close(tagger.encode(x[1:2])[0], y[1], rtol=1e-4, atol=1e-5)
    assert tagger.encode(x[:0]).shape == (0, tagger.dim)
    probabilities = tagger.tags(x[:1])
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_one_networks_weights_do_not_load_into_the_other(shared_data):
    with pytest.raises(ArtefactError, match="is not a state dict of Musicnn"):
        jamendo("musicnn", shared_data / "encoders" / "jamendo_fcn.pth")


def test_a_weight_file_cut_off_is_refused(tmp_path, shared_data):
    file = tmp_path / "cut.pth"
    file.write_bytes((shared_data / "encoders" / "jamendo_fcn.pth").read_bytes()[:100_000])
    with pytest.raises(ArtefactError, match=r"cut.pth \(100000 bytes\) could not be read"):
        jamendo("fcn", file)


def test_an_unknown_network_is_refused():
    with pytest.raises(DataError, match="'fcn' or 'musicnn'"):
        jamendo("crnn")


@pytest.mark.parametrize("kind", ["fcn", "musicnn"])
def test_without_a_path_the_public_file_is_verified_and_used(kind, shared_data, tmp_path, monkeypatch):
    given = shared_data / "encoders" / f"jamendo_{kind}.pth"
    (tmp_path / f"jamendo-{kind}.pth").write_bytes(given.read_bytes())
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path))
    assert jamendo(kind).identity == jamendo(kind, given).identity


@pytest.mark.parametrize("network", [FCN, Musicnn])
def test_untrained_networks_have_the_same_shapes(network):
    encoder = network().eval()
    assert encoder.encode(encoder.silence()).shape == (1, encoder.dim)
