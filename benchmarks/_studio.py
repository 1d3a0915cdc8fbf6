"""A studio and a real browser, for tests, the benchmark and the pictures of docs/ (``python benchmarks/_studio.py`` takes them)."""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "img"
STATIC = ROOT / "src/oplas/studio/static"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
VIEWS = ("map", "operators", "mixer", "ring", "faders", "parts", "certificate")
#: Milliseconds that a page on a busy machine is waited for.
PATIENCE = 300_000
#: WebGL in software: the same pictures with and without a graphics card.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


def lacking() -> str | None:
    """Why no browser can be driven here, or None."""
    try:
        import fastapi  # noqa: F401
        import playwright  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed: pip install 'oplas[dev]'"
    return None if shutil.which("chromium") else "chromium is not installed"


@contextmanager
def serving(library: Any, port: int = 0) -> Iterator[str]:
    """The real server on a library, in a thread; gives its address."""
    import uvicorn

    from oplas.studio.app import guarded
    from oplas.studio.serve import bound
    from oplas.studio.studio import Studio

    listening = bound("127.0.0.1", port)
    config = uvicorn.Config(guarded(Studio(library)), log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def visit(page: Any, address: str, view: str) -> None:
    """Open a view and wait until it is all there."""
    page.evaluate("delete document.documentElement.dataset.ready")
    page.goto(f"{address}/#/{view}")
    page.wait_for_selector("html[data-ready]")


def until(page: Any, expression: str) -> Any:
    """Wait for something truthy. (The page's policy forbids the code that the browser driver would make for its own waiting.)"""
    end = time.monotonic() + PATIENCE / 1000
    while not (value := page.evaluate(expression)):
        if time.monotonic() > end:
            raise TimeoutError(f"{expression} stayed {value!r}")
        time.sleep(0.05)
    return value


def browser_seconds() -> float:
    """CPU seconds that the processes below this one, the browser's, have used: what a busy machine does not change."""
    used, parent = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parent[int(stat.parent.name)], used[int(stat.parent.name)] = int(words[1]), int(words[11]) + int(words[12])
    below = {os.getpid()}
    while more := {child for child, above in parent.items() if above in below} - below:
        below |= more
    return sum(used[each] for each in below - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def stems() -> list[dict[str, Any]]:
    """Four stems of a song of the built-in band, as files to upload."""
    import soundfile

    from oplas.data.band import play

    files = []
    for label, wave in play(7, 0).waves.items():
        out = io.BytesIO()
        soundfile.write(out, wave[: 8 * 16000].numpy(), 16000, format="WAV")
        files.append({"name": f"{label}.wav", "mimeType": "audio/wav", "buffer": out.getvalue()})
    return files


def take(page: Any, address: str, view: str) -> None:
    """Bring a view into a state worth a picture."""
    visit(page, address, view)
    if view == "map":
        page.locator("canvas.points").focus()
        page.keyboard.press("Enter")
    elif view == "operators":
        page.get_by_role("slider").first.focus()
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
        with page.expect_response("**/api/operate"):
            page.keyboard.press("ArrowLeft")
        page.locator(".result .tile").first.wait_for()
    elif view == "mixer":
        page.set_input_files("#stems", stems())
        page.get_by_role("button", name="Take out").nth(1).click()
        page.get_by_role("heading", name="Without").wait_for()
    elif view == "ring":
        page.locator("svg.ring").focus()
        for _ in range(2):
            page.keyboard.press("ArrowRight")
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_load_state("networkidle")
    time.sleep(0.5)


def pictures(folder: Path = PICTURES, only: list[str] | None = None) -> None:
    """Every view on a laptop, some in the dark and on a phone; or those of some views."""
    from PIL import Image

    from oplas.studio.demo import demo

    wanted = [(view, LAPTOP, "light", "") for view in VIEWS]
    wanted += [("map", LAPTOP, "dark", "_dark"), ("operators", PHONE, "dark", "_phone"), ("ring", PHONE, "light", "_phone")]
    with serving(demo()) as address, chromium() as browser:
        for view, size, theme, tail in (each for each in wanted if not only or each[0] in only):
            page = browser.new_page(viewport=size, color_scheme=theme, reduced_motion="reduce")
            page.set_default_timeout(PATIENCE)
            page.goto(address)
            take(page, address, view)
            file = folder / f"studio_{view}{tail}.png"
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)
            print(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file, file.stat().st_size // 1024, "kB")
            page.close()


if __name__ == "__main__":
    pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES, sys.argv[2:])
