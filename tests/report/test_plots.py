"""Plots draw what was measured, leave out what was not, and keep no global state."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from oplas.certificate import Certificate
from oplas.report import figures, headline, png, svg
from oplas.report.drawing import PALETTE, colour

NAMES = ["pca", "defects", "retrieval", "spectrum"]


def test_all_four(certificate: Certificate) -> None:
    drawn = figures(certificate)
    assert list(drawn) == NAMES
    for name, figure in drawn.items():
        assert png(figure).startswith(b"\x89PNG")
        text = svg(figure, name, 'a "label"')
        assert text.startswith('<svg role="img" aria-label="a &quot;label&quot;"')
        assert "var(--ink)" in text and colour("ink") not in text


def test_the_same_certificate_draws_the_same(certificate: Certificate) -> None:
    once, again = ([svg(figure, name) for name, figure in figures(certificate).items()] for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_without_figures_is_left_out(certificate: Certificate, name: str) -> None:
    nothing = {
        "pca": {"mix": [[float("nan"), 0.0]], "sum": [[0.0, 0.0]]}, "defects": {"this space": [None]},
        "retrieval": {"rank": [1], "found": [None]}, "spectrum": [0.0, 0.0],
    }  # fmt: skip
    absent = {key: each for key, each in certificate.plots.items() if key != name}
    for plots in ({**certificate.plots, name: nothing[name]}, absent):
        assert list(figures(replace(certificate, plots=plots))) == [each for each in NAMES if each != name]


def test_defects_as_a_list_are_the_space_s_own(certificate: Certificate) -> None:
    figure = figures(replace(certificate, plots={"defects": [0.0, 0.1, 0.5]}))["defects"]
    assert figure.axes[0].get_legend_handles_labels()[1] == ["this space"]


def test_every_defect_is_in_its_histogram(certificate: Certificate) -> None:
    for values in ([0.0, 1e-9, 0.3, 1e5], [1e-3], [7.0, 9.0]):
        figure = figures(replace(certificate, plots={"defects": {"this space": values}}))["defects"]
        filled = figure.axes[0].patches
        assert max(vertex[1] for patch in filled for vertex in patch.get_path().vertices) > 0
        bars = [patch for patch in filled if hasattr(patch, "get_height")]
        assert sum(bar.get_height() for bar in bars) == pytest.approx(100)


def test_ranks_beyond_the_candidates_are_not_drawn(certificate: Certificate) -> None:
    axes = figures(certificate)["retrieval"].axes[0]
    assert max(axes.get_lines()[0].get_xdata()) == 100


def test_headline_with_and_without_before(certificate: Certificate) -> None:
    alone, both = headline(certificate), headline(certificate, certificate)
    assert len(alone.axes) == 3 and len(both.axes) == 4
    assert "−20.4" in both.axes[0].get_title() and "0.922" in both.axes[1].get_title()
    told = [text.get_text() for text in both.axes[2].texts]
    assert "−20.4" in told and "0.922" in told
    assert len(headline(certificate, {"mix": [[0.0, 1.0]], "sum": [[1.0, 1.0]]}).axes) == 4


@pytest.mark.parametrize("which", [0, 1])
def test_tones_are_legible_on_their_paper(which: int) -> None:
    """Contrast of WCAG 2.2: 4.5 for text, https://www.w3.org/TR/WCAG22/#contrast-minimum."""

    def light(tone: str) -> float:
        parts = [int(tone[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    paper = light(PALETTE["paper"][which])
    for name in ("ink", "muted", "space", "other", "third"):
        one, two = sorted((paper, light(PALETTE[name][which])))
        assert (two + 0.05) / (one + 0.05) >= 4.5, name


def test_plotting_comes_late_and_pyplot_never() -> None:
    code = (
        "import sys, oplas.report as r; from oplas.report.drawing import sheet\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "figure, _ = sheet(); r.svg(figure, 'x'); r.png(figure)\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
