"""Learning and certifying from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oplas import _artefact
from oplas._checkpoint import State
from oplas.cli.spaces import CODES

ENTRY = "from oplas.cli import main; main()"


def stop_at(step: int) -> Callable[[State, float, float], None]:
    """Ctrl-C while a step is taken."""
    note = State.note

    def stop(self: State, train: float, valid: float) -> None:
        note(self, train, valid)
        if self.step == step:
            signal.raise_signal(signal.SIGINT)

    return stop


def tensors(space: Path) -> object:
    return _artefact.load(space)[1]["tensors_sha256"]


def test_learning_answers_with_one_json_object_and_leaves_only_the_space(run, songs, quick, tmp_path) -> None:
    said = run("learn", songs, "--out", tmp_path / "mix.space", *quick, "--json")
    assert said.code == 0
    assert said.facts["songs"] == {"learning": 7, "stopping": 1, "unheard": 2}
    assert said.facts["exit"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mix.space"]


def test_the_card_names_the_encoder_so_that_certify_needs_not_be_told(space) -> None:
    card = _artefact.load(space)[1]
    assert card["encoder_spec"] == "tiny"
    assert card["heard"]


def test_certify_judges_only_songs_the_space_has_not_learned_from(run, songs, space) -> None:
    said = run("certify", space, songs, "--json")
    assert said.facts["songs"] == 2
    assert "8 of 10 songs are left out" in said.err
    assert said.code == said.facts["exit"] == CODES[said.facts["verdict"]]


def test_certify_refuses_songs_that_were_all_learned_from(run, songs, quick, tmp_path) -> None:
    assert run("learn", songs, "--out", tmp_path / "all.space", *quick, "--held-out", "0").code == 0
    said = run("certify", tmp_path / "all.space", songs)
    assert said.code == 65
    assert "learned from all 10 songs" in said.err


def test_the_certificate_is_kept_in_the_card_and_on_the_page(run, songs, space, tmp_path) -> None:
    said = run("certify", space, songs, "--page", tmp_path / "page")
    kept = _artefact.load(space)[1]["certificate"]
    assert kept["verdict"] in said.out
    written = json.loads((tmp_path / "page" / "certificate.json").read_text())
    assert written["rows"] == kept["rows"]
    assert kept["verdict"] in (tmp_path / "page" / "index.html").read_text()


def test_certifying_again_gives_the_same_figures(run, songs, space) -> None:
    first, second = (run("certify", space, songs, "--json").facts for _ in range(2))
    assert first == second


def test_stopped_half_way_and_resumed_gives_the_same_space(run, songs, space, quick, tmp_path, monkeypatch) -> None:
    out = tmp_path / "mix.space"
    with monkeypatch.context() as patch:
        patch.setattr(State, "note", stop_at(15))
        stopped = run("learn", songs, "--out", out, *quick)
    assert stopped.code == 130
    assert "the same command goes on from there" in stopped.err
    assert not out.exists()
    assert run("learn", songs, "--out", out, *quick).code == 0
    assert tensors(out) == tensors(space)
    assert not (tmp_path / "mix.space.run").exists()


def test_a_stopped_run_is_not_taken_up_with_other_settings(run, songs, quick, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(State, "note", stop_at(9))
        assert run("learn", songs, "--out", tmp_path / "mix.space", *quick).code == 130
    said = run("learn", songs, "--out", tmp_path / "mix.space", *quick, "--seed", "9")
    assert said.code == 65
    assert "other settings" in said.err


@pytest.mark.skipif(os.name != "posix", reason="signals as on Unix")
def test_an_interrupt_from_the_keyboard_saves_and_exits_with_130(songs, tmp_path) -> None:
    words = [
        "learn",
        str(songs),
        "--out",
        str(tmp_path / "mix.space"),
        "--encoder",
        "chroma",
        "--steps",
        "1000000",
        "--evidence",
        "64",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", ENTRY, *words], stderr=subprocess.PIPE, text=True, env=environment) as process:
        codes = tmp_path / "mix.space.run" / "codes"
        for _ in range(1200):
            if codes.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=120)[1]
    assert process.returncode == 130, err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert not (tmp_path / "mix.space").exists()
