"""The studio's page in a real browser, on the real server: every view, by mouse and by keys, in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _studio import LAPTOP, PATIENCE, PHONE, STATIC, VIEWS, chromium, lacking, serving, stems, visit

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
VIOLATIONS = """axe.run(document, {resultTypes: ["violations"]}).then(result => result.violations.map(
  each => each.id + ": " + each.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(" | ")))"""
pytestmark = pytest.mark.skipif(lacking() is not None, reason=str(lacking()))


@pytest.fixture(scope="module")
def library() -> Any:
    from oplas.studio.demo import demo

    return demo()


@pytest.fixture(scope="module")
def address(library: Any) -> Iterator[str]:
    with serving(library) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driven:
        yield driven


@contextmanager
def opened(browser: Any, address: str, *, size: dict[str, int] = LAPTOP, theme: str = "light", quiet: bool = True) -> Iterator[Any]:
    """A page that must ask no other host for anything, and, if quiet, must have nothing to complain of."""
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce", accept_downloads=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not quiet or not said


def choose(page: Any) -> None:
    """The point in the middle of the map, by keys."""
    page.locator("canvas.points").focus()
    page.keyboard.press("Enter")
    page.locator(".chosen h2").wait_for()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in web/")
@pytest.mark.parametrize(("theme", "size"), [("light", LAPTOP), ("dark", PHONE)], ids=["light laptop", "dark phone"])
def test_no_view_shuts_anyone_out(browser: Any, address: str, theme: str, size: dict[str, int]) -> None:
    found, wide = {}, {}
    with opened(browser, address, theme=theme, size=size) as page:
        choose(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for view in VIEWS:
            visit(page, address, view)
            page.wait_for_load_state("networkidle")
            found[view] = page.evaluate(VIOLATIONS)
            wide[view] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert found == {view: [] for view in VIEWS}
    assert max(wide.values()) <= 0, "a view is wider than the screen"


def test_a_point_is_chosen_and_its_neighbours_are_told(browser: Any, address: str, library: Any) -> None:
    with opened(browser, address) as page:
        choose(page)
        name = page.locator(".chosen h2").inner_text()
        rows = page.locator(".chosen tbody tr")
        assert name in library.names and rows.count() == 8
        first = rows.first.get_by_role("button").first
        near = first.inner_text()
        first.click()
        page.get_by_role("heading", name=near, exact=True).wait_for()


def test_a_lasso_selects_what_it_encloses(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        page.get_by_role("button", name="Show all").click()
        page.get_by_role("button", name="Lasso").click()
        box = page.locator("canvas.points").bounding_box()
        corners = [(0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.02), (0.98, 0.02)]
        for k, (x, y) in enumerate(corners):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
            if k == 0:
                page.mouse.down()
        page.mouse.up()
        count = page.evaluate("fetch('api/space').then(answer => answer.json()).then(space => space.count)")
        assert page.get_by_text(f"{count} selected").count() == 1, "a line round everything selects everything"
        page.get_by_role("button", name="Select none").click()
        assert page.get_by_text(f"{count} selected").count() == 0


def test_three_dimensions_and_colours(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        canvas = page.locator("canvas.points")
        flat = canvas.screenshot()
        page.get_by_role("button", name=re.compile("2-D")).click()
        page.get_by_role("button", name=re.compile("3-D")).wait_for()
        deep = canvas.screenshot()
        page.get_by_label("Colour by").select_option("level")
        page.locator(".ramp").wait_for()
        assert len({flat, deep, canvas.screenshot()}) == 3


def test_the_slider_moves_every_point_without_asking(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        visit(page, address, "operators")
        page.locator(".result h2").wait_for()
        page.get_by_label("Move every point").check()
        page.wait_for_load_state("networkidle")
        plans: list[str] = []
        page.on("request", lambda request: plans.append(request.url) if request.url.endswith(("plan", "points")) else None)
        canvas, slider = page.locator("canvas.points"), page.get_by_role("slider").first
        before = canvas.screenshot()
        slider.focus()
        with page.expect_response("**/api/operate"):
            for _ in range(16):
                page.keyboard.press("ArrowLeft")
        assert page.locator(".slider output").first.inner_text() == "−8.0 dB"
        assert canvas.screenshot() != before and not plans
        page.get_by_text("from the truth").wait_for()
        assert page.locator(".result tbody tr").count() == 8
        assert page.get_by_role("button", name="Play after, truly done").count() == 1


def test_an_operator_without_certificate_is_off_and_says_why(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        space = page.evaluate("fetch('api/space').then(answer => answer.json())")
        space["operators"][1] |= {"certified": False, "why": "R² 0.12: no simple operator"}
        page.route("**/api/space", lambda route: route.fulfill(json=space))
        page.reload()
        visit(page, address, "operators")
        off = page.get_by_role("radio", name=space["operators"][1]["title"])
        assert off.is_disabled() and page.get_by_text("R² 0.12: no simple operator").is_visible()


def test_stems_are_mixed_and_one_is_taken_out(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        visit(page, address, "mixer")
        page.set_input_files("#stems", stems()[:3])
        page.get_by_text("sum of the stems' latents").wait_for()
        page.get_by_role("button", name="Take out").nth(1).click()
        page.get_by_role("heading", name="Without").wait_for()
        assert page.locator(".rest tbody tr").count() == 5
        level = page.get_by_role("slider").first
        level.focus()
        with page.expect_response(re.compile("/api/mix/")) as answer:
            page.keyboard.press("ArrowLeft")
        assert answer.value.json()["stems"][0]["gain"] == -0.5


def test_what_is_no_sound_is_declined(browser: Any, address: str) -> None:
    with opened(browser, address, quiet=False) as page:
        visit(page, address, "mixer")
        page.set_input_files("#stems", [{"name": f"{k}.wav", "mimeType": "audio/wav", "buffer": b"no sound"} for k in "ab"])
        page.get_by_role("alert").filter(has_text="a.wav").wait_for()


def test_a_song_is_turned_by_keys_and_by_hand(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        visit(page, address, "ring")
        ring = page.locator("svg.ring")
        ring.focus()
        page.keyboard.press("ArrowRight")
        assert ring.get_attribute("aria-valuenow") == "1"
        page.get_by_text("turned by 1 fifth ").wait_for()
        page.locator("canvas.roll").nth(1).wait_for()
        box, needle = ring.bounding_box(), page.locator(".needle circle.now").bounding_box()
        across = [2 * (box[a] + box[b] / 2) - needle[a] - needle[b] / 2 for a, b in (("x", "width"), ("y", "height"))]
        page.mouse.move(needle["x"] + needle["width"] / 2, needle["y"] + needle["height"] / 2)
        page.mouse.down()
        page.mouse.move(*across, steps=12)
        page.mouse.up()
        assert abs(int(ring.get_attribute("aria-valuenow")) - 1) >= 5, "half round is six fifths"


def test_parts_can_be_heard(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        visit(page, address, "parts")
        page.get_by_text("stays unexplained").wait_for()
        page.get_by_role("button", name=re.compile("^Play")).last.click()
        page.get_by_role("button", name=re.compile("^Stop")).wait_for()


def test_the_certificate_is_read_and_saved(browser: Any, address: str, library: Any) -> None:
    with opened(browser, address) as page:
        visit(page, address, "certificate")
        assert page.locator(".judgement .verdict").inner_text() == library.certificate["verdict"]
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save the page").click()
        assert b"<html" in Path(saved.value.path()).read_bytes()


def test_faders_tell_their_side_effects_before_they_are_moved(browser: Any, address: str) -> None:
    from oplas.studio.schema import Fader

    one = Fader(name="brightness", unit="", min=-2, max=2, step=0.1, response=[(-2, -1.0), (0, 0.0), (2, 1.0)],
                side={"loudness": 0.04}, certified=True, why="holds")  # fmt: skip
    off = one.model_copy(update={"name": "tempo", "certified": False, "why": "its side effects are as large as its effect"})
    with opened(browser, address) as page:
        space = page.evaluate("fetch('api/space').then(answer => answer.json())")
        space["has"]["faders"] = True
        page.route("**/api/space", lambda route: route.fulfill(json=space))
        page.route("**/api/faders", lambda route: route.fulfill(json=[each.model_dump() for each in (one, off)]))
        page.reload()
        visit(page, address, "faders")
        assert page.get_by_role("row", name="loudness 0.04").count() == 2
        assert page.get_by_text(off.why).is_visible() and page.get_by_role("button", name="Apply all the same").count() == 1


def test_a_search_is_answered_refused_or_pointed_at(browser: Any, address: str) -> None:
    from oplas.studio.schema import Found, Hit

    answer = Found(hits=[Hit(i=3, name="three", distance=0.5)], candidates=[3, 4], count=2, level=0.9, p=0.004, refused=None,
                   why="", place=None)  # fmt: skip
    refusal = answer.model_copy(update={"hits": [], "candidates": None, "refused": "out of the certified range"})
    with opened(browser, address, quiet=False) as page:
        choose(page)
        box = page.get_by_role("searchbox")

        def ask(expression: str, status: int = 200, **body: Any) -> Any:
            page.unroute_all()
            page.route("**/api/search", lambda route: route.fulfill(status=status, json=body))
            box.fill(expression)
            with page.expect_request("**/api/search") as request:
                box.press("Enter")
            return request.value.post_data_json

        assert re.fullmatch(r"#\d+ - #1", ask("chosen - #1", **answer.model_dump())["expression"])
        page.get_by_text("2 candidates").wait_for()
        assert page.get_by_text("p = 0.004").is_visible()
        ask("far", **refusal.model_dump())
        page.locator(".answer").get_by_text("out of the certified range").wait_for()
        ask("mix & drums", 422, error="unexpected &", at=4)
        assert page.locator(".pointed mark").inner_text() == "&" and box.get_attribute("aria-invalid") == "true"


def test_the_real_server_answers_a_search(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        visit(page, address, "map?q=band03/mix@6+-+band03/drums@6")
        page.get_by_text("Nearest to the query").wait_for()
        assert page.locator(".answer tbody tr").first.get_by_role("button").first.inner_text() == "band03/mix-drums@6"
        assert page.get_by_text("with probability 90 %").is_visible()


def test_all_of_it_by_keys_alone(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        seen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate("""() => { const e = document.activeElement; const r = getComputedStyle(e);
                return [e.tagName, e.textContent.slice(0, 30) || e.id, r.outlineStyle !== 'none' && r.outlineWidth !== '0px']; }""")
            )
            if seen[-1][0] == "CANVAS":
                break
        assert [name for tag, name, _ in seen if tag == "A"][:3] == ["Skip to the view", "oplas studio", "Map"]
        assert all(visible for *_, visible in seen), f"focus is not seen on {[each for each in seen if not each[2]]}"
        page.keyboard.press("Enter")
        page.locator(".chosen h2").wait_for()
        view = page.locator("canvas.points").screenshot()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("+")
        assert page.locator("canvas.points").screenshot() != view


def test_a_theme_is_kept(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        page.get_by_role("button", name="Dark theme").click()
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_server_that_has_gone_is_told_and_waited_for(browser: Any, library: Any) -> None:
    with serving(library) as first:
        context = browser.new_context(viewport=LAPTOP)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(first)
        page.wait_for_selector("html[data-ready]")
    page.locator("canvas.points").focus()
    page.keyboard.press("Enter")
    page.locator("#banner").get_by_text("does not answer").wait_for()
    with serving(library, int(first.rsplit(":", 1)[1])):
        page.locator("#banner p").wait_for(state="detached")
        page.wait_for_selector("html[data-ready]")
    context.close()


def test_the_bundle_is_small_and_makes_no_code() -> None:
    files = {file.name: file.read_bytes() for file in STATIC.iterdir()}
    assert sum(map(len, files.values())) < 1_200_000 and not [name for name in files if name.endswith(".map")]
    code = b"".join(body for name, body in files.items() if name.endswith(".js"))
    assert b"sourceMappingURL" not in code and not re.search(rb"\beval\(|new Function\b|Function\.apply", code)
    assert not re.search(rb"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", files["index.html"])
