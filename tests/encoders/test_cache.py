"""Cached codes are the encoder's own: under two processes, a kill, damage, and a disk that cannot be written."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import warnings

import pytest
import torch
from torch import Tensor

from oplas._errors import DataError, ShapeError
from oplas.encoders import Cached, Encoder


class Counting(Encoder):
    """Two sums of a window, and how many windows it was asked for."""

    name, rate, samples, dim = "counting", 100, 8, 2

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale))
        self.asked = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += len(x)
        return torch.stack([x.sum(1), x.square().sum(1)], 1) * self.scale


def windows(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


#: What the other process of a test runs: encode the numbered windows, slowly enough to be caught in the middle.
OTHER = """
    import sys, time, torch
    from oplas.encoders import Cached, Encoder

    class Counting(Encoder):
        name, rate, samples, dim = "counting", 100, 8, 2
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.tensor(1.0))
        def forward(self, x):
            print("batch", flush=True)
            time.sleep({pause})
            return torch.stack([x.sum(1), x.square().sum(1)], 1) * self.scale

    x = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    encoder = Cached(Counting(), sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    assert torch.equal(encoder.encode(x, batch=10), encoder.encoder.encode(x))
    assert encoder.usable
"""


def other(folder, pause: float) -> subprocess.Popen:
    code = textwrap.dedent(OTHER).replace("{pause}", str(pause))
    command = [sys.executable, "-W", "error", "-c", code, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def rows(folder) -> int:
    base = sqlite3.connect(folder / "codes.sqlite")
    try:
        assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return base.execute("SELECT count(*) FROM codes").fetchone()[0]
    finally:
        base.close()


def flipped(content: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in content)


DAMAGES = {
    "overwritten": flipped,
    "beyond the header": lambda content: content[:100] + flipped(content[100:]),
    "beyond a page": lambda content: content[:4096] + flipped(content[4096:]),
    "cut off": lambda content: content[:6000],
    "another file": lambda content: b"RIFF and so on",
}


def test_every_window_is_encoded_once_and_codes_are_the_encoders(tmp_path):
    inner, x = Counting(), windows(50)
    encoder = Cached(inner, tmp_path / "new" / "folder")
    first = encoder.encode(torch.cat([x, x[:7]]), batch=64)
    assert inner.asked == 50
    second = Cached(inner, tmp_path / "new" / "folder").encode(x.flip(0), batch=16)
    assert inner.asked == 50
    expected = Counting().encode(x)
    assert torch.equal(first[:50], expected)
    assert torch.equal(second.flip(0), expected)


def test_other_weights_have_other_codes(tmp_path):
    x = windows(3)
    Cached(Counting(1.0), tmp_path).encode(x)
    assert torch.equal(Cached(Counting(2.0), tmp_path).encode(x), Counting(2.0).encode(x))


def test_facts_and_identity_are_the_encoders(tmp_path):
    inner = Counting()
    encoder = Cached(inner, tmp_path)
    assert (encoder.name, encoder.rate, encoder.samples, encoder.dim, encoder.identity) == ("counting", 100, 8, 2, inner.identity)
    assert torch.equal(encoder(windows(2)), inner(windows(2)))
    assert encoder.encode(windows(0)).shape == (0, 2)


def test_bad_windows_are_refused_as_ever_and_leave_nothing(tmp_path):
    encoder = Cached(Counting(), tmp_path)
    with pytest.raises(ShapeError, match=r"\[n, 8\]"):
        encoder.encode(torch.zeros(2, 9))
    with pytest.raises(DataError, match="NaN"):
        encoder.encode(torch.full((1, 8), torch.nan))
    assert rows(tmp_path) == 0


def test_two_processes_fill_one_cache(tmp_path):
    pair = [other(tmp_path, 0.001) for _ in range(2)]
    for process in pair:
        process.stdout.readline()
    for process in pair:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=120) for process in pair] == [0, 0]
    assert rows(tmp_path) == 400


def test_a_killed_process_leaves_whole_batches_and_the_next_goes_on(tmp_path):
    process = other(tmp_path, 0.02)
    process.stdout.readline()
    process.stdin.write("go\n")
    process.stdin.flush()
    for _ in range(6):  # five batches are written when the sixth is begun
        assert process.stdout.readline() == "batch\n"
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    kept = rows(tmp_path)
    assert 50 <= kept < 400
    assert kept % 10 == 0
    inner, x = Counting(), windows(400)
    assert torch.equal(Cached(inner, tmp_path).encode(x), Counting().encode(x))
    assert inner.asked == 400 - kept


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_moved_aside_and_begun_afresh(tmp_path, damage):
    x, file = windows(200), tmp_path / "codes.sqlite"
    Cached(Counting(), tmp_path).encode(x)
    file.write_bytes(damage(file.read_bytes()))
    encoder = Cached(Counting(), tmp_path)
    with pytest.warns(UserWarning, match=r"is damaged .* moved to codes.sqlite.damaged-"):
        codes = encoder.encode(x)
    assert torch.equal(codes, Counting().encode(x))
    assert encoder.usable
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1
    assert rows(tmp_path) == 200


def test_a_damaged_code_is_made_anew(tmp_path):
    x = windows(20)
    Cached(Counting(), tmp_path).encode(x)
    base = sqlite3.connect(tmp_path / "codes.sqlite")
    keys = [key for (key,) in base.execute("SELECT key FROM codes LIMIT 3")]
    base.execute("UPDATE codes SET code = zeroblob(8) WHERE key = ?", keys[:1])
    base.execute("UPDATE codes SET code = substr(code, 1, 4) WHERE key = ?", keys[1:2])
    base.execute("UPDATE codes SET code = 'text' WHERE key = ?", keys[2:])
    base.commit()
    base.close()
    inner = Counting()
    encoder = Cached(inner, tmp_path)
    assert torch.equal(encoder.encode(x), Counting().encode(x))
    assert inner.asked == 3
    encoder.encode(x)
    assert inner.asked == 3


def test_a_folder_that_cannot_be_written_costs_one_warning_and_no_result(tmp_path):
    (tmp_path / "file").write_text("in the way")
    encoder, x = Cached(Counting(), tmp_path / "file"), windows(100)
    with pytest.warns(UserWarning, match="are not kept.*work goes on without a cache") as seen:
        codes = encoder.encode(x, batch=10)
    assert len(seen) == 1
    assert torch.equal(codes, Counting().encode(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode(x)


def test_a_full_disk_costs_one_warning_and_no_result(tmp_path):
    """The process may write no file beyond 40 kB, as on a disk with no more room."""
    code = """
        import resource, signal, sys, warnings, torch
        from oplas.encoders import Cached, power_mel
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        encoder = Cached(power_mel(seconds=0.2), sys.argv[1])
        x = torch.randn(200, encoder.samples, generator=torch.Generator().manual_seed(0))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert torch.equal(encoder.encode(x, batch=8), encoder.encoder.encode(x, batch=8))
        assert len(seen) == 1, seen
        print(seen[0].message)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "work goes on without a cache" in ran.stdout
    rows(tmp_path)
