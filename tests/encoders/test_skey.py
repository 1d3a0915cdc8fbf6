"""The positive control turns by one step for each semitone, because it was built to."""

import math

import pytest
import torch

from oplas._errors import ArtefactError
from oplas.encoders.skey import ChromaNet, skey


def chord(root: float) -> torch.Tensor:
    """A major key's cadence: tonic, subdominant, dominant, tonic."""
    time = torch.arange(ChromaNet.samples) / ChromaNet.rate
    wave = torch.zeros(len(time))
    for place, step in enumerate((0, 5, 7, 0)):
        now = ((time % 4).floor() == place).float()
        for third in (0, 4, 7, 12, 16):
            for harmonic in (1, 2, 3):
                wave += now * torch.sin(2 * math.pi * harmonic * root * 2 ** ((step + third) / 12) * time) / harmonic / 20
    return wave


def test_its_answer_turns_with_the_music(shared_data):
    network = skey(shared_data / "encoders" / "skey.safetensors")
    codes = network.encode(torch.stack([chord(261.63 * 2 ** (k / 12)) for k in (0, 1, 5)]))
    assert torch.allclose(codes.sum(1), torch.ones(3), atol=1e-5)
    ring = codes.unflatten(1, (2, 12)).sum(1)
    place = ring.argmax(1)
    assert [int((each - place[0]) % 12) for each in place] == [0, 1, 5]


def test_other_weights_are_refused(shared_data, tmp_path):
    with pytest.raises(ArtefactError, match="state dict of ChromaNet"):
        skey(shared_data / "encoders" / "jamendo_fcn.pth")
    with pytest.raises(ArtefactError, match="no file"):
        skey(tmp_path / "missing.safetensors")
