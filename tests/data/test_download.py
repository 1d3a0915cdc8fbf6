"""Public sets: fetched file by file, checked, resumed, and plain about what could not be had."""

import hashlib
import re

import pytest

from oplas import _errors
from oplas.data import download


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A repository on this disk in place of the public one."""
    files = {f"etc/{index}.mid": f"song {index}".encode() for index in range(5)}
    for path, content in files.items():
        (tmp_path / "home" / "who" / "what" / "abc" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / "who" / "what" / "abc" / path).write_bytes(content)
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    toy = download.PublicSet("toy", "five songs", "CC0-1.0", "who/what", "abc", "main", sums)
    monkeypatch.setattr(download, "RAW", (tmp_path / "home").as_uri())
    monkeypatch.setattr(download, "sets", lambda: {"toy": toy})
    return tmp_path / "home" / "who" / "what"


def test_every_file_arrives_and_a_second_call_needs_no_home(home, tmp_path):
    got = sorted(path.name for path in download.get("toy", tmp_path / "out"))
    assert got == sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{index}.mid" for index in range(5)]
    home.rename(home.with_name("gone"))
    assert len(list(download.get("toy", tmp_path / "out"))) == 5


def test_a_file_missing_at_the_commit_is_taken_from_the_branch(home, tmp_path):
    (home / "main" / "etc").mkdir(parents=True)
    (home / "abc" / "etc" / "2.mid").rename(home / "main" / "etc" / "2.mid")
    assert len(list(download.get("toy", tmp_path / "out"))) == 5


def test_a_changed_file_is_not_kept_and_the_others_are(home, tmp_path):
    (home / "abc" / "etc" / "3.mid").write_bytes(b"something else")
    with pytest.raises(_errors.DataError, match=r"1 of 5 files of toy could not be had, the others are in .*run it again"):
        list(download.get("toy", tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.mid", "1.mid", "2.mid", "4.mid"]


def test_a_damaged_copy_is_replaced(home, tmp_path):
    list(download.get("toy", tmp_path / "out"))
    (tmp_path / "out" / "1.mid").write_bytes(b"damaged")
    list(download.get("toy", tmp_path / "out"))
    assert (tmp_path / "out" / "1.mid").read_bytes() == b"song 1"


def test_without_a_home_the_first_file_says_so(home, tmp_path):
    home.rename(home.with_name("gone"))
    with pytest.raises(_errors.DataError, match=r"0\.mid could not be downloaded"):
        list(download.get("toy", tmp_path / "out"))


def test_an_unknown_set_is_answered_with_the_known_ones():
    with pytest.raises(_errors.DataError, match="no public set 'musdb'; oplas knows freedoom, pop909, sonic-pi"):
        list(download.get("musdb", "anywhere"))


def test_the_committed_table_is_sound():
    for name, public in download.sets().items():
        assert public.name == name
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in public.files.values())
        names = [path.rpartition("/")[2] for path in public.files]
        assert len(set(names)) == len(names), "files are kept flat, so their names must differ"
        assert public.homes("a/b.mid")[0] == f"https://raw.githubusercontent.com/{public.repository}/{public.commit}/a/b.mid"
    assert sum(path.endswith(".mid") for path in download.sets()["freedoom"].files) == 88


def test_the_checksums_are_those_of_the_files_at_hand(shared_data):
    import tarfile

    table = download.sets()["freedoom"].files
    with tarfile.open(shared_data / "freedoom_midi.tar.gz") as archive:
        for member in archive.getmembers():
            if member.name.endswith(".mid"):
                content = archive.extractfile(member).read()
                assert hashlib.sha256(content).hexdigest() == table["musics/" + member.name.rpartition("/")[2]]
