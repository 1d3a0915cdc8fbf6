"""``oplas fader``: from a table of labels to latents that were moved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator
from typer.testing import CliRunner

from oplas.cli import app


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["fader", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Latents of 40 songs of six windows each, a table that says how loud and how bright they are, and faders learned from it."""
    folder, g = tmp_path_factory.mktemp("fader"), Generator().manual_seed(0)
    y = torch.randn(240, 2, generator=g)
    z = y @ torch.randn(2, 8, generator=g) + 0.1 * torch.randn(240, 8, generator=g)
    ids = [f"window{row}.wav@0.000" for row in range(240)]
    np.savez(folder / "z.npz", embeddings=z.numpy(), ids=np.array(ids))
    lines = [f"window{row}.wav,song{row // 6},{6 * float(a):.3f},{float(b):.3f}" for row, (a, b) in enumerate(y)]
    (folder / "labels.csv").write_text("\n".join(["file,song,level,brightness", *lines]) + "\n")
    code, told = run("learn", folder / "labels.csv", "--latents", folder / "z.npz", "--out", folder / "f", "--unit", "level=dB",
                     "--plot", folder / "f.png")  # fmt: skip
    assert code == 0, told
    return folder


def test_learn_shows_curves_and_bounds_before_anything_is_moved(place: Path):
    code, told = run("show", place / "f")
    assert code == 0 and "level: holds" in told and "amount (dB)" in told and "bound (90%)" in told
    code, told = run("show", place / "f", "level", "--plot", place / "f.html", "--json")
    assert json.loads(told.splitlines()[-1])["faders"][0]["name"] == "level"
    assert (place / "f.png").read_bytes()[:4] == b"\x89PNG"
    page = (place / "f.html").read_text()
    assert "<svg" in page and "level: holds" in page and "http://" not in page.replace("http://www.w3.org", "")


def test_apply_writes_moved_latents_and_names_the_nearest(place: Path):
    code, told = run("apply", place / "f", place / "z.npz", "--move", "level=+3", "--move", "brightness=-0.5", "--out",
                     place / "moved.npz", "--in", place / "z.npz", "-k", "2")  # fmt: skip
    assert code == 0 and "at most" in told and "240 latents moved" in told
    before, after = np.load(place / "z.npz"), np.load(place / "moved.npz")
    assert list(before["ids"]) == list(after["ids"])
    step = after["embeddings"] - before["embeddings"]
    assert np.allclose(step, step[0], atol=1e-5) and np.abs(step).max() > 0.01


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("apply", "f", "z.npz", "--move", "level=+300", "--out", "x.npz"), "beyond that"),
        (("apply", "f", "z.npz", "--move", "pitch=1", "--out", "x.npz"), "there is no fader 'pitch'"),
        (("apply", "f", "z.npz", "--move", "level", "--out", "x.npz"), "says no amount"),
        (("apply", "f", "z.npz", "--move", "level=1", "--out", "x.wav"), "written as .npz or .npy"),
        (("apply", "labels.csv", "z.npz", "--move", "level=1", "--out", "x.npz"), "not a readable saved faders"),
        (("learn", "labels.csv", "--out", "g"), "either --space"),
        (("learn", "bad.csv", "--latents", "z.npz", "--out", "g"), "needs file"),
        (("learn", "gap.csv", "--latents", "z.npz", "--out", "g"), "line 3"),
        (("learn", "else.csv", "--latents", "z.npz", "--out", "g"), "no row of"),
        (("learn", "none.csv", "--latents", "z.npz", "--out", "g"), "cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch, words, says):
    monkeypatch.chdir(place)
    Path("bad.csv").write_text("name,level\na,1\n")
    Path("gap.csv").write_text("file,level\nwindow0.wav,1\nwindow1.wav,\n")
    Path("else.csv").write_text("file,level\nother.wav,1\nanother.wav,2\n")
    code, told = run(*words)
    assert code == 65 and says in told, told
    assert not Path("g").exists() and not Path("x.npz").exists() and not Path("x.wav").exists()


def test_wrong_usage_is_2(place: Path):
    assert run("apply", place / "f", place / "z.npz", "--move", "level=1")[0] == 2
    assert run("show", place / "f", "--plot", place / "x.gif")[0] == 2


def test_too_few_songs_are_vacuous_and_the_exit_code_says_so(place: Path):
    lines = (place / "labels.csv").read_text().splitlines()[:31]
    (place / "few.csv").write_text("\n".join(lines) + "\n")
    code, told = run("learn", place / "few.csv", "--latents", place / "z.npz", "--out", place / "few")
    assert code == 4 and "vacuous" in told
    assert run("apply", place / "few", place / "z.npz", "--move", "level=0", "--out", place / "y.npz")[0] == 65
