"""Models of the hub, as tiny random ones: what each family's code is, at which rate, and that it is repeatable."""

import pytest
import torch
import transformers

from oplas._errors import DataError, ShapeError
from oplas.encoders import huggingface


def clap():
    torch.manual_seed(0)
    config = transformers.ClapAudioConfig(
        spec_size=128,
        hidden_size=32,
        patch_embeds_hidden_size=4,
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        projection_dim=16,
        window_size=2,
    )
    extractor = transformers.ClapFeatureExtractor(max_length_s=2, nb_max_samples=96_000, truncation="rand_trunc")
    return transformers.ClapAudioModelWithProjection(config).eval(), extractor


def speech():
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(10, 4),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    return transformers.Wav2Vec2Model(config).eval(), transformers.Wav2Vec2FeatureExtractor(sampling_rate=24_000)


def codec(channels: int = 1, normalize: bool = False):
    torch.manual_seed(0)
    config = transformers.EncodecConfig(
        num_filters=2,
        hidden_size=8,
        codebook_size=16,
        codebook_dim=8,
        upsampling_ratios=[4, 2],
        target_bandwidths=[1.5],
        num_lstm_layers=1,
        audio_channels=channels,
        normalize=normalize,
    )
    return transformers.EncodecModel(config).eval(), None


def windows(encoder, count: int = 3) -> torch.Tensor:
    return torch.randn(count, encoder.samples, generator=torch.Generator().manual_seed(1)) * 0.1


FAMILIES = {"clap": (clap, 48_000, 96_000, 16), "wav2vec2": (speech, 24_000, 24_000, 16), "encodec": (codec, 24_000, 24_000, 16)}


@pytest.fixture(scope="module", params=FAMILIES.values(), ids=FAMILIES.keys())
def family(request):
    make, rate, samples, dim = request.param
    model, extractor = make()
    return huggingface(model, extractor=extractor, seconds=samples / rate), (rate, samples, dim)


def test_rate_window_and_width_are_the_models(family):
    encoder, facts = family
    assert (encoder.rate, encoder.samples, encoder.dim) == facts
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_codes_are_finite_repeatable_and_do_not_depend_on_the_batch(family):
    encoder, _ = family
    x = torch.cat([windows(encoder, 9), encoder.silence()])
    y = encoder.encode(x)
    assert y.shape == (10, encoder.dim)
    assert y.dtype == torch.float32
    assert torch.equal(encoder.encode(x), y)
    torch.testing.assert_close(encoder.encode(x[4:5])[0], y[4], rtol=1e-4, atol=1e-5)
    assert encoder.encode(x[:0]).shape == (0, encoder.dim)


def test_clap_is_its_towers_projection_at_its_own_length():
    model, extractor = clap()
    encoder = huggingface(model, extractor=extractor)
    assert encoder.samples == 96_000
    x = windows(encoder, 2)
    inputs = extractor(list(x.numpy()), sampling_rate=48_000, return_tensors="pt")
    with torch.no_grad():
        expected = model(**inputs).audio_embeds
    torch.testing.assert_close(encoder.encode(x), expected)
    assert not torch.allclose(encoder.encode(x).norm(dim=1), torch.ones(2), atol=1e-2)
    with pytest.raises(ShapeError, match="reads at most 2 s; asked for 3 s"):
        huggingface(model, extractor=extractor, seconds=3)


def test_speech_models_are_averaged_over_time():
    model, extractor = speech()
    encoder = huggingface(model, extractor=extractor, seconds=0.5)
    x = windows(encoder, 2)
    normal = (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 1e-7).sqrt()
    with torch.no_grad():
        expected = model(normal).last_hidden_state.mean(1)
    torch.testing.assert_close(encoder.encode(x), expected, rtol=1e-4, atol=1e-5)


def test_encodec_is_mean_and_deviation_of_the_latents_before_quantisation():
    model, _ = codec()
    encoder = huggingface(model, seconds=0.5)
    x = windows(encoder, 2)
    with torch.no_grad():
        latents = model.encoder(x[:, None])
    torch.testing.assert_close(encoder.encode(x), torch.cat([latents.mean(2), latents.std(2)], 1))


def test_a_stereo_codec_hears_mono_twice():
    model, _ = codec(channels=2, normalize=True)
    encoder = huggingface(model, seconds=0.5)
    x = windows(encoder)
    torch.testing.assert_close(encoder.encode(x), encoder.encode(3 * x), rtol=1e-4, atol=1e-5)
    assert torch.isfinite(encoder.encode(encoder.silence())).all()


