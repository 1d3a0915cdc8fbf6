"""The studio and those who mean it ill: other pages, other hosts, other people's files, too much of everything."""

from __future__ import annotations

import asyncio
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from studio_fakes import RATE, tone, wav_of

from oplas import DataError
from oplas.studio import worker
from oplas.studio.app import guarded
from oplas.studio.files import Files, inside
from oplas.studio.words import without_paths

HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control")


def sent(*blobs: bytes, name: str = "stem.wav"):
    return [("files", (name, blob, "audio/wav")) for blob in blobs]


@pytest.fixture
def decoded(tmp_path):
    """Decodes bytes as an upload would be."""

    def run(blob: bytes, **options) -> np.ndarray:
        with (tmp_path / "upload").open("w+b") as file:
            file.write(blob)
            file.flush()
            file.seek(0)
            return worker.decode(file, "stem.wav", RATE, **options)

    return run


# other pages, other hosts


@pytest.mark.parametrize("path", ["/api/space", "/api/nothing", "/", "/static/nothing.js", "/certificate"])
def test_every_answer_has_the_headers(client, path) -> None:
    answer = client().get(path)
    assert all(name in answer.headers for name in HEADERS)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "script-src 'unsafe" not in policy
    assert answer.headers["cache-control"] == ("no-store" if path.startswith("/api") else "no-cache")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.1.9",
        "0.0.0.0",
        "",
        "[::1",
        "a@b",
        "127.1:80",
        "me@localhost",
        "localhost/x",
        "localhost:99999999",
    ],
)
def test_another_host_name_is_refused(client, host) -> None:
    assert client().get("/api/space", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8321", "LOCALHOST", "[::1]:8321", "127.0.0.1:1"])
def test_the_loopback_is_served_by_any_of_its_names(client, host) -> None:
    assert client().get("/api/space", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://localhost:8321"},
        {"origin": "http://[::1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/neighbours"), ("GET", "/api/point/0/audio")])
def test_another_page_is_refused(client, headers, method, path) -> None:
    answer = client().request(method, path, json={"i": 0} if method == "POST" else None, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_link_from_another_page_may_open_the_page_but_not_ask_for_data(client) -> None:
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client().get("/", headers=visit).status_code in {200, 503}
    assert client().get("/api/space", headers=visit).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_mean_nothing(client, method) -> None:
    assert client().request(method, "/api/space").status_code == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_that_any_page_could_send_is_refused(client, kind) -> None:
    assert client().post("/api/neighbours", content=b'{"i": 0}', headers={"content-type": kind}).status_code == 415


def test_websockets_are_closed(client) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/api/space"):
        pass


# the token


def test_beyond_the_loopback_nothing_is_told_without_the_token(client) -> None:
    page = client("http://192.168.1.9:8321", token="right")
    for path in ("/", "/api/space", "/static/app.js", "/certificate", "/api/point/0/audio"):
        answer = page.get(path)
        assert (answer.status_code, "192.168" in answer.text) == (401, False)
    for wrong in ("", "Right", "righ", "right ", "rightright", "é"):
        assert page.get("/", params={"token": wrong}).status_code == 401
        assert page.get("/api/space", headers={"authorization": f"Bearer {wrong}".encode()}).status_code == 401
    assert page.get("/api/space", params={"token": "right"}).status_code == 401  # only the page itself, once
    assert page.get("/api/space", headers={"authorization": "Bearer right"}).status_code == 200


def test_the_token_becomes_a_cookie_of_this_site_alone(client) -> None:
    page = client("http://192.168.1.9:8321", token="right")
    first = page.get("/", params={"token": "right"})
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= {word.strip() for word in first.headers["set-cookie"].split(";")}
    assert page.get("/api/space").status_code == 200
    assert page.get("/api/space", headers={"host": "evil.example"}).status_code == 421


def test_tokens_are_compared_in_constant_time(client, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr("oplas.studio.guard.hmac.compare_digest", lambda a, b: bool(seen.append((a, b))))
    client("http://192.168.1.9", token="right").get("/api/space", headers={"authorization": "Bearer guess"})
    assert seen == [(b"guess", b"right")]


# paths


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/%2e%2e%2fapp.py", "/static/..%5capp.py",
        "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/....//app.py", "/static/%00", "/static/app.js%00.css",
        "/../etc/passwd",
        "/api/column/..%2f..%2fetc%2fpasswd", "/api/mix/..%2f..%2fetc/audio", "/api/faders/..%2fx", "/static/" + "a/" * 3000,
    ],
)  # fmt: skip
def test_no_path_leads_out(client, path) -> None:
    answer = client().get(path)
    assert answer.status_code in {400, 404, 405, 421}
    assert "import" not in answer.text
    assert "root:" not in answer.text


