"""What is written can be read, here and elsewhere; what is damaged, strange or another space's is refused."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from oplas import ArtefactError, DataError, MissingDependency, ShapeError
from oplas.encoders import load_embeddings

pytest.importorskip("lancedb")

from oplas.store import Added, Identity, Index, export, load

MINE = Identity("mine", 4)
ENDINGS = ("parquet", "npz", "npy", "faiss", "json")


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index.create(tmp_path / "an.index", MINE)
    z = torch.randn(20, 4, generator=Generator().manual_seed(0)) + 1
    made.add(z, file="it's.wav", start=torch.arange(20) / 3, song="one", tags=["a", "b"])
    made.add(z + 1, file="b.wav", space=MINE)
    return made


def same(one: Index, other: Index) -> bool:
    columns = ["id", "file", "song", "start", "tags", "content", "vector"]
    return bool(one.table(columns).sort_by("id").equals(other.table(columns).sort_by("id")))


@pytest.mark.parametrize("ending", ENDINGS)
def test_there_and_back_nothing_changes(index: Index, tmp_path: Path, ending: str) -> None:
    if ending == "faiss":
        pytest.importorskip("faiss")
    file = tmp_path / f"rows.{ending}"
    assert export(index, file) == 40
    other = Index.create(tmp_path / "other.index", MINE)
    assert load(other, file) == Added(40, 0)
    assert load(other, file) == Added(0, 40)
    assert same(index, other)
    assert export(index, file, "song = 'one'") == 20
    strange = Index.create(tmp_path / "strange.index", Identity("yours", 4))
    with pytest.raises(ArtefactError, match="mean nothing"):
        load(strange, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactError, match="damaged"):
        load(other, file)
    with pytest.raises(DataError, match="no row"):
        export(index, file, "song = 'none'")
    assert file.read_bytes() == whole[: len(whole) // 2]
    assert not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize("ending", ["parquet", "npz"])
def test_others_can_read_the_vectors(index: Index, tmp_path: Path, ending: str) -> None:
    export(index, tmp_path / f"rows.{ending}")
    z, ids = load_embeddings(tmp_path / f"rows.{ending}")
    assert (list(ids), z.tolist()) == (index.vectors()[0], index.vectors()[1].tolist())


def test_points_are_as_qdrant_takes_and_gives_them(index: Index, tmp_path: Path) -> None:
    export(index, tmp_path / "points.json")
    point = json.loads((tmp_path / "points.json").read_text())["points"][0]
    assert uuid.UUID(point["id"]).hex == point["payload"]["id"]
    assert len(point["vector"]) == 4
    given = [
        {"id": 7, "vector": {"latent": [1, 2, 3, 4]}, "payload": {"file": "c.wav", "colour": 3}},
        {"id": 8, "vector": [2, 2, 2, 2]},
    ]
    (tmp_path / "scrolled.json").write_text(json.dumps({"result": {"points": given}}))
    assert load(index, tmp_path / "scrolled.json", MINE) == Added(2, 0)
    assert index.count("file = 'c.wav'") == 1


def test_a_faiss_index_of_ones_own_is_read(index: Index, tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    z = index.vectors()[1].numpy()
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatL2(4), 4, 2)
    ivf.train(z)
    ivf.add(z)
    mapped = faiss.IndexIDMap(faiss.IndexFlatIP(4))
    mapped.add_with_ids(z, np.arange(40) + 500)
    lossy = faiss.IndexScalarQuantizer(4, faiss.ScalarQuantizer.QT_8bit)
    lossy.train(z)
    lossy.add(z)
    for name, each in (("ivf", ivf), ("mapped", mapped), ("lossy", lossy)):
        faiss.write_index(each, str(tmp_path / f"{name}.faiss"))
    assert load(index, tmp_path / "ivf.faiss", MINE) == Added(40, 0)
    assert load(index, tmp_path / "mapped.faiss", MINE) == Added(40, 0)
    assert index.vectors("file = '501'")[1].tolist() == [z[1].tolist()]
    with pytest.raises(DataError, match="no exact vectors"):
        load(index, tmp_path / "lossy.faiss")


def test_plain_vectors_have_to_show_whose_they_are(tmp_path: Path) -> None:
    number = torch.arange(16)
    z = torch.randn(30, 16, generator=Generator().manual_seed(1)) * (1 + number) + 6 * number.cos()
    own = Index.create(tmp_path / "own.index", Identity("mine", 16))
    own.add(z, file="a.wav")
    np.save(tmp_path / "plain.npy", z.numpy() * 1.01)
    assert load(own, tmp_path / "plain.npy") == Added(30, 0)
    np.save(tmp_path / "turned.npy", z.numpy()[:, ::-1])
    with pytest.raises(ArtefactError, match="do not look like"):
        load(own, tmp_path / "turned.npy")


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("a.csv", "1,2", DataError, "csv"),
        ("a.json", "[]", DataError, "holds no rows"),
        ("a.json", '{"points": 3}', ArtefactError, "holds no points"),
        ("a.json", '{"points": [{"id": 1}]}', ShapeError, "point 0 is NoneType"),
        ("a.json", '{"points": [{"vector": [1, 2, 3]}]}', ShapeError, "3 dimensions, the index holds 4"),
        ("a.json", '{"points": [{"vector": [1, 2, 3, 4]}, {"vector": [1]}]}', ShapeError, "point 1 is 1 numbers"),
        ("a.json", '{"points": [{"vector": [1, 2, 3, "x"]}]}', ArtefactError, "damaged"),
        ("a.npy", "junk", ArtefactError, "damaged"),
        ("none.npy", None, ArtefactError, "no file"),
    ],
)
def test_strange_files_are_refused(index: Index, tmp_path: Path, name, content, error, says) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=says):
        load(index, tmp_path / name, MINE)
    assert len(index) == 40


def test_no_pickle_is_ever_opened(index: Index, tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ArtefactError, match="damaged"):
        load(index, tmp_path / "objects.npy")


def test_without_faiss_the_error_says_so(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingDependency, match="pip install faiss-cpu"):
        export(index, tmp_path / "rows.faiss")
    assert not list(tmp_path.glob("rows*"))