@pytest.mark.parametrize("make", [clap, speech])
def test_a_saved_folder_loads_by_its_path_to_the_same_encoder(tmp_path, make):
    model, extractor = make()
    model.save_pretrained(tmp_path / "tiny")
    extractor.save_pretrained(tmp_path / "tiny")
    encoder, again = huggingface(tmp_path / "tiny", seconds=1), huggingface(str(tmp_path / "tiny"), seconds=1)
    x = windows(encoder)
    assert encoder.identity == again.identity
    torch.testing.assert_close(encoder.encode(x), huggingface(model, extractor=extractor, seconds=1).encode(x))
    assert str(tmp_path) not in encoder.name


def test_weights_and_front_ends_settings_are_the_identity():
    model, extractor = speech()
    plain = transformers.Wav2Vec2FeatureExtractor(sampling_rate=24_000, do_normalize=False)
    encoders = [huggingface(model, extractor=choice, seconds=1) for choice in (extractor, plain)]
    with torch.no_grad():
        next(model.parameters()).mul_(2)
    encoders.append(huggingface(model, extractor=extractor, seconds=1))
    identities = [encoder.identity for encoder in encoders]
    assert identities[0] != identities[1]


def test_a_model_that_cannot_be_had_is_named_with_the_way_out():
    with pytest.raises(DataError, match=r"nobody/nothing could not be loaded .*check the name and the connection"):
        huggingface("nobody/nothing")


def test_a_model_that_does_not_say_its_rate_is_refused():
    model, _ = speech()
    with pytest.raises(DataError, match="does not say at which rate"):
        huggingface(model)


def test_code_beside_the_weights_is_not_run_unasked(tmp_path):
    """As MERT's: the configuration names a class in a file of the model's folder."""
    marker = tmp_path / "was run"
    (tmp_path / "configuration.py").write_text(f"open({str(marker)!r}, 'w').close()")
    (tmp_path / "config.json").write_text('{"model_type": "novel", "auto_map": {"AutoConfig": "configuration.NovelConfig"}}')
    with pytest.raises(DataError, match="trust_remote_code=True"):
        huggingface(tmp_path)
    assert not marker.exists()


def test_claps_audio_tower_is_taken_out_of_the_whole_model(tmp_path, capfd):
    model, extractor = clap()
    text = {"vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = transformers.ClapConfig(
        audio_config=model.config.to_dict(), text_config=text | {"projection_dim": 16}, projection_dim=16
    )
    whole = transformers.ClapModel(config).eval()
    whole.save_pretrained(tmp_path / "tiny-clap")
    extractor.save_pretrained(tmp_path / "tiny-clap")
    capfd.readouterr()
    loaded, given = huggingface(tmp_path / "tiny-clap"), huggingface(whole, extractor=extractor)
    assert "UNEXPECTED" not in "".join(capfd.readouterr())
    x = windows(given)
    torch.testing.assert_close(loaded.encode(x), given.encode(x))
    assert loaded.name == "clap(tiny-clap)"
    assert len(list(loaded.parameters())) < len(list(given.parameters()))


def test_tensors_that_the_file_lacks_are_told(tmp_path):
    model, extractor = speech()
    state = {key: value for key, value in model.state_dict().items() if "feature_projection" not in key}
    model.save_pretrained(tmp_path, state_dict=state)
    extractor.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match=r"4 tensors of .* stay random, feature_projection"):
        huggingface(tmp_path, seconds=1)


def test_a_fusing_clap_is_repeatable():
    """Its front end marks a random window of every batch as longer than it is."""
    config = clap()[0].config
    config.enable_fusion = True
    torch.manual_seed(0)
    extractor = transformers.ClapFeatureExtractor(max_length_s=2, nb_max_samples=96_000)
    encoder = huggingface(transformers.ClapAudioModelWithProjection(config).eval(), extractor=extractor)
    x = windows(encoder)
    assert torch.equal(encoder.encode(x), encoder.encode(x))
    torch.testing.assert_close(encoder.encode(x[1:2])[0], encoder.encode(x)[1], rtol=1e-4, atol=1e-5)


def test_a_damaged_weight_file_is_refused(tmp_path):
    model, extractor = speech()
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match="could not be loaded"):
        huggingface(tmp_path)