def test_a_symlink_among_the_songs_leads_nowhere(tmp_path) -> None:
    songs, elsewhere = tmp_path / "songs", tmp_path / "elsewhere"
    songs.mkdir()
    elsewhere.mkdir()
    for place in (songs, elsewhere):
        (place / "one.wav").write_bytes(wav_of(tone(1)))
    (songs / "link.wav").symlink_to(elsewhere / "one.wav")
    (songs / "inner.wav").symlink_to(songs / "one.wav")
    (songs / "door").symlink_to(elsewhere)
    asked = [
        "one.wav",
        "inner.wav",
        "link.wav",
        "door/one.wav",
        "../elsewhere/one.wav",
        str(elsewhere / "one.wav"),
        "nothing.wav",
        ".",
    ]
    assert [inside(songs / each, songs) for each in asked] == [True, True, False, False, False, False, False, False]
    source = Files([Path(each) for each in asked], np.zeros(len(asked)), songs, RATE, 3 * RATE)
    assert np.abs(source.sound(0)).max() > 0.1
    for i in range(2, len(asked)):
        with pytest.raises(DataError, match="is not in the folder of songs"):
            source.sound(i)


def test_errors_name_no_path(client, studio, monkeypatch) -> None:
    def broken(i: int) -> np.ndarray:
        raise DataError("/home/some one/songs/secret place/a.wav is truncated; copy /srv/x/b.wav again")

    monkeypatch.setattr(studio.library.source, "sound", broken)
    answer = client(roots=[Path("/home/some one/songs")]).get("/api/point/0/audio")
    assert answer.status_code == 422
    assert answer.json()["error"] == "secret place/a.wav is truncated; copy b.wav again"
    monkeypatch.setattr(studio.library.source, "sound", lambda i: 1 / 0)
    answer = client().get("/api/point/0/audio")
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "the studio could not answer; its terminal says more", "at": None},
    )


def test_words_that_are_no_paths_stay() -> None:
    told = "R² 0.9 of and/or 1/2 at 3 s; see oplas.keys, C:\\Users\\me\\a.wav or ../up/b.wav"
    assert without_paths(told) == "R² 0.9 of and/or 1/2 at 3 s; see oplas.keys, a.wav or ../up/b.wav"


# too much


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"a":' * 50_000, b"{",
        b"\xff\xfe", b"", b'{"i": 1e400}', b'{"i": NaN}',
        b'{"i": 99999999999999999999999}', b'{"i": -1}',
        b'{"i": "0"}' * 2, b'{"i": [1]}', b'{"i": 0, "k": 1000000}', b'{"i": 0, "more": 1}', b'{"z": [1e999]}', b'{"z": []}',
        b"null", b"1" * 10_000, b'{"i": 0, "z": [0]}',
    ],
)  # fmt: skip
def test_malformed_bodies_are_told_so(client, body) -> None:
    answer = client().post("/api/neighbours", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert len(answer.text) < 600


def test_looking_for_depth_takes_time_in_proportion_to_length() -> None:
    from oplas.studio.guard import deeper

    for blob in (b'"\\' * 500_000, b'"' * 999_999, b'\\"' * 500_000, b'"' + b"a" * 1_000_000, b"[]" * 200_000):
        assert not deeper(blob, 32)
    assert deeper(b'"\\\\"' + b"[" * 33, 32)
    assert not deeper(b'"\\"' + b"[" * 33 + b'"', 32)


def test_numbers_beyond_reason_are_refused(client) -> None:
    page = client()
    for parameters in ({"gain": 1e9}, {"gain": -1e9}, {"loud": 0}, {"with": 0}):
        assert page.post("/api/operate", json={"i": [0], "operator": "gain", "parameters": parameters}).status_code == 422
    assert page.post("/api/operate", json={"i": [99], "operator": "gain"}).status_code == 422
    assert page.post("/api/operate", json={"i": [0], "operator": "no such"}).status_code == 422
    assert page.get("/api/point/0/audio?operator=gain&gain=inf").status_code == 422
    assert page.get("/api/point/0/audio?operator=gain&gain=x").status_code == 400
    assert page.post("/api/search", json={"expression": "(" * 1900}).status_code == 422
    assert page.post("/api/search", json={"expression": "a" * 2001}).status_code == 400


def test_a_body_larger_than_told_or_allowed_is_cut_off(client) -> None:
    page = client(json_bytes=1000, upload_bytes=10_000)
    kind = {"content-type": "application/json"}
    assert page.post("/api/neighbours", content=b" " * 2000, headers=kind).status_code == 413
    pieces = (b" " * 300 for _ in range(20))  # no length is told
    assert page.post("/api/neighbours", content=pieces, headers=kind).status_code == 413
    assert page.post("/api/neighbours", content=b"{}", headers={**kind, "content-length": "1" * 30}).status_code == 413
    assert page.post("/api/mix", files=sent(b"0" * 20_000, b"0")).status_code == 413


def test_a_body_that_drips_is_not_waited_for(studio) -> None:
    app = guarded(studio)
    app.patience = 0.05
    said: list[dict] = []

    async def ask() -> None:
        async def receive():
            await asyncio.sleep(5)

        async def send(message):
            said.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"10")]
        scope = {"type": "http", "method": "POST", "path": "/api/neighbours", "headers": headers, "query_string": b""}
        await app(scope, receive, send)

    asyncio.run(ask())
    assert said[0]["status"] == 408


