"""``oplas discover`` and ``oplas certify --ring``: what turns, and what does not."""

import math

import numpy as np
import pytest


@pytest.fixture
def turning(tmp_path):
    angle = 2 * math.pi * (np.arange(30)[None] + np.arange(6)[:, None]) / 12
    np.save(tmp_path / "ring.npy", np.stack([np.cos(angle), np.sin(angle)], 2))
    return tmp_path / "ring.npy"


def test_a_ring_is_discovered_certified_and_drawn(run, turning, tmp_path):
    said = run("discover", turning, "--plots", tmp_path / "plots", "--json")
    assert said.code == 0 and said.facts["family"] == "rotation" and said.facts["period"] == 12
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"angles.png", "eigenvalues.png"}
    said = run("certify", turning, "--ring", "--json")
    assert said.facts["period"] == 12 and said.code in {0, 3}


def test_embedded_files_are_sequences_and_noise_is_no_structure(run, tmp_path):
    generator = np.random.default_rng(0)
    ids = np.array([f"{name}.wav@{start:.3f}" for name, count in (("a", 40), ("b", 44)) for start in range(count)])
    np.savez(tmp_path / "latents.npz", embeddings=generator.normal(size=(84, 3)).astype(np.float32), ids=ids)
    said = run("discover", tmp_path / "latents.npz")
    assert said.code == 4 and said.out.startswith("no such structure") and "each is cut to 40" in said.err


def test_pairs_in_two_files(run, tmp_path):
    z = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.save(tmp_path / "a.npy", z)
    np.save(tmp_path / "b.npy", z + np.array([1, 2, 0], np.float32))
    said = run("discover", tmp_path / "a.npy", "--after", tmp_path / "b.npy", "--json")
    assert said.code == 0 and said.facts["family"] == "translation"


def test_what_will_not_do_is_refused(run, tmp_path):
    np.save(tmp_path / "nan.npy", np.full((20, 3), np.nan))
    assert run("discover", tmp_path / "nan.npy").code == 65
    np.save(tmp_path / "still.npy", np.ones((2, 20, 3)))
    assert run("discover", tmp_path / "still.npy").code == 65
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    assert run("discover", tmp_path / "cut.npy").code == 65
    assert run("discover", tmp_path / "missing.npy").code == 65
    assert run("certify", tmp_path / "nan.npy").code == 2
