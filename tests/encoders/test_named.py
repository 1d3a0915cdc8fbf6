"""A spelling makes the encoder it says."""

from __future__ import annotations

import pytest

from oplas import DataError, encoders
from oplas.encoders.named import KINDS, named


@pytest.mark.parametrize("spec", ["mini", "log_mel", "power_mel", "chroma", "cqt"])
def test_the_facts_in_the_list_are_the_encoders_own(spec: str) -> None:
    encoder = named(spec)
    assert (encoder.dim, encoder.samples / encoder.rate) == (KINDS[spec].dim, KINDS[spec].seconds)
    assert encoder.identity == getattr(encoders, spec)().identity


def test_the_facts_of_networks_with_weights(shared_data) -> None:
    for spec in ("fcn", "musicnn"):
        found = sorted(shared_data.rglob(f"*{spec}*.pth"))
        if not found:
            pytest.skip("the weights of the Jamendo taggers are not beside this checkout")
        encoder = named(f"{spec}:{found[0]}")
        assert (encoder.dim, encoder.samples / encoder.rate) == (KINDS[spec].dim, KINDS[spec].seconds)


@pytest.mark.parametrize(
    "spec", ["", "minni", "mini:x", "hf:", "onnx:", "onnx:model.onnx", "onnx:model.onnx:fast:1", "onnx:m.onnx:0:1"]
)
def test_what_is_no_spelling_is_refused_with_the_right_ones(spec: str) -> None:
    with pytest.raises(DataError, match=f"there is no encoder '{spec}'; "):
        named(spec)
