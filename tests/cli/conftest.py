"""A folder of songs, an encoder small enough for tests, and the command line called in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from oplas.data import band
from oplas.data.write import write_stems
from oplas.encoders import Encoder, named, power_mel


def small(spec: str) -> Encoder:
    """``tiny`` besides all that the command line knows."""
    return power_mel(bands=8, seconds=0.5, segments=1) if spec == "tiny" else named(spec)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        facts = json.loads(self.out)
        assert isinstance(facts, dict)
        return facts


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oplas.mixing.named", small)
        learning = import_module("oplas.learn")
        gather = learning.gather
        patch.setattr(learning, "gather", lambda space, data, count, seed: gather(space, data, min(count, 64), seed))
        patch.setenv("OPLAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield patch


@pytest.fixture(scope="session")
def run(patched: pytest.MonkeyPatch) -> Run:
    from oplas.cli import app

    def call(*words: object) -> Said:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten songs of four parts, four seconds each."""
    folder = tmp_path_factory.mktemp("songs")
    assert len(list(write_stems(band(seed=5, songs=10, seconds=4.0), folder))) == 10
    return folder


@pytest.fixture(scope="session")
def _learned(run: Run, songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("learned") / "mix.space"
    said = run("learn", songs, "--out", out, *QUICK)
    assert said.code == 0, said.err
    return out


@pytest.fixture
def space(_learned: Path, tmp_path: Path) -> Path:
    """A saved space of one's own."""
    return Path(shutil.copytree(_learned, tmp_path / "own.space"))


QUICK = ("--encoder", "tiny", "--width", "4", "--steps", "30", "--evidence", "64")


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """Options with which learning takes a few seconds."""
    return QUICK
