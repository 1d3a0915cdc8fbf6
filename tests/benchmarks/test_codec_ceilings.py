"""The benchmark of codecs: its quick run answers with the keys of the full one."""

from __future__ import annotations

import json
import sys

import codec_ceilings
import pytest


def test_the_quick_run_prints_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["codec_ceilings", "--quick"])
    codec_ceilings.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["tiny_alone"] > found["mel_shared"] > 5
    assert [row["codec"] for row in found["rows"]] == ["mel (128 bands)", "tiny"]
