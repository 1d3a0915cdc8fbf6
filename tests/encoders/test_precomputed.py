"""Embeddings a user has come in unchanged, with their ids, or are refused with the file's name and the row's."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from oplas._errors import ArtefactError, DataError, ShapeError
from oplas.encoders import Precomputed, load_embeddings

TABLE = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
IDS = ["a", "b", "ü", "d", "e"]


def write(path, table=TABLE, ids=IDS):
    """The same table, in whatever format the path's ending says."""
    if path.suffix == ".npy":
        np.save(path, table)
    elif path.suffix == ".npz":
        np.savez(path, embeddings=table, ids=np.array(ids))
    else:
        pq.write_table(pa.table({"id": ids, "embedding": pa.array(list(table), pa.list_(pa.float32()))}), path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
def test_what_was_saved_comes_back(tmp_path, suffix):
    y, ids = load_embeddings(write(tmp_path / f"codes{suffix}"))
    assert torch.equal(y, torch.from_numpy(TABLE))
    assert ids == (("0", "1", "2", "3", "4") if suffix == ".npy" else tuple(IDS))


def test_a_lone_table_needs_no_name(tmp_path):
    np.savez(tmp_path / "codes.npz", anything=TABLE, rates=np.ones(4))
    assert load_embeddings(tmp_path / "codes.npz")[0].shape == (5, 3)
    column = pa.FixedSizeListArray.from_arrays(pa.array(TABLE.ravel().astype(np.float64)), 3)
    pq.write_table(pa.table({"song": IDS, "vector": column}), tmp_path / "codes.parquet")
    y, ids = load_embeddings(tmp_path / "codes.parquet")
    assert torch.equal(y, torch.from_numpy(TABLE))
    assert ids == ("0", "1", "2", "3", "4")


def test_a_long_parquet_file_of_many_groups_is_read(tmp_path):
    table = np.random.default_rng(1).normal(size=(10_000, 4)).astype(np.float32)
    ids = [f"row {index}" for index in range(len(table))]
    column = pa.array(list(table), pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ids, "embedding": column}), tmp_path / "codes.parquet", row_group_size=700)
    y, read = load_embeddings(tmp_path / "codes.parquet")
    assert np.array_equal(y, table)
    assert list(read) == ids


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused_by_row(tmp_path, suffix, value):
    table = TABLE.copy()
    table[2, 1] = value
    with pytest.raises(DataError, match=rf"codes{suffix}: 1 of 5 embeddings hold NaN or infinity, the first at row 2"):
        load_embeddings(write(tmp_path / f"codes{suffix}", table))


def test_numbers_too_large_for_single_precision_are_refused(tmp_path):
    with pytest.raises(DataError, match="infinity"):
        load_embeddings(write(tmp_path / "codes.npy", TABLE.astype(np.float64) * 1e300))


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
def test_constant_embeddings_are_refused(tmp_path, suffix):
    with pytest.raises(DataError, match="all 5 embeddings are the same"):
        load_embeddings(write(tmp_path / f"codes{suffix}", np.repeat(TABLE[:1], 5, 0)))


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
def test_empty_files_are_refused(tmp_path, suffix):
    with pytest.raises(DataError, match="holds no embeddings"):
        load_embeddings(write(tmp_path / f"codes{suffix}", TABLE[:0], []))


@pytest.mark.parametrize("table", [TABLE[0], TABLE[None], np.array([["a", "b"]])])
def test_other_shapes_and_kinds_are_refused(tmp_path, table):
    with pytest.raises(ShapeError, match=r"embeddings are numbers \[n, dim\]"):
        load_embeddings(write(tmp_path / "codes.npy", table))


def test_ids_must_be_as_many_as_rows_and_distinct(tmp_path):
    with pytest.raises(ShapeError, match="5 embeddings and 4 ids"):
        load_embeddings(write(tmp_path / "codes.npz", ids=IDS[:4]))
    with pytest.raises(DataError, match="1 ids twice"):
        load_embeddings(write(tmp_path / "codes.npz", ids=["a", *IDS[:4]]))


def test_ambiguous_files_are_refused_with_what_they_hold(tmp_path):
    np.savez(tmp_path / "codes.npz", first=TABLE, second=TABLE)
    with pytest.raises(ShapeError, match=r"holds first, second; name the array \[n, dim\] 'embeddings'"):
        load_embeddings(tmp_path / "codes.npz")
    pq.write_table(pa.table({"id": IDS}), tmp_path / "codes.parquet")
    with pytest.raises(ShapeError, match="has the columns id"):
        load_embeddings(tmp_path / "codes.parquet")


@pytest.mark.parametrize("rows", [[[1.0, 2.0], [1.0]], [[1.0, 2.0], None]])
def test_ragged_lists_are_refused(tmp_path, rows):
    pq.write_table(pa.table({"embedding": rows}), tmp_path / "codes.parquet")
    with pytest.raises(ShapeError, match="every row needs the same number"):
        load_embeddings(tmp_path / "codes.parquet")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"RIFF" * 99]
)
def test_damaged_files_are_refused_by_name(tmp_path, suffix, damage):
    path = write(tmp_path / f"codes{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtefactError, match=rf"codes{suffix} \(\d+ bytes\) could not be read"):
        load_embeddings(path)


def test_python_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "codes.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    with pytest.raises(ArtefactError, match="without Python objects"):
        load_embeddings(tmp_path / "codes.npy")


def test_absent_files_and_other_endings_are_named(tmp_path):
    with pytest.raises(ArtefactError, match="there is no file"):
        load_embeddings(tmp_path / "codes.npy")
    with pytest.raises(ArtefactError, match=r"none of .npy, .npz, .parquet"):
        load_embeddings(tmp_path / "codes.csv")


def test_precomputed_is_the_identity_and_checks_its_input():
    encoder, y = Precomputed(3), torch.from_numpy(TABLE)
    assert torch.equal(encoder.encode(y), y)
    assert encoder.silence().tolist() == [[0.0, 0.0, 0.0]]
    with pytest.raises(ShapeError, match=r"\[n, 3\]"):
        encoder.encode(y[:, :2])


def test_a_known_origin_is_the_code_of_silence_and_part_of_the_identity():
    origin = torch.tensor([1.0, 2.0, 3.0])
    assert torch.equal(Precomputed(3, origin).silence(), origin[None])
    assert Precomputed(3, origin).identity != Precomputed(3).identity
    with pytest.raises(ShapeError, match=r"this one is \[2\]"):
        Precomputed(3, origin[:2])
