"""Public sets: fetched file by file, checked, resumed, and plain about what could not be had."""

import hashlib
import io
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
        assert len({public.kept(path) for path in public.files}) == len(public.files), "each is kept under a name of its own"
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


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """A repository on this disk that comes as one archive."""
    import tarfile

    files = {f"SONGS/{index}/{kind}.txt": f"{kind} {index}".encode() for index in range(3) for kind in ("beat", "key")}
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    place = tmp_path / "home" / "who" / "what" / "tar.gz" / "abc"
    place.parent.mkdir(parents=True)

    def pack(changed=()):
        with tarfile.open(place, "w:gz") as tar:
            for path, content in {**files, "SONGS/../../outside.txt": b"no", "README": b"hello"}.items():
                member = tarfile.TarInfo("what-abc123/" + path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content if path not in changed else b"x" * len(content)))
        return place

    toy = download.PublicSet("toy", "songs", "CC0-1.0", "who/what", "abc", "main", sums, "SONGS/")
    monkeypatch.setattr(download, "ARCHIVES", (tmp_path / "home").as_uri())
    monkeypatch.setattr(download, "sets", lambda: {"toy": toy})
    pack()
    return pack


def test_many_files_come_as_one_archive_and_each_is_checked(archive, tmp_path):
    got = sorted(path.relative_to(tmp_path / "out").as_posix() for path in download.get("toy", tmp_path / "out"))
    assert got == ["0/beat.txt", "0/key.txt", "1/beat.txt", "1/key.txt", "2/beat.txt", "2/key.txt"]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.txt")) == ["beat.txt"] * 3 + ["key.txt"] * 3
    archive().unlink()
    assert len(list(download.get("toy", tmp_path / "out"))) == 6


def test_an_archive_cut_off_or_changed_leaves_only_right_files_and_goes_on(archive, tmp_path):
    place = archive(changed=("SONGS/1/key.txt",))
    with pytest.raises(_errors.DataError, match=r"1 of 6 files of toy could not be had.*run it again"):
        list(download.get("toy", tmp_path / "out"))
    assert not (tmp_path / "out" / "1" / "key.txt").exists()
    place.write_bytes(archive().read_bytes()[:90])
    with pytest.raises(_errors.DataError, match="could not be read"):
        list(download.get("toy", tmp_path / "out"))
    archive()
    assert len(list(download.get("toy", tmp_path / "out"))) == 6


def test_the_checksums_of_pop909_are_those_of_the_files_at_hand(shared_data):
    import tarfile

    known = download.sets()["pop909"]
    with tarfile.open(shared_data / "pop909.tar.gz") as held:
        for member in held:
            path = "POP909/" + member.name.partition("/")[2]
            if path in known.files and int(path.split("/")[1]) % 20 == 0:
                assert hashlib.sha256(held.extractfile(member).read()).hexdigest() == known.files[path]
