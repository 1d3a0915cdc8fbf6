"""Weights are loaded to the last tensor or not at all, and no code in them is run."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from oplas._errors import ArtefactError
from oplas.encoders._weights import load_weights


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_every_tensor_is_loaded(tmp_path, suffix):
    source, target, file = network(), network(), tmp_path / f"weights{suffix}"
    state = {f"net.{key}": value for key, value in source.state_dict().items()}
    (save_file if suffix == ".safetensors" else torch.save)(state, file)
    load_weights(target, file, lambda key: key.removeprefix("net."))
    for ours, theirs in zip(target.parameters(), source.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def altered(change) -> dict:
    state = network().state_dict()
    change(state)
    return state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (altered(lambda state: state.pop("0.bias")), r"missing: 0.bias \(1\)"),
        (altered(lambda state: state.update(extra=torch.zeros(1))), r"not known here: extra \(1\)"),
        (altered(lambda state: state.update({"0.bias": torch.zeros(5)})), r"of another shape: 0.bias \(1\)"),
        (altered(lambda state: state["1.weight"].fill_(torch.nan)), r"NaN or infinity in 1.weight"),
        ([torch.zeros(1)], "holds a list, not a dict of tensors"),
    ],
)
def test_the_wrong_weights_are_refused_and_nothing_is_changed(tmp_path, state, message):
    target = network()
    before = {key: value.clone() for key, value in target.state_dict().items()}
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ArtefactError, match=message):
        load_weights(target, tmp_path / "weights.pth")
    assert all(torch.equal(value, before[key]) for key, value in target.state_dict().items())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"RIFF" * 50]
)
def test_damaged_files_are_refused_by_name(tmp_path, suffix, damage):
    file = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(network().state_dict(), file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ArtefactError, match=rf"weights{suffix} \(\d+ bytes\) could not be read as weights"):
        load_weights(network(), file)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ArtefactError, match=r"there is no file .*nowhere.pth"):
        load_weights(network(), tmp_path / "nowhere.pth")


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("code in a weight file was run",))


@pytest.mark.parametrize("writer", [torch.save, lambda trap, file: file.write_bytes(pickle.dumps(trap, protocol=2))])
def test_code_in_a_file_is_not_run(tmp_path, writer):
    writer(Trap(), tmp_path / "weights.pth")
    with pytest.raises(ArtefactError, match="not plain tensors"):
        load_weights(network(), tmp_path / "weights.pth")
