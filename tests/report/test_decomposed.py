"""The page of parts carries its sounds and pictures with it, lets nothing in, and says what it did to them."""

import io
import re
from base64 import b64decode, b64encode
from hashlib import sha256

import numpy as np
import pytest
import soundfile
import torch

from oplas._errors import DataError
from oplas.decompose.listening import Heard
from oplas.report.decomposed import sounds_page, spectrum, write_page

RATE = 8_000
TONE = torch.sin(torch.arange(RATE) * (2 * torch.pi * 1000 / RATE))
SOUNDS = [
    Heard("The song", "mix", "as it is", 2 * TONE),
    Heard("Parts", "a <b>", "half", 0.5 * TONE),
    Heard("Parts", "c", "", 0 * TONE),
]


def sounds(html: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:audio/flac;base64,([^"]+)"', html)
    return [soundfile.read(io.BytesIO(b64decode(each)))[0] for each in found]


def test_sounds_are_kept_in_proportion_and_what_was_turned_down_is_told():
    html = sounds_page(SOUNDS, RATE, "a song")
    mix, part, silence = sounds(html)
    assert np.allclose(mix, 4 * part, atol=1e-3) and np.abs(mix).max() < 1 and not silence.any()
    assert "6.2 dB more quietly" in html and "silent" in html
    assert "more quietly" not in sounds_page(SOUNDS[1:], RATE, "a song")


def test_a_tone_is_drawn_at_its_own_height():
    height = int(spectrum(TONE, RATE)[:, 10].argmax())
    assert 40 * (RATE / 2 / 40) ** (height / 127) == pytest.approx(1000, rel=0.04)
    assert spectrum(TONE[:20], RATE).isfinite().all()


def test_each_sound_has_a_picture_a_player_and_a_name_under_its_heading():
    html = sounds_page(SOUNDS, RATE, "a <i>song</i>", [("<u>", "figure", "meaning")])
    assert html.count('<img alt="Spectrogram of ') == html.count("<audio controls") == html.count('<h3 id="sound-') == 3
    assert html.count("<section>") == html.count("</section>") == html.count("<h2>") == 2
    assert "a &lt;b&gt;" in html and "&lt;u&gt;" in html and not re.search(r"<(b|i|u)>(?!<)\w*[^<]*song", html)


def test_the_page_allows_its_own_script_alone_and_fetches_nothing():
    html = sounds_page(SOUNDS, RATE, "a song")
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(script) == 1 and b64encode(sha256(script[0].encode()).digest()).decode() in html.split("<title>")[0]
    assert "default-src 'none'" in html and not re.search(r"(src|href)=\"(?!data:)", html)


def test_the_page_is_written_whole_and_not_for_nothing(tmp_path):
    assert write_page(SOUNDS, RATE, tmp_path / "index.html", "a song").read_text().endswith("</html>\n")
    with pytest.raises(DataError, match="nothing to listen to"):
        write_page([], RATE, tmp_path / "none.html", "a song")
    assert not (tmp_path / "none.html").exists()
