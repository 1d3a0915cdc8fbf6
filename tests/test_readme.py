"""What the README and the how-to pages show is what happens."""

from __future__ import annotations

import re
import shutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import oplas
from oplas import actions as act
from oplas import data, decompose
from oplas.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "index.md",
    ROOT / "docs" / "decompose.md",
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder ``my/songs``, and everything so small that a page runs in seconds."""
    import soundfile

    songs = data.band(seed=5, songs=10, seconds=6.0)
    for slot in songs.grid(16000, 6 * 16000):
        scene = songs.scene(slot, 16000, 6 * 16000)
        folder = tmp_path / "my" / "songs" / songs.names[slot.song]
        folder.mkdir(parents=True)
        for label, wave in zip(scene.labels, scene.parts, strict=True):
            soundfile.write(folder / f"{label}.flac", wave.numpy(), 16000)

    for seed in range(2):
        pitch = torch.randint(50, 80, (64,), generator=torch.Generator().manual_seed(seed)).tolist()
        data.Notes.of([(beat / 2, 0.5, each) for beat, each in enumerate(pitch)]).write(tmp_path / "my" / "midi" / f"{seed}.mid")

    def learn(space: oplas.Space, songs: data.Stems, **options: Any) -> object:
        train, held = songs.split(0.75, 0.25)
        valid = act.Mix(2, 4).trials(space.encoder, held, 16, torch.Generator().manual_seed(0))
        full = import_module("oplas.learn").learn
        return full(space, train, valid, **{**options, "steps": 8, "batch": 16, "evidence": 32, "progress": False})

    def few_steps(songs: object, parts: int) -> decompose.Decomposition:
        return decompose.learn(songs, parts, size="S", steps=2, prior=False, progress=False)  # type: ignore[arg-type]

    monkeypatch.setattr(oplas, "learn", learn)
    monkeypatch.setattr(oplas, "translate", partial(oplas.translate, count=64))
    monkeypatch.setattr("oplas.decompose.from_songs", few_steps)
    monkeypatch.setattr(data, "band", lambda **_: songs)
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.usefixtures("tiny")
def test_the_python_on_the_page_runs(page: Path) -> None:
    torch.manual_seed(0)
    scope: dict[str, object] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), scope)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_the_commands_on_the_page_exist(page: Path) -> None:
    commands = [line.split("#")[0].split() for block in blocks(page, "bash") for line in block.splitlines() if line.strip()]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in commands:
        if command[0] == "make":
            assert command[1] in targets
        elif command[0] == "oplas":
            words = command[1 : 3 if command[1] in {"data", "decompose", "fader", "index", "translate"} else 2]
            shown = CliRunner().invoke(app, [*words, "--help"])
            assert shown.exit_code == 0, shown.output
            assert [word for word in command if word.startswith("--") and word not in shown.output] == []
        else:
            assert shutil.which(command[0]) or (ROOT / command[0]).is_file()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_the_links_on_the_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).is_file()] == []


def test_the_readme_names_the_test_command_of_the_project() -> None:
    assert "make test" in blocks(ROOT / "README.md", "bash")[0]
    assert "step make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
