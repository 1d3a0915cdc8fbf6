"""Translating files of vectors from the command line: any size, any kill, old column kept."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from oplas.translators import Affine, Translator

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

migration = importlib.import_module("oplas._migrate")
ENTRY = "from oplas.cli import main; main()"


def models(rows: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the same things by two models: the second a turn of the first, and a little noise."""
    draw = np.random.default_rng(seed)
    truth = np.random.default_rng(99).standard_normal((8, 6))
    old = draw.standard_normal((rows, 8)).astype(np.float32)
    return old, (old @ truth + 1 + 0.05 * draw.standard_normal((rows, 6))).astype(np.float32)


def keep(path: Path, vectors: np.ndarray, ids: list[str] | None = None, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ids or [f"row {i}" for i in range(len(vectors))]
    if path.suffix == ".npy":
        np.save(path, vectors)
    elif path.suffix == ".npz":
        np.savez(path, embeddings=vectors, ids=np.array(names))
    else:
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        pq.write_table(pa.table({"id": names, "text": [f"text of {n}" for n in names], "embedding": column, **columns}), path, 100)
    return path


def vectors(path: Path, column: str) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".npz":
        return np.load(path)[column.replace("embedding", "embeddings", 1) if column == "embedding" else column]
    held = pq.read_table(path).column(column)
    return np.array(held.to_pylist(), np.float32)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("oplas._migrate", "oplas._tables"):
        monkeypatch.setattr(importlib.import_module(name), "BLOCK", 64)


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    old, new = models()
    return keep(tmp_path / "old.parquet", old), keep(tmp_path / "new.parquet", new)


@pytest.fixture
def fitted(run, pairs, tmp_path) -> Path:
    out = tmp_path / "t.safetensors"
    assert run("translate", "fit", *pairs, "--out", out).code == 0
    return out


def refused(said, *words: str) -> None:
    assert said.code == 65, said.out + said.err
    assert "Traceback" not in said.err and said.err.count("oplas: ") == 1
    for word in words:
        assert word in said.err.splitlines()[-1]


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
@pytest.mark.parametrize("by", ["ridge", "orthogonal", "Ridge(by='loo')"])
def test_fit_learns_what_the_pairs_say(run, tmp_path, kind, by) -> None:
    old, new = models()
    a, b = keep(tmp_path / f"a.{kind}", old), keep(tmp_path / f"b.{kind}", new)
    said = run("translate", "fit", a, b, "--out", tmp_path / "t.safetensors", "--by", by, "--json")
    assert said.code == 0 and said.facts["pairs"] == 600 and said.facts["dims"] == [8, 6]
    assert said.facts["r2"] > (0.99 if "idge" in by else 0.3)
    loaded = Translator.load(tmp_path / "t.safetensors")
    assert abs(loaded.score(*models(seed=7)) - said.facts["r2"]) < 0.05


def test_pairs_are_found_by_id_whatever_their_order(run, tmp_path) -> None:
    old, new = models()
    names = [f"row {i}" for i in range(600)]
    order = np.random.default_rng(3).permutation(600)[:500]
    a = keep(tmp_path / "a.parquet", old, names)
    b = keep(tmp_path / "b.npz", new[order], [names[i] for i in order])
    said = run("translate", "fit", a, b, "--out", tmp_path / "t.safetensors", "--json")
    assert said.facts["pairs"] == 500 and said.facts["r2"] > 0.99
    assert "500 ids are in both files" in said.facts["warnings"][0]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_apply_is_the_translator_row_by_row_and_copies_the_rest(run, fitted, tmp_path, kind) -> None:
    old, _ = models(333, seed=5)
    source, out = keep(tmp_path / f"index.{kind}", old), tmp_path / f"out.{kind}"
    said = run("translate", "apply", fitted, source, "--out", out, "--json")
    assert said.code == 0 and said.facts["vectors"] == 333
    truth = Translator.load(fitted).transform(old)
    assert truth.dtype == np.float32
    assert np.allclose(vectors(out, "embedding"), truth, atol=1e-6)
    if kind == "parquet":
        copied, given = pq.read_table(out), pq.read_table(source)
        assert copied.column_names == given.column_names and copied["text"].equals(given["text"])
    if kind == "npz":
        assert np.load(out)["ids"].tolist() == np.load(source)["ids"].tolist()
    assert not list(tmp_path.glob("*.run")) and not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_numbers_keep_their_precision(run, tmp_path, dtype) -> None:
    old, new = (z.astype(dtype) for z in models())
    a, b = keep(tmp_path / "a.npy", old), keep(tmp_path / "b.npy", new)
    assert run("translate", "fit", a, b, "--out", tmp_path / "t.safetensors").code == 0
    assert run("translate", "apply", tmp_path / "t.safetensors", a, "--out", tmp_path / "out.npy").code == 0
    assert np.load(tmp_path / "out.npy").dtype == dtype


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_a_stop_half_way_goes_on_to_the_same_bytes(run, fitted, tmp_path, monkeypatch, kind) -> None:
    source = keep(tmp_path / f"index.{kind}", models(333, seed=5)[0])
    assert run("translate", "apply", fitted, source, "--out", tmp_path / f"whole.{kind}").code == 0
    transform, calls = Affine.__mro__[2].transform, []

    def stop(self: Translator, X: np.ndarray) -> np.ndarray:
        calls.append(len(X))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return transform(self, X)

    out = tmp_path / f"out.{kind}"
    monkeypatch.setattr(Translator, "transform", stop)
    said = run("translate", "apply", fitted, source, "--out", out)
    assert said.code == 130 and f"{out}.run" in said.err
    assert not out.exists() and len(list((tmp_path / f"out.{kind}.run").glob("0*.npy"))) == 3
    calls.clear()
    calls.append(0)
    calls.extend([0] * 9)  # past the stop
    assert run("translate", "apply", fitted, source, "--out", out).code == 0
    assert calls[10:] == [64, 64, 13]  # what was done is not done again
    if kind == "npz":  # times of day are kept inside
        assert all(np.array_equal(np.load(out)[name], np.load(tmp_path / "whole.npz")[name]) for name in ("embeddings", "ids"))
    else:
        assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
    assert not list(tmp_path.glob("*.run"))


def test_a_kill_leaves_nothing_that_looks_whole(fitted, tmp_path) -> None:
    source, out = keep(tmp_path / "index.npy", np.tile(models(500)[0], (300, 1))), tmp_path / "out.npy"
    words = [sys.executable, "-c", ENTRY, "translate", "apply", str(fitted), str(source), "--out", str(out)]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while running.poll() is None and time.monotonic() < deadline and not (tmp_path / "out.npy.run" / "000001.npy").exists():
        time.sleep(0.002)
    running.kill()
    running.wait()
    if running.returncode == -signal.SIGKILL:
        assert not out.exists()
    again = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["vectors"] == 150_000
    made = np.load(out, mmap_mode="r")
    assert np.allclose(made[-500:], Translator.load(fitted).transform(models(500)[0]), atol=1e-6)
    assert not (tmp_path / "out.npy.run").exists()


def test_a_half_done_translation_of_something_else_is_refused(run, fitted, tmp_path) -> None:
    source = keep(tmp_path / "index.npy", models(100)[0])
    run_folder = tmp_path / "out.npy.run"
    run_folder.mkdir()
    (run_folder / "run.json").write_text(json.dumps({"mark": "another"}))
    refused(run("translate", "apply", fitted, source, "--out", tmp_path / "out.npy"), "half-done translation of another file")
    (run_folder / "run.json").write_text("not ours")
    refused(run("translate", "apply", fitted, source, "--out", tmp_path / "out.npy"), "is in the way")


def test_report_tells_a_translation_from_a_shuffle(run, pairs, tmp_path) -> None:
    said = run("translate", "report", *pairs, "--out", tmp_path / "r.json", "--json")
    assert said.code == 0 and said.facts["verdict"] == "holds"
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "holds"
    mixed = keep(tmp_path / "mixed.parquet", models()[1][np.random.default_rng(0).permutation(600)])
    said = run("translate", "report", pairs[0], mixed, "--json")
    assert said.code == said.facts["exit"] == 4 and said.facts["verdict"] == "no correspondence"


def test_report_of_a_saved_translator_on_new_pairs(run, fitted, tmp_path) -> None:
    old, new = models(seed=8)
    a, b = keep(tmp_path / "a.npy", old), keep(tmp_path / "b.npy", new)
    said = run("translate", "report", a, b, "--translator", fitted, "--json")
    assert said.code == 0 and said.facts["rows"][0]["r2"] > 0.99


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_upgrade_keeps_the_old_column_and_foretells_its_recall(run, pairs, tmp_path, kind) -> None:
    old, new = models(2000, seed=4)
    index, out = keep(tmp_path / f"index.{kind}", old), tmp_path / f"upgraded.{kind}"
    said = run("translate", "upgrade", index, "--old", pairs[0], "--new", pairs[1], "--out", out, "--json")
    assert said.code == 0 and said.facts["vectors"] == 2000
    assert np.array_equal(vectors(out, "embedding"), old)
    made = vectors(out, "embedding_new")
    query = models(300, seed=6)[1]

    def near(gallery: np.ndarray) -> np.ndarray:
        unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
        return np.argsort(-query @ unit.T, axis=1)[:, :10]

    a, b = near(made), near(new)
    recall = np.mean([len(set(x) & set(y)) / 10 for x, y in zip(a, b, strict=True)])
    assert said.facts["low"] - 0.05 < recall < said.facts["high"] + 0.05
    assert said.facts["recall"] < said.facts["measured"]["600"] + 1e-9


def test_upgrade_of_a_folder_skips_what_is_done(run, pairs, tmp_path, monkeypatch) -> None:
    index, out = tmp_path / "index", tmp_path / "new"
    for part in range(3):
        keep(index / "deep" / f"part-{part}.parquet", models(150, seed=part)[0])
    words = ("translate", "upgrade", index, "--old", pairs[0], "--new", pairs[1], "--out", out, "--into", "v2", "--json")
    assert run(*words).facts["vectors"] == 450
    (out / "deep" / "part-1.parquet").unlink()
    stamps = {path.name: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert run(*words).code == 0
    now = {path.name: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert len(now) == 3 and all(now[name] == stamp for name, stamp in stamps.items())
    assert vectors(out / "deep" / "part-1.parquet", "v2").shape == (150, 6)


def test_a_dry_run_and_a_recall_too_low_write_nothing(run, pairs, tmp_path) -> None:
    index = keep(tmp_path / "index.parquet", models(300, seed=4)[0])
    words = ("translate", "upgrade", index, "--old", pairs[0], "--new", pairs[1])
    assert "nothing was written" in run(*words, "--dry-run").out
    said = run(*words, "--out", tmp_path / "upgraded.parquet", "--least", "0.999", "--json")
    assert said.code == said.facts["exit"] == 3
    assert not (tmp_path / "upgraded.parquet").exists()
    refused(run(*words), "--out FILE, or --dry-run")


def test_an_index_of_another_model_is_noticed(run, pairs, tmp_path) -> None:
    strange = keep(tmp_path / "index.parquet", models(400)[0] * 3 + 2)
    said = run("translate", "upgrade", strange, "--old", pairs[0], "--new", pairs[1], "--dry-run", "--json")
    assert any("are not drawn as the anchors' are" in each for each in said.facts["warnings"])
    narrow = keep(tmp_path / "narrow.parquet", models(400)[0][:, :5])
    refused(run("translate", "upgrade", narrow, "--old", pairs[0], "--new", pairs[1], "--dry-run"), "of other models")


def test_files_that_will_not_do(run, pairs, fitted, tmp_path) -> None:
    old, new = models()
    a, b = keep(tmp_path / "a.npy", old), keep(tmp_path / "b.npy", new[:-1])
    out = ("--out", tmp_path / "o.npy")
    fit = ("translate", "fit")
    refused(run(*fit, a, b, *out), "600 vectors", "599")
    refused(run(*fit, a, tmp_path / "none.npy", *out), "there is no file")
    refused(run(*fit, a, keep(tmp_path / "c.npz", new, [f"other {i}" for i in range(600)]), *out, "--column", "x"), "embeddings")
    other = keep(tmp_path / "ids.parquet", new, [f"other {i}" for i in range(600)])
    refused(run(*fit, pairs[0], other, *out), "no id in common")
    refused(run(*fit, *pairs, *out, "--by", "magic"), "no translator 'magic'")
    sick = old.copy()
    sick[123, 4] = np.nan
    refused(run("translate", "apply", fitted, keep(tmp_path / "sick.npy", sick), *out), "row 123", "NaN")
    refused(run("translate", "apply", fitted, keep(tmp_path / "thin.npy", old[:, :3]), *out), "fitted on 8")
    refused(run("translate", "apply", fitted, a, "--out", tmp_path / "o.parquet"), "has the kind of its source")
    refused(run("translate", "apply", fitted, a, "--out", a), "written over")
    refused(run("translate", "upgrade", pairs[0], "--old", pairs[0], "--new", pairs[1], "--out", pairs[1]), "written over")
    refused(run("translate", "apply", a, a, *out), "a.npy")
    whole = pairs[0].read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    refused(run("translate", "apply", fitted, tmp_path / "cut.parquet", "--out", tmp_path / "o.parquet"), "damaged")
    cut = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(cut[: len(cut) // 2])
    refused(run("translate", "apply", fitted, tmp_path / "cut.npy", *out), "cut.npy")
    refused(run("translate", "upgrade", a, "--old", *pairs[:1], "--new", pairs[1], *out), "one array")
    uneven = pa.table({"id": ["a", "b"], "embedding": [[1.0] * 8, [2.0]]})
    pq.write_table(uneven, tmp_path / "uneven.parquet")
    refused(run("translate", "apply", fitted, tmp_path / "uneven.parquet", "--out", tmp_path / "o.parquet"), "row 1", "1 numbers")
    assert not (tmp_path / "o.npy").exists() and not (tmp_path / "o.parquet").exists()


def test_a_new_column_must_be_new(run, pairs, tmp_path) -> None:
    index = keep(tmp_path / "index.parquet", models(300)[0])
    words = ("translate", "upgrade", index, "--old", pairs[0], "--new", pairs[1], "--out", tmp_path / "upgraded.parquet", "--into")
    refused(run(*words, "embedding"), "cannot be called 'embedding'")
    refused(run(*words, "text"), "a column 'text' already")
