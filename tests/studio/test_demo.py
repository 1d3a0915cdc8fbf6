"""The demo opens as it is shipped, and its figures are what it says they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("fastapi")

from oplas.studio import asked, schema
from oplas.studio.circle import PLACES
from oplas.studio.demo import SEED, demo, heard, song_of
from oplas.studio.reported import reported
from oplas.studio.studio import Studio


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPLAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Studio(demo())


def test_its_latents_are_those_of_its_sound(shown) -> None:
    library = shown.library
    some = list(range(0, 60, 7))
    again = library.embed(np.stack([library.source.sound(i) for i in some]))
    spread = np.linalg.norm(library.z - library.z.mean(0), axis=1).mean()
    assert np.abs(again - library.z[some]).max() < 0.01 * spread  # kept in half precision
    assert library.certificate["verdict"] == "holds"


def test_a_stem_taken_away_is_found(shown) -> None:
    found = shown.search(asked.Search(expression="band03/mix@6 - band03/drums@6", k=5))
    assert found.hits[0].name == "band03/mix-drums@6"
    assert found.hits[0].i in found.candidates
    assert found.level == 0.9
    assert found.p < 0.05
    far = shown.search(asked.Search(expression="band01/mix@3 - band09/lead@3"))
    assert far.refused.startswith("out of the certified range")
    assert far.hits == []


def test_songs_lie_on_the_ring_by_their_key_and_turn(shown) -> None:
    songs = shown.circle.ring().songs
    right = [PLACES[round(song.angle / (2 * math.pi / 12)) % 12].split(" ")[0] for song in songs]
    names = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
    true = [names[song_of(index).signature] for index in range(4)]
    assert sum(a == b for a, b in zip(right, true, strict=False)) == 4
    turned = shown.circle.turn(2, 3, 4)
    assert turned.distance < 1e-9  # transposition turns the latent, exactly
    assert math.remainder(turned.angle - songs[2].angle - 3 * math.pi / 6, 2 * math.pi) == pytest.approx(0, abs=1e-6)
    assert (turned.semitones - 21) % 12 == 0
    assert 2 not in [song.song for song in turned.nearest]


def test_a_roll_is_cut_to_its_window_and_its_part(shown) -> None:
    library = shown.library
    bass = library.names.index("band02/bass@3")
    score = library.source.score(bass)
    assert {score.notes.parts[part] for part in score.notes.part.tolist()} == {"bass"}
    assert float(score.notes.onset.min()) >= 0
    assert score.notes.beats <= 3.0 * score.tempo / 60 + 1e-6
    assert library.source.score(library.names.index("band02/drums@3")) is None
    assert heard("mix-drums", "bass")
    assert not heard("bass", "drums")


def test_a_fader_tells_before_it_moves_and_refuses_beyond(shown) -> None:
    faders = {fader.name: fader for fader in shown.faders()}
    level = faders["level"]
    assert level.response[0][0] == level.min
    assert set(level.side) >= {"drums", "bass"}
    inside = shown.fade("level", asked.Fade(i=[0, 1], amount=level.max))
    assert inside.refused is None
    beyond = shown.fade("level", asked.Fade(i=[0], amount=3 * level.max))
    assert "beyond" in beyond.refused
    assert np.allclose(beyond.moved, [shown.map.place(shown.library.z[0])])


def test_its_certificate_is_a_page(shown) -> None:
    html = reported(shown.library)
    assert "holds" in html
    assert "<script" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")


def test_the_info_is_json(shown) -> None:
    info = schema.SpaceInfo(**shown.info.model_dump())
    assert info.demo
    assert info.has == schema.Has(ring=True, faders=True, certificate=True, audio=True, rolls=True)
    assert SEED == 1