def test_two_hundred_at_once_are_answered_or_put_off_and_none_is_lost(studio) -> None:
    app = guarded(studio)
    body = b'{"i": [0, 1, 2], "operator": "gain", "parameters": {"gain": -3.0}}'

    async def storm() -> list[int]:
        asked = [ask(app, "POST", "/api/operate", body) if n % 2 else ask(app, "GET", "/api/points") for n in range(200)]
        return await asyncio.gather(*asked)

    codes = asyncio.run(storm())
    assert set(codes) == {200, 503}
    assert codes.count(200) >= app.at_once
    assert app._busy == 0
    assert asyncio.run(ask(app, "POST", "/api/operate", body)) == 200


async def ask(app, method: str, path: str, body: bytes = b"") -> int:
    """The status of one answer, without a client that would wait its turn."""
    said: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message) -> None:
        said.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": headers, "query_string": b"",
        "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return said[0]["status"]


# uploads


def test_stems_are_taken_and_nothing_is_left_behind(client, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stems = [wav_of(tone(i, 4.0)) for i in (0, 1)]
    answer = client().post("/api/mix", files=sent(*stems, name="../../etc/pass wd.wav"), data={"gains": "0,-6"})
    assert answer.status_code == 200
    assert [each["name"] for each in answer.json()["stems"]] == ["pass wd.wav"] * 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("blob", "fact"),
    [
        (b"", "empty"),
        (b"RIFF", "cut short|no audio"),
        (b"not a sound at all" * 100, "no audio"),
        (b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR." * 20, "no audio"),
        (wav_of(tone(0))[:-1000], "cut short"),
        (wav_of(np.zeros(RATE, np.float32)), "silent"),
        (b"RIFF" + struct.pack("<I", 0x7FFFFFF0) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
         + b"data" + struct.pack("<I", 0x7FFFFF00) + b"\0\1" * 100, "cut short|promises"),
        (b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 65535, 1, 2, 2, 16)
         + b"data" + struct.pack("<I", 0), "channels|no audio"),
        (b"RIFF\xff\xff\xff\xffWAVE" + (b"junk" + struct.pack("<I", 0)) * 5000, "cut short"),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"\0" * 5000, "no audio"),
        (wav_of(tone(0), kind="FLAC")[:3000], "cut short|damaged|no audio"),
        (wav_of(tone(0), kind="OGG")[:3000], "cut short|damaged|no audio|ok"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_sound_is_refused_with_the_fact(decoded, blob, fact) -> None:
    with pytest.raises(DataError, match=fact):
        decoded(blob)


def test_samples_that_are_no_numbers_are_refused(decoded) -> None:
    wave = np.array([0.1, np.nan, 0.2] * 1000, np.float32)
    out = io.BytesIO()
    import soundfile

    soundfile.write(out, wave, RATE, format="WAV", subtype="FLOAT")
    with pytest.raises(DataError, match="NaN"):
        decoded(out.getvalue())


@pytest.mark.parametrize(("kind", "seconds"), [("FLAC", 1200), ("OGG", 120)])
def test_long_silence_in_a_few_bytes_is_refused_before_it_is_sound(decoded, kind, seconds) -> None:
    bomb = bomb_of(kind, seconds)
    assert len(bomb) < 4 * 8000 * seconds / 50
    with pytest.raises(DataError, match=r"at most 60 s|longer than 60 s"):
        decoded(bomb, longest=60.0)


def test_a_header_that_hides_its_length_is_cut_off_when_the_length_shows(decoded) -> None:
    blob = bytearray(bomb_of("FLAC", 100))
    blob[8 + 13] &= 0xF0  # the number of samples, 36 bits, to "unknown"
    blob[8 + 14 : 8 + 18] = bytes(4)
    with pytest.raises(DataError, match=r"longer than 5 s|no audio|damaged|silent"):
        decoded(bytes(blob), longest=5.0)


def bomb_of(kind: str, seconds: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", 8000, 1, format=kind) as file:
        for _ in range(seconds // 10):
            file.write(np.zeros(80_000, np.float32))
    return out.getvalue()


def test_a_decoder_that_takes_too_long_is_killed(decoded, tmp_path, monkeypatch) -> None:
    slow = tmp_path / "_decode.py"
    slow.write_text(
        "import time, os, sys\nopen(sys.argv[0] + '.pid', 'w').write(str(os.getpid()))\nsys.stdout.write('x')\ntime.sleep(60)\n"
    )
    monkeypatch.setattr(worker, "__file__", str(tmp_path / "worker.py"))
    with pytest.raises(DataError, match="longer than 2 s"):
        decoded(b"x", patience=2.0)
    pid = int((tmp_path / "_decode.py.pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize(
    ("code", "fact"),
    [
        ("import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))", "takes too long or too much"),
        ("x = bytearray(4 << 30)", "takes too long or too much"),
        ("while True: pass", "takes too long or too much"),
        ("open('/tmp/left-behind', 'wb').write(b'x')", "takes too long or too much"),
    ],
)
def test_a_decoder_cannot_have_more_than_its_share(decoded, tmp_path, monkeypatch, code, fact) -> None:
    own = Path(worker.__file__).with_name("_decode.py").read_text()
    mine = own.partition("if __name__")[0].replace("CPU, CHANNELS", "CPU, CHANNELS").replace("1 << 30, 20,", "1 << 30, 1,")
    (tmp_path / "_decode.py").write_text(f"{mine}\nconfine()\n{code}\n")
    monkeypatch.setattr(worker, "__file__", str(tmp_path / "worker.py"))
    with pytest.raises(DataError, match=fact):
        decoded(b"x", longest=2.0)
    assert not Path("/tmp/left-behind").exists() or Path("/tmp/left-behind").stat().st_size == 0


def test_a_third_decoder_is_not_started(decoded) -> None:
    for _ in range(worker.AT_ONCE):
        worker._gate.acquire()
    try:
        with pytest.raises(worker.Busy):
            decoded(wav_of(tone(0)), patience=0.05)
    finally:
        for _ in range(worker.AT_ONCE):
            worker._gate.release()


@pytest.mark.parametrize("count", [0, 1, 9])
def test_only_so_many_stems_are_mixed(client, count) -> None:
    answer = client().post("/api/mix", files=sent(*[wav_of(tone(0, 0.2))] * count) or [("other", b"x")])
    assert answer.status_code in {400, 422}


def test_a_multipart_that_is_none_is_refused(client) -> None:
    page = client()
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", f"multipart/form-data; boundary={'x' * 500}"):
        assert page.post("/api/mix", content=b"--x\r\nnonsense", headers={"content-type": kind}).status_code in {400, 422}


def test_nothing_is_unpickled() -> None:
    source = Path(worker.__file__).parent
    told = " ".join(path.read_text() for path in source.glob("*.py"))
    assert not {"import pickle", "allow_pickle=True", "torch.load(", "eval(", "exec("} & {word for word in
                ("import pickle", "allow_pickle=True", "torch.load(", " eval(", " exec(") if word in told}  # fmt: skip
