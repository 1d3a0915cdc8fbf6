"""A download is kept only whole and with the right checksum; the copy at hand is verified and needs no network."""

import hashlib
import http.server
import threading

import pytest

from oplas._download import cache_folder, fetch, sha256_of
from oplas._errors import ArtefactError, DataError

CONTENT = bytes(range(256)) * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def home():
    """A server on this machine: /whole, /short (breaks off), anything else is absent; and the paths asked of it."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path not in {"/whole", "/short"}:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[:1000])

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_downloaded_once(home, tmp_path):
    url, asked = home
    first = fetch(f"{url}/whole", SHA, "weights.pth", folder=tmp_path / "new")
    assert first.read_bytes() == CONTENT
    assert fetch(f"{url}/whole", SHA, "weights.pth", folder=tmp_path / "new") == first
    assert asked == ["/whole"]
    assert [path.name for path in first.parent.iterdir()] == ["weights.pth"]


def test_a_damaged_copy_is_fetched_again(home, tmp_path):
    (tmp_path / "weights.pth").write_bytes(CONTENT[:-1])
    assert sha256_of(fetch(f"{home[0]}/whole", SHA, "weights.pth", folder=tmp_path)) == SHA


@pytest.mark.parametrize(
    ("path", "sha", "error", "message"),
    [
        ("/whole", "0" * 64, ArtefactError, f"256000 bytes with SHA-256 {SHA}, expected 0000"),
        ("/short", SHA, (ArtefactError, DataError), "1000 bytes|broke off"),
        ("/absent", SHA, DataError, "could not be downloaded .*404.* download .* by hand and pass its path"),
    ],
)
def test_what_is_not_right_is_not_kept(home, tmp_path, path, sha, error, message):
    with pytest.raises(error, match=message):
        fetch(home[0] + path, sha, "weights.pth", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_failed_download_leaves_the_old_copy(home, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"older")
    with pytest.raises(DataError):
        fetch(f"{home[0]}/absent", SHA, "weights.pth", folder=tmp_path)
    assert (tmp_path / "weights.pth").read_bytes() == b"older"


def test_a_folder_that_cannot_be_written_is_named(home, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"file cannot be written .* set OPLAS_CACHE"):
        fetch(f"{home[0]}/whole", SHA, "weights.pth", folder=tmp_path / "file")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("OPLAS_CACHE", raising=False)
    assert cache_folder() == tmp_path / "oplas"
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
