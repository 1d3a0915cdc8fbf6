"""A certificate to show, and a real browser to show it in, spoken to through a pipe: no driver, no port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oplas.certificate import Certificate, Row

NAN = float("nan")


def row(name: str, r2: float, top1: float, defect: float = 1.0, rank: float = 13.0) -> Row:
    return Row(name, r2, r2 - 0.1, r2 + 0.1, r2, defect, top1, max(top1 - 0.1, 0), top1 + 0.1, top1, 2.0, rank, 0.6, 0.5)


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """A small certificate with every figure measured but those that few songs cannot give."""
    pairs = [[0.3 * i - 2, (i % 5) - 2.0] for i in range(20)]
    return Certificate(
        verdict="partly", why="R² 0.922 (at least 0.870 over songs), missing part found first in 55% of cases", law="Mix() → Sum()",
        rows=(row("this space", 0.922, 0.55, 0.28), row("encoder's own", -20.4, 0.017, 4.6), row("collapsed", NAN, 0.0, NAN, 0.0)),
        by_count={2: {"r2": 0.95, "top1": 0.68, "trials": 28}, 4: {"r2": NAN, "top1": 0.33, "trials": 1}},
        homogeneity={"exponent": 1.92, "r2": 0.86}, conformal={"level": 0.9, "bound": float("inf"), "songs": 6},
        residuals={"Equivariance(Mix(), Sum())": {"rms": 0.31, "status": "measured"}},
        axioms={"status": "exact", "commutes": 2e-16},
        code_r2=0.4, chance={"top1": 1 / 164, "probe": 0.25}, songs=6, trials=60, candidates=164,
        encoder={"name": "log_mel(96 x 3, dB)", "identity": "log_mel-1234", "dim": 288, "width": 32}, seed=1, data="band-0",
        versions={"oplas": "0.1", "torch": "2.13"},
        plots={
            "pca": {"mix": pairs, "sum": [[a + 0.1, b - 0.1] for a, b in pairs]},
            "defects": {"this space": [0.1, 0.2, 0.25, 0.4], "encoder's own": [3.0, 4.5, 6.0], "shuffled parts": [1.1, 1.5]},
            "retrieval": {"rank": [1, 2, 5, 10, 100, 1000], "found": [0.55, 0.6, 0.8, 0.9, 1.0, 1.0]},
            "spectrum": [0.5, 0.3, 0.15, 0.05],
        },
    )  # fmt: skip


class Browser:
    """Chromium without a window: one page, its errors, its size, its picture."""

    def __init__(self, program: str, profile: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            f"--disable-sync --disable-component-update --remote-debugging-pipe --user-data-dir={profile}"
        )
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" {flags} about:blank 3<&{ours[0]} 4>&{theirs[1]}', program],
            pass_fds=(ours[0], theirs[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self.out, self.into, self.number, self.session = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb"), 0, ""
        self.events: list[dict[str, Any]] = []
        self.rest = b""
        target = next(each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            chunk = self.into.read1(1 << 16)
            if not chunk:
                raise RuntimeError("the browser went away")
            self.rest += chunk
        message, self.rest = self.rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while (answer := self._read()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, file: Path, width: int, height: int = 900, scheme: str = "light") -> None:
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=file.resolve().as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._read())

    def ask(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def tab(self) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    @property
    def complaints(self) -> list[str]:
        """Uncaught errors, and what the console says in red."""
        said = [each["params"]["entry"] for each in self.events if each.get("method") == "Log.entryAdded"]
        thrown = [each["params"] for each in self.events if each.get("method") == "Runtime.exceptionThrown"]
        return [json.dumps(each) for each in (*thrown, *(each for each in said if each["level"] in ("error", "warning")))]

    @property
    def fetched(self) -> list[str]:
        """Addresses asked for, those inside the page left out."""
        urls = [each["params"]["request"]["url"] for each in self.events if each.get("method") == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith("data:")]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.out.close()
        self.into.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The machine's Chromium or Chrome; tests that look at pages skip where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser to look at the page with: none of {', '.join(names)} is installed")
    opened = Browser(program, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()
