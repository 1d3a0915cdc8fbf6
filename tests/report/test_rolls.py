"""The page of piano rolls carries all it needs, and nothing that is not meant."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from oplas._errors import ArtefactError
from oplas.data import Notes
from oplas.measure.notes import note_score
from oplas.report.rolls import rolls_page, write_page
from oplas.through import Passage

BEFORE = Notes.of([(0.0, 1.0, 60), (1.0, 1.0, 64)], parts=("</script><b>&",))
TRUE, FOUND = BEFORE.transpose(2), Notes.of([(0.0, 1.0, 62), (1.0, 1.0, 65)], parts=BEFORE.parts)
PASSAGE = Passage(BEFORE, FOUND, TRUE, note_score(FOUND, TRUE))


def data(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found is not None
    held = json.loads(found[1])
    assert isinstance(held, dict)
    return held


def test_wrong_and_missing_notes_are_marked():
    lanes = data(rolls_page(PASSAGE, "a song"))["lanes"]
    assert [[note[2:6:3] for note in lane] for lane in lanes] == [[[60, 0], [64, 0]], [[62, 0], [65, 1]], [[62, 0], [66, 1]]]


def test_the_page_allows_its_own_script_alone_and_fetches_nothing():
    html = rolls_page(PASSAGE, "a <b> & song")
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(script) == 1 and b64encode(sha256(script[0].encode()).digest()).decode() in html.split("<title>")[0]
    assert "default-src 'none'" in html and not re.search(r"(src|href)=\"(?!data:)", html)
    assert "a &lt;b&gt; &amp; song" in html and "<b>&" not in html and "0.5000" in html


def test_what_plays_has_a_name_and_can_be_reached_by_keyboard():
    html = rolls_page(PASSAGE, "a song")
    assert html.count('<button type="button"') == html.count('tabindex="0"') == html.count('role="img" aria-label=') == 3


def test_the_page_is_written_whole_or_not_at_all(tmp_path):
    assert write_page(PASSAGE, tmp_path / "page.html", "a song").read_text().endswith("</html>\n")
    with pytest.raises(ArtefactError):
        write_page(PASSAGE, tmp_path / "page.html" / "below.html", "a song")
