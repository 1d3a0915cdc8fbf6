"""The algebra of parts: what is exact is found exact, what says nothing is called vacuous, what separates holds."""

from __future__ import annotations

import pytest
import torch

from oplas import DataError
from oplas.codecs import Mel
from oplas.decompose import Composable, Decomposition
from oplas.decompose.certify import certify


class Parted(Decomposition):
    """Splits by a rule instead of by a model."""

    def __init__(self, rule) -> None:
        torch.manual_seed(0)
        super().__init__(Mel(), Composable(128, 2, size="S", positive=True))
        self.rule = rule

    def split(self, wav, rate, **_):
        return self.rule(wav)


def bands(wav: torch.Tensor) -> torch.Tensor:
    """Below and above 600 Hz: linear, so that unions are exact."""
    spectrum = torch.fft.rfft(wav)
    low = torch.fft.irfft(torch.where(torch.arange(spectrum.shape[-1]) < 600 * wav.shape[-1] / 24_000, spectrum, 0), wav.shape[-1])
    return torch.stack([low, wav - low], 1)


def verdicts(certificate) -> dict[str, str]:
    return {law.name: law.verdict for law in certificate.laws}


def test_a_model_that_learned_a_little(learned, songs) -> None:
    with pytest.raises(DataError, match="1 song"):
        certify(learned, songs)
    fresh = {name: wave[::-1].copy() for name, wave in songs.items()}
    told = certify(learned, fresh, windows=8)
    assert {"add up": "exact", "order": "exact"}.items() <= verdicts(told).items()
    assert [law.name for law in told.laws] == ["compose", "add up", "order", "union"] and told.songs > 1
    assert told == certify(learned, fresh, windows=8) and "share of the mixture" in str(told)


def test_what_separates_holds(songs) -> None:
    told = certify(Parted(bands), songs, windows=8)
    assert verdicts(told)["union"] == "holds" and verdicts(told)["compose"] != "holds"  # its model has learned nothing


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.999, 0.001)])
def test_what_gives_every_part_the_mixture_is_vacuous(songs, shares) -> None:
    told = certify(Parted(lambda wav: torch.stack([share * wav for share in shares], 1)), songs, windows=8)
    assert verdicts(told)["union"] == "vacuous"


def test_what_loses_sound_does_not_add_up(songs) -> None:
    assert verdicts(certify(Parted(lambda wav: 0.9 * bands(wav)), songs, windows=8))["add up"] == "holds not"


def test_separate_decoders_claim_nothing_of_the_order_of_parts(songs) -> None:
    model = Composable(128, 2, size="S", decoder="separate", positive=True)
    assert set(verdicts(certify(Decomposition(Mel(), model), songs, windows=4))) == {"compose", "add up", "union"}
