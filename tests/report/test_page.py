"""A page shows what was measured, invents nothing, needs nobody, and can be read by anybody."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from oplas._errors import DataError
from oplas.certificate import Certificate
from oplas.report import page, write
from oplas.report.words import CONTROLS, PLOTS, VERDICTS, figure, rule, share

NAN = float("nan")
VOID = {"meta", "link", "wbr"}


@pytest.fixture(scope="module")
def html(certificate: Certificate) -> str:
    return page(certificate)


class Outline(HTMLParser):
    """Tags, ids and text; refuses what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def test_needs_nobody(html: str) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|<script|\son\w+=", html)
    outline = Outline(html)
    for tag, attributes in outline.tags:
        for name in ("src", "href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:")), (tag, target)


def test_ids_are_unique_and_found(html: str) -> None:
    ids = [attributes["id"] for _, attributes in Outline(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="|url\()#([\w-]+)|aria-labelledby="([^"]+)"', html)
    assert wanted
    assert {a or b for a, b in wanted} <= set(ids)


def test_says_all(certificate: Certificate, html: str) -> None:
    text = " ".join(Outline(html).text)
    assert certificate.why in text and certificate.law in text
    for row in certificate.rows:
        assert row.space in text
    for told in ("0.922", "−20.4", "0.822 … 1.022", "g 1.92", "0.61 %", "log_mel-1234", "band-0", "torch 2.13", "2e−16", "0.310"):
        assert told in text, told
    for heading, meaning in PLOTS.values():
        assert heading in text and meaning in text
    assert rule()["partly"] in text
    assert CONTROLS["collapsed"] in text


def test_what_was_not_measured_is_a_dash(certificate: Certificate) -> None:
    nothing = {"exponent": NAN, "r2": NAN}
    bare = replace(
        certificate,
        homogeneity=nothing,
        code_r2=NAN,
        plots={},
        axioms={"status": "none: no exact inverse"},
        by_count={},
        residuals={},
    )
    html = page(bare)
    text = " ".join(Outline(html).text)
    assert "<svg" not in html
    assert text.count("– not measured") == len(PLOTS)
    assert "way back to the encoder's codes was not measured" in text and "6 songs are too few" in text
    assert not re.search(r"\b(nan|inf|None|null)\b", text)
    collapsed = re.search(r'<th scope="row">collapsed</th>((?:<td>[^<]*</td>)+)', html)
    assert collapsed and collapsed[1].startswith("<td>–</td><td>–</td><td>–</td><td>–</td><td>0.000</td>")


def test_a_certificate_read_back_from_json_looks_the_same(certificate: Certificate) -> None:
    unmeasured: Any = None
    row = replace(certificate.rows[2], r2=unmeasured, defect=unmeasured)
    conformal = {"level": 0.9, "bound": unmeasured, "songs": 6}
    nulled = replace(certificate, plots={}, conformal=conformal, rows=(*certificate.rows[:2], row))
    assert "too few" in page(nulled) and "None" not in page(nulled)


def test_a_poor_fit_of_the_gain_is_no_finding(certificate: Certificate) -> None:
    assert "No power of a gain" in page(replace(certificate, plots={}, homogeneity={"exponent": -1.0, "r2": -0.05}))


def test_a_bound_is_rounded_up(certificate: Certificate) -> None:
    html = page(replace(certificate, plots={}, conformal={"level": 0.9, "bound": 0.17201, "songs": 10}))
    assert "&lt; 0.173" in html and "below 0.173 in 90 % of cases" in html


def test_hostile_words_stay_words(certificate: Certificate) -> None:
    bad = '<script>alert("$x^$")</script>&\'"'
    hostile = replace(
        certificate, verdict=bad, why=bad, law=bad, data=bad, encoder={"name": bad, "identity": bad}, versions={bad: bad},
        rows=tuple(replace(row, space=bad + row.space) for row in certificate.rows),
        plots={"defects": {bad: [0.1, 0.3], "other": [1.0]}}, axioms={"status": "exact", bad: 1.0},
        residuals={bad: {"rms": 1.0, "status": bad}},
    )  # fmt: skip
    html = page(hostile, [(bad, b"OggS....")], bad)
    assert "<script" not in html and "alert(" in html
    assert all(not name.startswith("on") for _, attributes in Outline(html).tags for name in attributes)


def test_sounds_are_inside(certificate: Certificate, tmp_path: Path) -> None:
    (tmp_path / "mix.ogg").write_bytes(b"OggS....")
    certificate = replace(certificate, plots={})
    html = page(certificate, [("the mix", tmp_path / "mix.ogg"), ("drums", b"RIFF....")])
    sources = [attributes["src"] or "" for tag, attributes in Outline(html).tags if tag == "audio"]
    assert [each.split(";")[0] for each in sources] == ["data:audio/ogg", "data:audio/wav"]
    assert "<audio" not in page(certificate)


@pytest.mark.parametrize(("sound", "told"), [(b"%PDF", "no WAV"), (b"", "no WAV"), ("gone.wav", "gone.wav")])
def test_a_sound_that_is_none_is_refused(certificate: Certificate, sound: bytes | str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        page(replace(certificate, plots={}), [("mix", sound)])


def test_every_verdict_has_its_rule_from_the_certifier() -> None:
    assert set(rule()) == set(VERDICTS)
    assert all(rule().values())


def test_numbers_as_they_are_read() -> None:
    assert [figure(each) for each in (NAN, None, "0", True)] == ["–"] * 4
    assert [figure(each) for each in (0, 0.0, -0.0001, -1911.7)] == ["0", "0.000", "0.000", "−1912"]
    assert [share(each) for each in (NAN, 0.0, 1 / 3058, 0.55)] == ["–", "0 %", "0.033 %", "55 %"]


def test_seen_in_a_browser(certificate: Certificate, browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    sound = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\x08\0\0\0" + bytes(8)
    file = write(certificate, tmp_path / "report", [("mix", sound)])
    paper = set()
    for width, scheme in ((390, "light"), (1280, "light"), (390, "dark")):
        browser.open(file, width, scheme=scheme)
        assert browser.complaints == []
        assert browser.fetched == [file.resolve().as_uri()]
        assert browser.ask("document.documentElement.scrollWidth") <= width
        assert browser.ask("document.querySelectorAll('figure svg').length") == len(PLOTS)
        heights = "[...document.querySelectorAll('figure svg')].map(e => e.getBoundingClientRect().height)"
        assert min(browser.ask(heights)) > 200
        paper.add(browser.ask("getComputedStyle(document.body).backgroundColor"))
        assert browser.picture().startswith(b"\x89PNG")
    assert len(paper) == 2
    reached = set()
    for _ in range(12):
        browser.tab()
        reached.add(browser.ask("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert {"AUDIO.", "DIV.scroll", "DIV.scroll narrow"} <= reached
