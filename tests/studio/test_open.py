"""What the command line names becomes a library, or an error that says what to do."""

from __future__ import annotations

import socket

import numpy as np
import pytest
import torch

pytest.importorskip("fastapi")

from studio_fakes import tone, wav_of

from oplas import ArtefactError, DataError, Space, laws, operators
from oplas.actions import Mix
from oplas.data.notes import Notes
from oplas.encoders import power_mel
from oplas.rollspace import RollSpace
from oplas.studio import asked
from oplas.studio.library import Library
from oplas.studio.maps import Map
from oplas.studio.open import opened
from oplas.studio.rolls import midi_library
from oplas.studio.serve import bound, serve
from oplas.studio.studio import Studio


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A saved space, and a folder of two songs of two stems."""
    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path / "cache"))
    space = Space(power_mel(), laws=[laws.Equivariance(Mix(2, 4), operators.Sum())])
    space.card["encoder_spec"] = "power_mel"
    space.save(tmp_path / "mine.space")
    for song in range(2):
        (tmp_path / "songs" / f"song{song}").mkdir(parents=True)
        for part in range(2):
            (tmp_path / "songs" / f"song{song}" / f"{('low', 'high')[part]}.wav").write_bytes(wav_of(tone(2 * song + part, 6.5)))
    return tmp_path


def test_a_folder_of_songs_becomes_points_that_can_be_heard_and_named(place) -> None:
    (place / "songs" / "song0" / "link.wav").symlink_to(place / "elsewhere.wav")
    library, roots = opened(place / "mine.space", place / "songs")
    assert (len(library), library.name, library.kind) == (8, "mine", "audio")
    assert library.names[:2] == ["song0/high@0", "song0/high@3"]
    assert set(library.columns) == {"file", "start", "part", "song"}
    assert np.allclose(library.source.sound(1), tone(1, 6.5)[48000:96000], atol=1e-3)
    assert place / "songs" in roots
    answer = Studio(library).search(asked.Search(expression="song0/low@3", k=1)) if library.certificate else None
    assert answer is None  # nothing was certified, and a sum is not computed
    with pytest.raises(DataError, match="no certificate"):
        Studio(library).search(asked.Search(expression="song0/low@3 + song0/high@3"))


def test_an_index_becomes_points_heard_only_where_songs_are_named(place) -> None:
    lancedb = pytest.importorskip("lancedb")
    assert lancedb
    from oplas.mixing import load_space
    from oplas.store import Index

    space = load_space(place / "mine.space")
    index = Index.create(place / "index", space)
    with pytest.raises(DataError, match="is empty"):
        opened(place / "mine.space", None, str(place / "index"))
    index.add_files(space, sorted((place / "songs").rglob("*.wav")), song="folder", tags=["mine"])
    library, _ = opened(place / "mine.space", None, str(place / "index"))
    assert len(library) == 8
    assert library.columns["tags"].values == ("mine",)
    assert library.source.sound(0) is None
    heard, _ = opened(place / "mine.space", place / "songs", str(place / "index"))
    assert np.abs(heard.source.sound(0)).max() > 0.1
    (place / "other").mkdir()
    other, _ = opened(place / "mine.space", place / "other", str(place / "index"))
    with pytest.raises(DataError, match="not in the folder of songs"):
        other.source.sound(0)
    with torch.no_grad():
        space.frame.mul_(2)
    space.save(place / "other.space")
    with pytest.raises(ArtefactError, match="distances between the two mean nothing"):
        opened(place / "other.space", None, str(place / "index"))


def test_a_damaged_space_says_so(place) -> None:
    card = place / "mine.space" / "card.json"
    card.write_text(card.read_text()[:-20])
    with pytest.raises(ArtefactError, match="not a readable saved space"):
        opened(place / "mine.space", place / "songs")
    with pytest.raises(DataError, match="is no folder"):
        opened(place / "mine.space", place / "nowhere")


def test_a_taken_port_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DataError, match="another studio may be running"):
            bound("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(DataError, match=r"no address of this machine|cannot be listened on"):
        bound("203.0.113.7", 0)


def test_beyond_the_loopback_the_address_told_holds_a_token(monkeypatch) -> None:
    uvicorn = pytest.importorskip("uvicorn")
    from studio_fakes import library

    ran, told = [], []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: ran.append(self.config))
    for host in ("127.0.0.1", "0.0.0.0"):
        serve(library(3), host=host, port=0, open_page=False, tell=told.append)
    assert ran[0].app.token is None
    token = ran[1].app.token
    assert len(token) >= 40
    assert token in told[2]
    assert not ran[1].access_log


class Pitches(torch.nn.Module):
    """How often each of 64 pitches begins."""

    dim = 64

    def forward(self, rolls: torch.Tensor) -> torch.Tensor:
        return rolls[:, 0, 32:96].mean(2)


def test_midi_files_become_rolls_that_move_exactly(tmp_path, monkeypatch) -> None:
    small = RollSpace(Pitches(), torch.nn.Identity()).eval()  # the moves are exact, whatever reads the content
    monkeypatch.setattr(RollSpace, "load", classmethod(lambda cls: small))
    for name, root in (("one", 60), ("two", 64)):
        rows = [(beat / 2, 0.5, root + (0, 4, 7, 12, 2, 5)[beat % 6]) for beat in range(96)]
        Notes.of(rows, name=name).write(tmp_path / f"{name}.mid")
    library = midi_library(tmp_path)
    assert (library.kind, len(library), library.names[1]) == ("midi", 4, "one@32")
    studio = Studio(library)
    assert [(deed.name, deed.certified) for deed in studio.deeds.values()] == [("transpose", True), ("shift", True)]
    moved = studio.operate(asked.Operate(operator="transpose", parameters={"theta": 3}, i=[0], k=2))
    assert moved.truth.known
    assert moved.truth.distance < 1e-5
    assert moved.truth.audio is None
    assert moved.truth.roll == "/api/point/0/roll?operator=transpose&theta=3"
    early = studio.operate(asked.Operate(operator="shift", parameters={"theta": -4}, i=[0], k=2))
    assert not early.truth.known
    assert "shift by less" in early.truth.why
    ring = studio.circle.ring()
    assert [song.name for song in ring.songs] == ["one", "two"]
    outside = tmp_path / "songs"
    outside.mkdir()
    (outside / "link.mid").symlink_to(tmp_path / "one.mid")
    with pytest.raises(DataError, match="lead out of"):
        midi_library(outside)


def test_what_cannot_be_shown_is_refused() -> None:
    space = Space(power_mel())
    for z, names, fact in (
        (np.zeros((0, 288)), [], "no points"),
        (np.zeros((3, 7)), ["a"] * 3, "made by another space"),
        (np.full((3, 288), np.nan), ["a"] * 3, "NaN"),
        (np.zeros((3, 288)), ["a"], "columns or names"),
    ):
        with pytest.raises(DataError if "space" not in fact and "columns" not in fact else ValueError, match=fact):
            Library("x", space, z.astype(np.float32), names)


def test_axes_are_kept_and_a_damaged_cache_is_made_again(tmp_path, monkeypatch) -> None:
    from studio_fakes import library

    monkeypatch.setenv("OPLAS_CACHE", str(tmp_path))
    shown = library(6)
    first = Map(shown)
    (kept,) = (tmp_path / "studio").iterdir()
    assert np.array_equal(Map(shown).axes, first.axes)
    kept.write_bytes(b"damaged")
    assert np.allclose(Map(shown).axes, first.axes)
