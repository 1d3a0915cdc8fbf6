"""The index keeps what it is given, finds what is nearest, and refuses what would give nonsense."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import bent, straight
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from oplas import ArtefactError, DataError, MissingDependency, ShapeError, Space
from oplas.data.audio import write
from oplas.embed import embed
from oplas.encoders import power_mel
from oplas.laws import RoundTrip
from oplas.projectors import MLP

pytest.importorskip("lancedb")

from oplas.store import Added, Identity, Index, _near, where

MINE = Identity("mine", 8)


def rows(n: int, seed: int = 0, width: int = 8) -> Tensor:
    return (
        torch.randn(n, width, generator=Generator().manual_seed(seed)) * torch.arange(1, width + 1) + 6 * torch.arange(width).cos()
    )


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """Sixty rows of three songs."""
    made = Index.create(tmp_path / "an.index", MINE)
    songs = [f"song {row // 20}" for row in range(60)]
    made.add(rows(60), file=[f"{song}.wav" for song in songs], song=songs, start=torch.arange(60) % 20 * 3.0, tags=["first"])
    return made


def test_rows_come_back_as_they_were_given(index: Index) -> None:
    again = Index.open(index.where, MINE)
    ids, z = again.vectors()
    assert torch.equal(z, rows(60))
    assert len(set(ids)) == len(again) == 60
    row = again.table(where="song = 'song 1' AND start = 6").to_pylist()
    assert row == [{"id": ids[22], "file": "song 1.wav", "song": "song 1", "start": 6.0, "tags": ["first"], "content": None}]
    assert again.table(["start"], limit=3)["start"].to_pylist() == [0.0, 3.0, 6.0]
    assert (again.identity, again.width, again.recall) == (MINE, 8, 1.0)


def test_adding_twice_adds_once(index: Index) -> None:
    more = {"file": "d.wav", "start": torch.arange(20.0), "space": MINE}
    assert index.add(rows(20, 1), **more) == Added(20, 0)
    assert index.add(rows(20, 1), **more) == Added(0, 20)
    assert index.add(torch.cat([rows(20, 1), rows(20, 1)[:1]]), file="d.wav", start=[*range(20), 0], space=MINE) == Added(0, 21)
    assert len(index) == 80


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 4), st.integers(1, 9), st.integers(0, 99), st.integers(1, 40))
def test_blocks_of_any_size_give_the_exact_neighbours(n: int, m: int, k: int, seed: int, size: int) -> None:
    z, queries = rows(n, seed).numpy(), rows(m, seed + 1).numpy()
    blocks = [z[at : at + size] for at in range(0, n, size)]
    found, far = _near.nearest(queries, k, map(_near.Block.of, blocks))
    true = torch.cdist(torch.from_numpy(queries).double(), torch.from_numpy(z).double())
    assert np.allclose(far, true.sort(1)[0][:, :k], rtol=1e-6)
    assert np.allclose(np.take_along_axis(true.numpy(), found, 1), far, rtol=1e-6)


def test_near_duplicates_far_from_zero_are_told_apart() -> None:
    z = (1000 + np.arange(50)[:, None] * 1e-3 * np.ones(8)).astype(np.float32)
    assert _near.nearest(z[20:21], 3, _near.cut([z]))[0][0].tolist()[0] == 20


def test_a_filter_chooses_among_what_may_answer(index: Index) -> None:
    free = index.nearest(rows(60)[[5]], 3)[0]
    assert (free[0].distance, free[0].start, free[0].tags) == (0.0, 15.0, ("first",))
    hits = index.nearest(rows(60)[[5]], 3, where(song="song 2", start=[0, 3, 6, 9]))[0]
    z = rows(60)[40:44]
    assert [hit.start for hit in hits] == [3.0 * int(row) for row in (z - rows(60)[5]).norm(dim=1).argsort()[:3]]
    assert [len(each) for each in index.nearest(rows(2), 99, "song = 'song 1'")] == [20, 20]
    assert index.nearest(rows(2), 5, "song = 'none'") == [[], []]


def test_update_and_delete_change_the_rows_meant_and_no_others(index: Index) -> None:
    assert index.update(where(song="song 0"), {"song": "it's", "tags": ["a", "b"]}) == 20
    assert index.count(where(song="it's", tags="b")) == 20
    assert index.delete("start >= 30") == 30
    assert len(index) == index.count("start < 30") == 30
    assert torch.equal(torch.sort(index.vectors("song = 'song 1'")[1][:, 0])[0], torch.sort(rows(60)[20:30, 0])[0])


def test_what_was_can_be_gone_back_to_until_it_is_compacted_away(index: Index) -> None:
    before = index.version
    index.delete("song = 'song 0'")
    past = index.at(before)
    assert (len(past), len(index)) == (60, 40)
    assert past.nearest(rows(60)[[5]], 1)[0][0].distance == 0
    with pytest.raises(ArtefactError, match="past"):
        past.delete("true")
    assert [each.rows for each in index.versions()][-2:] == [60, 40]
    index.compact(timedelta(0))
    assert len(index.versions()) == 1
    assert len(index) == 40
    with pytest.raises(ArtefactError, match=f"Version {before}"):
        index.at(before)


def test_another_reader_sees_each_change_at_once(index: Index) -> None:
    other = Index.open(index.where)
    assert other.nearest(rows(1, 7), 1)[0][0].distance > 0
    index.add(rows(1, 7), file="new.wav", space=MINE)
    assert other.nearest(rows(1, 7), 1)[0][0].file == "new.wav"


@pytest.mark.parametrize("clustered", [True, False])
def test_above_the_limit_rows_lie_in_lists_of_the_recall_that_is_stated(tmp_path, monkeypatch, clustered: bool) -> None:
    monkeypatch.setattr(_near, "EXACT", 1000)
    z = rows(3000, 1, 16) + (60 * rows(40, 2, 16)[torch.arange(3000) % 40] if clustered else 0)
    index = Index.create(tmp_path / "an.index", Identity("mine", 16))
    index.add(z, file="a.wav", start=torch.arange(3000.0))
    assert index.recall >= 0.99
    queries = torch.cat([z[:40] + 0.1, 0.75 * z[:40] + 0.25 * z[100:140]])
    true = torch.cdist(queries, z).argsort(1)[:, :10].tolist()
    found = [[int(hit.start) for hit in hits] for hits in index.nearest(queries, 10)]
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(true, found, strict=True)]) >= 0.97
    alone = index.nearest(z[7], 2)[0]
    assert alone[0].start == 7
    assert alone[1].distance == pytest.approx(float(torch.cdist(z[7:8], z).sort()[0][0, 1]), rel=1e-4)
    assert sorted(int(hit.start) for hit in index.nearest(z[0], 3000)[0]) == list(range(3000))
    few = index.nearest(z[:1], 3, "start < 50")[0]
    assert [int(hit.start) for hit in few] == torch.cdist(z[:1], z[:50]).argsort()[0, :3].tolist()
    fresh = index.add(z[:1] + 1e-3, file="b.wav", space=index.identity)  # not in a list yet, found all the same
    assert fresh.count == 1
    assert "b.wav" in {hit.file for hit in index.nearest(z[:1], 2)[0]}


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (rows(3).index_fill(0, torch.tensor([1]), torch.nan), DataError, "1 of 3 rows hold NaN or infinity, the first is number 1"),
        (rows(3).double() * 1e300, DataError, "3 of 3 rows hold NaN or infinity"),
        (rows(3).index_fill(0, torch.tensor([2]), 0.0), DataError, "1 of 3 rows are zero, which is silence, the first is number 2"),
        (rows(0), DataError, "no rows"),
        (rows(3, width=5), ShapeError, "5 dimensions, the index holds 8"),
        (rows(4)[None], ShapeError, r"shape \[1, 4, 8\]"),
        (np.array([["a"] * 8]), ShapeError, "<U1"),
    ],
)
def test_bad_vectors_are_refused_and_named(index: Index, bad, error, says: str) -> None:
    with pytest.raises(error, match=says):
        index.add(bad, file="bad.wav")
    with pytest.raises(error, match=says.replace("rows", "queries")):
        index.nearest(bad)
    assert len(index) == 60


@pytest.mark.parametrize("bad", ["nonsense =", "colour = 'red'", "start = 'x'", ""])
def test_bad_filters_are_refused(index: Index, bad: str) -> None:
    for call in (index.count, index.delete, index.table, index.vectors, lambda filtered: index.nearest(rows(1), 1, filtered)):
        with pytest.raises(DataError, match=r"filter|column"):
            call(*([None, bad] if call == index.table else [bad]))
    assert len(index) == 60


def test_bad_calls_are_refused(index: Index, tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="2 values of 'file' for 3 rows"):
        index.add(rows(3), file=["a", "b"], space=MINE)
    with pytest.raises(DataError, match="vector cannot be updated"):
        index.update("true", {"vector": [0.0]})
    with pytest.raises(DataError, match="no column colour"):
        index.table(["colour"])
    with pytest.raises(DataError, match="0 answers"):
        index.nearest(rows(1), 0)
    with pytest.raises(ArtefactError, match="exists already"):
        Index.create(index.where, MINE)
    with pytest.raises(ArtefactError, match="no index at"):
        Index.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_any_address_of_lancedb_will_do(tmp_path: Path) -> None:
    address = (tmp_path / "an.index").as_uri()
    assert not Index.exists(address)
    Index.create(address, MINE).add(rows(3), file="a.wav")
    assert Index.exists(address)
    assert len(Index.open(address, MINE)) == 3
    with pytest.raises(ArtefactError, match="exists already"):
        Index.create(address, MINE)
    with pytest.raises(ArtefactError, match="nowhere"):
        Index.open("nowhere://bucket/an.index")


def test_a_damaged_index_says_so(index: Index) -> None:
    for data in Path(index.where).rglob("*.lance"):
        if data.is_file():
            data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with pytest.raises(ArtefactError, match=r"an\.index"):
        Index.open(index.where).vectors()


def test_without_lancedb_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lancedb", None)
    with pytest.raises(MissingDependency, match=r"pip install 'oplas\[store\]'"):
        Index.create(tmp_path / "an.index", MINE)


def test_a_space_is_known_by_what_its_latents_pass_through() -> None:
    def make(seed: int, **options: object) -> Space:
        torch.manual_seed(seed)
        return Space(bent(), MLP(6, 4, hidden=8), MLP(4, 6, hidden=8), **options)

    mine = Identity.of(make(0))
    assert mine == Identity.of(make(0))
    assert mine == Identity.of(make(0, laws=[RoundTrip()]))  # a claim moves nothing
    space = make(0)
    space.inverse = MLP(4, 6, hidden=16)
    assert mine == Identity.of(space)  # nor does the way back
    assert mine != Identity.of(make(1))
    assert mine != Identity.of(Space(straight(), make(0).projector))
    turned = make(0)
    turned.frame.mul_(-1)
    assert mine != Identity.of(turned)
    assert Identity.from_dict(mine.to_dict()) == mine


def test_a_saved_space_is_the_same_space(tmp_path: Path) -> None:
    space = Space(bent(), MLP(6, 4, hidden=8)).eval()
    again = Space.load(space.save(tmp_path / "a.space"), bent())
    index = Index.create(tmp_path / "an.index", space)
    index.add(again(rows(3, width=6)).detach(), file="a", space=again)
    assert len(Index.open(index.where, again)) == 3
    with pytest.raises(ArtefactError, match="distances between the two mean nothing"):
        Index.open(index.where, Space(bent(), MLP(6, 4, hidden=8)))


def test_latents_of_another_space_are_refused_whether_it_is_said_or_seen(index: Index) -> None:
    with pytest.raises(ArtefactError, match="mean nothing"):
        index.add(rows(30, 3), file="b.wav", space=Identity("yours", 8))
    with pytest.raises(ArtefactError, match="do not look like those"):
        index.add(rows(30, 3).flip(1), file="b.wav")
    with pytest.raises(ArtefactError, match="do not look like those"):
        index.add(-rows(30, 3), file="b.wav")
    assert len(index) == 60
    assert index.add(rows(30, 3), file="b.wav").count == 30
    assert index.add(rows(30, 4).flip(1), file="c.wav", space=MINE).count == 30
    with pytest.warns(UserWarning, match=r"5 rows beside 120 .* too few"):
        index.add(rows(5, 5), file="d.wav")


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    time = np.arange(4 * 16000) / 16000
    for name, pitch in (("a", 220), ("b", 700), ("c", 1900)):
        write(tmp_path / "music" / f"{name}.wav", 0.2 * np.sin(2 * np.pi * pitch * time), 16000)
    write(tmp_path / "music" / "half.wav", 0.2 * np.sin(2 * np.pi * 440 * time) * (time < 2), 16000)
    (tmp_path / "music" / "words.wav").write_text("no music")
    return tmp_path / "music"


def test_files_are_added_once_wholly_and_anew_when_they_change(sounds: Path, tmp_path: Path) -> None:
    space = Space(power_mel(bands=8, seconds=1.0, segments=1))
    index, files = Index.create(tmp_path / "an.index", space), sorted(sounds.iterdir())
    done: list[float] = []
    with pytest.warns(UserWarning, match="words") as told:
        assert index.add_files(space, files, tags=["tone"], advance=done.append) == Added(14, 0)
    assert any("2 silent windows of 16" in str(each.message) for each in told)
    assert len(done) == 4
    hit = index.nearest(embed(space, sounds / "b.wav").z[1], 1, "start = 1")[0][0]
    assert (hit.file, hit.song, hit.tags, hit.distance) == (str(sounds / "b.wav"), "b", ("tone",), 0.0)
    good = [path for path in files if path.stem != "words"]
    assert index.add_files(space, good) == Added(0, 14)
    time = np.arange(3 * 16000) / 16000
    write(sounds / "a.wav", 0.2 * np.sin(2 * np.pi * 330 * time), 16000)
    assert index.add_files(space, good, song="folder") == Added(3, 10, 4)
    assert index.count(where(file=str(sounds / "a.wav"), song="music")) == 3
    assert index.add_files(space, good) == Added(0, 13)
    with pytest.warns(UserWarning, match="words"), pytest.raises(DataError, match="words"):
        index.add_files(space, [sounds / "words.wav"])
    with pytest.raises(ArtefactError, match="mean nothing"):
        index.add_files(Space(power_mel(bands=4, seconds=1.0, segments=1)), good)


def test_ctrl_c_keeps_whole_files_and_the_next_run_goes_on(sounds: Path, tmp_path: Path) -> None:
    space = Space(power_mel(bands=8, seconds=1.0, segments=1))
    index, files = Index.create(tmp_path / "an.index", space), [sounds / f"{name}.wav" for name in "abc"]

    def stop(done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.add_files(space, files, advance=stop)
    assert index.count(where(file=str(sounds / "a.wav"))) == len(index) == 4
    assert index.add_files(space, files) == Added(8, 4)
