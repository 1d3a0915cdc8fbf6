"""What the page is told is what is there: every route of the schema, on a library whose truth is known."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from studio_fakes import RATE, library, tone, wav_of

from oplas.studio import schema


@pytest.fixture
def page(client):
    return client()


def heard(answer) -> np.ndarray:
    assert answer.headers["content-type"] == "audio/wav"
    return soundfile.read(io.BytesIO(answer.content), dtype="float32")[0]


def test_the_space_tells_what_it_holds(page) -> None:
    info = schema.SpaceInfo(**page.get("/api/space").json())
    assert (info.kind, info.count, info.seconds, info.width) == ("audio", 12, 3.0, 288)
    assert [(law.name, law.verdict) for law in info.laws] == [("Mix → Sum", "holds")]
    assert [(deed.name, deed.certified) for deed in info.operators] == [("gain", True), ("add", True), ("remove", True)]
    assert {column.name: column.kind for column in info.columns} == {"part": "category", "song": "category", "level": "number"}
    assert info.has == schema.Has(ring=False, faders=False, certificate=True, audio=True, rolls=False)


@pytest.mark.parametrize("axes", [2, 3])
def test_the_map_is_the_principal_axes(page, studio, axes) -> None:
    places = np.frombuffer(page.get(f"/api/points?axes={axes}").content, "<f4").reshape(-1, axes)
    z = studio.library.z - studio.library.z.mean(0)
    value = np.linalg.svd(z, compute_uv=False)[:axes]
    assert np.allclose(np.linalg.norm(places, axis=0), value, rtol=1e-4)


def test_columns_hold_one_entry_a_point_and_null_where_unknown(page) -> None:
    part = schema.ColumnData(**page.get("/api/column/part").json())
    assert [part.categories[code] for code in part.codes[:3]] == ["low", "middle", "high"]
    assert page.get("/api/column/level").json()["values"][:2] == [None, 1.0]
    assert page.get("/api/column/none").status_code == 404


def test_a_point_tells_what_is_known_of_it(page) -> None:
    point = schema.Point(**page.get("/api/point/0").json())
    assert (point.name, point.start, point.audio, point.roll) == ("song0/low@0", 0.0, True, False)
    assert point.values == {"part": "low", "song": "song0", "level": None}
    assert page.get("/api/point/12").status_code == 422
    assert page.get("/api/point/-1").status_code == 400
    assert page.get("/api/point/0/roll").status_code == 404


def test_sound_comes_whole_or_in_ranges(page) -> None:
    whole = page.get("/api/point/4/audio")
    assert np.allclose(heard(whole), tone(4), atol=1e-4)
    for asked, span in (("0-43", (0, 44)), ("44-", (44, None)), ("-10", (-10, None)), ("10-999999999", (10, None))):
        some = page.get("/api/point/4/audio", headers={"range": f"bytes={asked}"})
        assert some.status_code == 206
        assert some.content == whole.content[slice(*span)]
    assert page.get("/api/point/4/audio", headers={"range": "bytes=99999999-"}).status_code == 416
    assert page.get("/api/point/4/audio", headers={"range": "bytes=a-b"}).status_code == 200


def test_neighbours_are_the_nearest_in_order_and_not_the_point_itself(page, studio) -> None:
    hits = page.post("/api/neighbours", json={"i": 3, "k": 5}).json()
    far = np.linalg.norm(studio.library.z - studio.library.z[3], axis=1)
    assert [hit["i"] for hit in hits] == [i for i in far.argsort() if i != 3][:5]
    by_latent = page.post("/api/neighbours", json={"z": studio.library.z[3].tolist(), "k": 1}).json()
    assert by_latent[0]["i"] == 3
    assert by_latent[0]["distance"] < 1e-6
    assert len(page.post("/api/neighbours", json={"i": 0, "k": 200}).json()) == 11


def test_an_operator_moves_points_and_the_true_action_agrees(page) -> None:
    moved = schema.Moved(**page.post("/api/operate", json={"i": [0, 1], "operator": "gain", "parameters": {"gain": -6}}).json())
    assert len(moved.moved) == 2
    assert moved.certified
    assert moved.refused is None
    assert moved.truth.known
    assert moved.truth.r2 > 0.999999  # powers scale with the square of a gain, exactly
    assert moved.truth.distance < 1e-4 * moved.truth.stayed
    assert np.allclose(moved.truth.place, moved.moved[0], atol=1e-3)
    quieter = heard(page.get(moved.truth.audio))
    assert np.allclose(quieter, tone(0) * 10 ** (-6 / 20), atol=1e-4)


def test_a_sound_added_and_taken_away_is_near_the_true_mix(page) -> None:
    added = page.post("/api/operate", json={"i": [0], "operator": "add", "parameters": {"with": 1}}).json()
    assert added["truth"]["r2"] > 0.99
    assert np.allclose(heard(page.get(added["truth"]["audio"])), tone(0) + tone(1), atol=1e-4)
    assert page.post("/api/operate", json={"i": [0], "operator": "add", "parameters": {"with": 99}}).status_code == 422


@pytest.mark.parametrize("axes", [2, 3])
def test_a_plan_holds_where_every_point_is_at_every_knot(page, axes) -> None:
    answer = page.post("/api/operate/plan", json={"operator": "gain", "i": [5, 2], "axes": axes})
    knots = [float(each) for each in answer.headers["x-oplas-knots"].split(",")]
    path = np.frombuffer(answer.content, "<f4").reshape(len(knots), 2, axes)
    for knot in (0, len(knots) - 1):
        asked = {"i": [5, 2], "operator": "gain", "parameters": {"gain": knots[knot]}, "axes": axes}
        assert np.allclose(path[knot], page.post("/api/operate", json=asked).json()["moved"], atol=1e-4)
    assert len(page.post("/api/operate/plan", json={"operator": "gain"}).content) == len(knots) * 12 * 2 * 4


def test_an_operator_without_certificate_says_so(monkeypatch) -> None:
    from oplas.studio.bench import deeds

    plain = library()
    plain.certificate = None
    assert {deed.certified for deed in deeds(plain).values()} == {False}
    assert all("not measured" in deed.why or "no certificate" in deed.why for deed in deeds(plain).values())


def test_an_expression_is_answered_and_its_errors_point_at_the_character(page) -> None:
    found = schema.Found(**page.post("/api/search", json={"expression": "song0/low + song0/middle - song0/low", "k": 3}).json())
    assert len(found.hits) == 3
    assert found.candidates is None
    assert "oplas calibrate" in found.why
    assert 0 < found.p <= 1
    assert len(found.place) == 2
    assert page.post("/api/search", json={"expression": "#4", "k": 1}).json()["hits"][0]["i"] % 3 == 1  # of its own band
    wrong = page.post("/api/search", json={"expression": "song0/low + + song1/low"}).json()
    assert wrong["at"] == 12
    unknown = page.post("/api/search", json={"expression": "song0/lo"})
    assert unknown.status_code == 422
    assert "did you mean" in unknown.json()["error"]
    lawless = page.post("/api/search", json={"expression": "transpose(song0/low, 2)"}).json()
    assert "transpose needs a law" in lawless["error"]
    assert lawless["at"] == 0


def test_a_mix_is_near_the_sum_of_its_stems_and_the_rest_is_found(page) -> None:
    stems = [("files", (f"{i}.wav", wav_of(tone(i)), "audio/wav")) for i in (0, 4)]
    mix = schema.Mix(**page.post("/api/mix", files=stems, data={"gains": "0,0"}).json())
    assert mix.relative < 0.05
    assert all(mix.distance < control.distance for control in mix.controls)
    assert np.allclose(heard(page.get(mix.audio)), tone(0) + tone(4), atol=1e-4)
    assert np.allclose(heard(page.get(mix.stems[1].audio)), tone(4), atol=1e-4)
    moved = schema.Mix(**page.post(f"/api/mix/{mix.id}", json={"gains": [0, -12], "removed": [0]}).json())
    assert [stem.gain for stem in moved.stems] == [0, -12]
    assert moved.rest.distance < moved.controls[-1].distance
    assert np.allclose(heard(page.get(moved.rest.audio)), tone(4) * 10 ** (-12 / 20), atol=1e-4)
    assert page.post(f"/api/mix/{mix.id}", json={"gains": [0]}).status_code == 422
    assert page.post(f"/api/mix/{mix.id}", json={"gains": [0, 0], "removed": [0, 1]}).status_code == 422
    assert page.post("/api/mix/gone", json={"gains": [0, 0]}).status_code == 404
    assert page.get(f"/api/mix/{mix.id}/stem/7").status_code == 404


def test_stems_of_any_kind_rate_and_length_are_mixed(page) -> None:
    import soxr

    wide = soxr.resample(tone(1, 2.0), RATE, 44100)
    stems = [("files", ("a.flac", wav_of(np.stack([wide, wide], 1), 44100, "FLAC"), "audio/flac")),
             ("files", ("b.ogg", wav_of(tone(0, 5.0), RATE, "OGG"), "audio/ogg"))]  # fmt: skip
    mix = page.post("/api/mix", files=stems).json()
    assert mix["seconds"] == pytest.approx(5.0, abs=0.01)
    assert [stem["seconds"] for stem in mix["stems"]] == pytest.approx([2.0, 5.0], abs=0.01)


def test_the_oldest_mix_gives_way(studio, monkeypatch) -> None:
    monkeypatch.setattr("oplas.studio.mixes.BYTES", 100_000)
    first, second = (studio.mixer.keep(["a", "b"], [np.ones(8000, np.float32)] * 2) for _ in range(2))
    with pytest.raises(KeyError):
        studio.mixer.get(first.id)
    assert studio.mixer.get(second.id) is second


def test_a_mix_is_taken_apart_and_what_is_left_is_said(page, studio) -> None:
    parts = schema.Parts(**page.post("/api/parts", json={"i": 0}).json())
    assert 0 <= parts.unexplained <= 1
    assert all(a.left > b.left for a, b in zip(parts.parts, parts.parts[1:], strict=False))
    assert 0 not in [part.i for part in parts.parts]
    assert parts.unexplained == (parts.parts[-1].left if parts.parts else 1.0)


def test_views_without_content_say_why(page) -> None:
    ring = page.get("/api/ring").json()
    assert ring == {"available": False, "why": ring["why"], "labels": [], "songs": []}
    assert "no notes" in ring["why"]
    assert page.post("/api/ring/turn", json={"i": 0, "fifths": 1}).status_code == 422
    assert page.get("/api/faders").json() == []
    assert page.post("/api/faders/level", json={"i": [0], "amount": 1}).status_code == 422
    assert page.get("/api/certificate").json()["verdict"] == "holds"
