"""Files by name: sound, and MIDI where a space hears notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from oplas import Space
from oplas._errors import DataError
from oplas.actions import Transpose
from oplas.algebra import search
from oplas.data import Notes
from oplas.data.audio import write
from oplas.encoders import power_mel
from oplas.encoders.rolls import PitchDurations
from oplas.laws import Equivariance
from oplas.operators.composed import Pointwise

pytest.importorskip("symusic")


class Higher(Pointwise):
    """What transposing does to how long each of the 128 pitches sounds."""

    flow = True

    def act(self, z: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return torch.stack([row.roll(int(t), -1) for row, t in zip(z, theta, strict=True)])


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tune, the same three semitones higher, and another; a beat a note, twice four beats."""
    folder = tmp_path_factory.mktemp("midi")
    tune = Notes.of([(float(i), 1.0, pitch) for i, pitch in enumerate((60, 62, 64, 67, 72, 71, 69, 65))])
    tune.write(folder / "tune.mid")
    tune.transpose(3).write(folder / "up.mid")
    Notes.of([(float(i), 1.0, 50 + 2 * i) for i in range(8)]).write(folder / "other.mid")
    return folder


@pytest.fixture
def space() -> Space:
    law = Equivariance(Transpose(-6, 6), Higher())
    made = Space(PitchDurations(beats=4), laws=[law])
    made.card["certificate"] = {"law": f"{law.action!r} → {law.operator!r}", "verdict": "holds"}
    return made


@pytest.mark.parametrize("ask", ["transpose(tune.mid, +3)", "transpose(tune@4, 3 semitones)", "key(tune, -3 fifths)"])
def test_a_tune_is_found_in_another_key(space: Space, notes: Path, ask: str) -> None:
    found = search(space, ask, notes, 1).found[0]
    assert found.file.name == "up.mid"
    assert found.distance < 1e-5
    assert found.start == (4.0 if "@" in ask else None)


def test_notes_are_not_heard_by_a_space_of_sound_nor_sound_by_one_of_notes(space: Space, notes: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 0.1 * np.sin(np.arange(64000)), 16000)
    with pytest.raises(DataError, match=r"tune\.mid holds notes"):
        search(Space(power_mel()), f"'{notes / 'tune.mid'}'", tmp_path)
    with pytest.raises(DataError, match="no MIDI file"):
        search(space, "a", tmp_path)


@pytest.mark.parametrize(
    ("ask", "words"), [("tune@99", "no whole window"), ("tunes", "did you mean"), ("'tune'@3.5 - x", "mixing law")]
)
def test_what_is_not_there(space: Space, notes: Path, ask: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        search(space, ask, notes)
