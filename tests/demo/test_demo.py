"""The demonstration, small: what it writes, what it says, and that it goes on after a stop."""

from __future__ import annotations

import json
import signal
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oplas import DataError, Space
from oplas.data import band
from oplas.demo import demo
from oplas.demo.listen import listen
from oplas.encoders import power_mel
from oplas.mixing import mixing_law


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    learning = import_module("oplas.learn")
    gather = learning.gather
    monkeypatch.setattr(learning, "gather", lambda space, data, count, seed: gather(space, data, min(count, 64), seed))
    monkeypatch.setattr("oplas.mixing.named", lambda spec: power_mel(bands=8, seconds=0.5, segments=1))
    monkeypatch.setattr("oplas.demo.band", lambda seed, songs: band(seed, 8, 3.0))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("small")
def test_stopped_while_certifying_it_goes_on_and_writes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("oplas.demo.certify", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            demo(steps=20, evidence=64)
    learned = (Path("oplas-demo/mix.space/card.json")).read_text()
    said: list[str] = []
    made = demo(steps=20, evidence=64, tell=said.append)
    assert len(said) == 4
    out = Path("oplas-demo")
    assert json.loads(learned)["tensors_sha256"] == json.loads((out / "mix.space" / "card.json").read_text())["tensors_sha256"]
    page = (out / "index.html").read_text()
    assert made.certificate.verdict in page
    assert page.count("<audio") == 6
    assert (out / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert all(path.exists() for path in made.written)
    assert not (out / "mix.space.run").exists()
    assert json.dumps(made.to_dict())


def test_where_sums_hold_by_nature_the_mix_without_its_drums_is_found(tmp_path: Path) -> None:
    heard, sounds = listen(Space(power_mel(), laws=[mixing_law()]), band(songs=3, seconds=9.0), tmp_path)
    assert heard.part == "drums"
    assert heard.share > 0.8
    assert heard.windows * 4 <= heard.candidates <= heard.windows * 8
    waves = {path.stem: soundfile.read(path)[0] for path in sounds.values()}
    assert np.allclose(waves["mix"] - waves["drums"], waves["minus_drums_expected"], atol=1e-6)


def test_songs_in_which_nothing_sounds_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two other parts"):
        listen(Space(power_mel(seconds=20.0), laws=[mixing_law()]), band(songs=1, seconds=3.0), tmp_path, part="flute")
