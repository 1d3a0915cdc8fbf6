"""A saved space comes back whole, or not at all with a clear error."""

import ast
import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from fakes import bent, straight
from torch import Generator

import oplas
from oplas import Space, _artefact
from oplas._errors import ArtefactError, ShapeError
from oplas.actions import Gain, Mix
from oplas.laws import Equivariance, RoundTrip, nondegenerate
from oplas.operators import Scale, Sum
from oplas.projectors import MLP, Coupling


def make(seed: int = 0) -> Space:
    torch.manual_seed(seed)
    laws = [Equivariance(Mix(2, 3), Sum()), Equivariance(Gain(), Scale()), RoundTrip(0.5), *nondegenerate()]
    return Space(bent(), MLP(6, 4, hidden=8), inverse=MLP(4, 6, hidden=8), laws=laws).eval()


def codes(n: int = 9) -> torch.Tensor:
    return torch.randn(n, 6, generator=Generator().manual_seed(1))


@pytest.fixture
def saved(tmp_path):
    space = make()
    space.card["note"] = {"figures": [1.5, float("nan")], 3: "a key that is no text"}
    return space, space.save(tmp_path / "a.space")


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def tensors_of(folder: Path) -> Path:
    return next(folder.glob("tensors-*.safetensors"))


def test_round_trip_gives_the_same_latents(saved):
    space, folder = saved
    again = Space.load(folder, bent())
    assert torch.equal(again.project(codes()), space.project(codes()))
    assert torch.equal(again.lift(codes()[:, :4]), space.lift(codes()[:, :4]))
    assert not again.training
    again.save(folder.with_name("b.space"))
    assert torch.equal(Space.load(folder.with_name("b.space"), bent()).project(codes()), space.project(codes()))


def test_card_is_strict_json_that_tells_what_it_is(saved):
    card = json.loads((saved[1] / "card.json").read_text(), parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert card["note"] == {"figures": [1.5, None], "3": "a key that is no text"}
    assert card["encoder"]["identity"] == bent().identity
    assert card["laws"][0] == "Equivariance(Mix(most=3), Sum())"
    assert card["kind"] == "space"


def test_nothing_of_the_encoder_is_stored(saved):
    tensors, _ = _artefact.load(saved[1])
    assert not [key for key in tensors if key.startswith("encoder.")]


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def edit_card(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    card["encoder"]["name"] = "another"
    (folder / "card.json").write_text(json.dumps(card))


class Bomb:
    def __reduce__(self):
        return (os.system, ("false",))


def resign(folder: Path, **changes: object) -> None:
    """A forger who knows the format: the digest fits what is claimed."""
    card = json.loads((folder / "card.json").read_text()) | changes
    card.pop("card_sha256")
    card["card_sha256"] = hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


DAMAGE = {
    "a flipped bit": lambda f: flip(tensors_of(f)),
    "truncated tensors": lambda f: tensors_of(f).write_bytes(tensors_of(f).read_bytes()[:-7]),
    "empty tensors": lambda f: tensors_of(f).write_bytes(b""),
    "no tensors": lambda f: tensors_of(f).unlink(),
    "edited card": edit_card,
    "truncated card": lambda f: (f / "card.json").write_text((f / "card.json").read_text()[:-20]),
    "card of bytes": lambda f: (f / "card.json").write_bytes(b"\xff\xfe\x00"),
    "card that is a list": lambda f: (f / "card.json").write_text("[1]"),
    "deep card": lambda f: (f / "card.json").write_text("[" * 100_000),
    "no card": lambda f: (f / "card.json").unlink(),
    "newer format": lambda f: resign(f, format=99),
    "pickle for tensors": lambda f: tensors_of(f).write_bytes(pickle.dumps(Bomb())),
    "torch file for tensors": lambda f: torch.save({"a": torch.zeros(2)}, tensors_of(f)),
    "pickle for card": lambda f: (f / "card.json").write_bytes(pickle.dumps(Bomb())),
    "code for a projector": lambda f: resign(f, projector="__import__('os').system('false')"),
    "a projector of another size": lambda f: resign(f, projector="MLP(6, 5, hidden=8)"),
    "another projector": lambda f: resign(f, projector="Coupling(6)"),
    "a projector that is none": lambda f: resign(f, projector="3"),
    "tensors elsewhere": lambda f: resign(f, tensors="../../../etc/hostname"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_artefact_is_refused(saved, damage):
    _, folder = saved
    damage(folder)
    with pytest.raises(ArtefactError, match=r"a\.space"):
        Space.load(folder, bent())


def test_other_encoder_other_kind_and_nothing_at_all_are_refused(saved, tmp_path):
    _, folder = saved
    with pytest.raises(ArtefactError, match=r"learned on bent .* the encoder given is straight"):
        Space.load(folder, straight())
    with pytest.raises(ArtefactError, match="nowhere"):
        Space.load(tmp_path / "nowhere", bent())
    (tmp_path / "space.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ArtefactError, match=r"space\.pkl"):
        Space.load(tmp_path / "space.pkl", bent())
    _artefact.save(tmp_path / "run", {}, {}, kind="state of learning")
    with pytest.raises(ArtefactError, match="holds a saved state of learning"):
        Space.load(tmp_path / "run", bent())
    for place in ("run", "space.pkl"):
        with pytest.raises(ArtefactError, match="not replaced"):
            make().save(tmp_path / place)


def test_saving_again_replaces_the_artefact_and_leaves_what_else_is_there(saved):
    _, folder = saved
    (folder / "certificate.html").write_text("a page")
    other = make(seed=5)
    other.save(folder)
    assert torch.equal(Space.load(folder, bent()).project(codes()), other.project(codes()))
    assert (folder / "certificate.html").read_text() == "a page"
    assert len(list(folder.iterdir())) == 3
    assert inside(folder.parent) == [folder.name]


@pytest.mark.parametrize("moment", ["replace 1", "replace 2", "write 1", "write 2"])
def test_full_disk_while_saving_leaves_the_old_artefact(saved, monkeypatch, moment):
    space, folder = saved
    before = space.project(codes())
    what, when = moment.split()
    home, name = (os, "replace") if what == "replace" else (Path, "write_bytes")
    real, calls = getattr(home, name), []

    def full(*args, **options):
        calls.append(args)
        if len(calls) == int(when):
            if what == "write":
                real(args[0], args[1][: len(args[1]) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **options)

    monkeypatch.setattr(home, name, full)
    with pytest.raises(ArtefactError, match=r"a\.space could not be written \(No space left on device\); free space"):
        make(seed=5).save(folder)
    monkeypatch.undo()
    assert torch.equal(Space.load(folder, bent()).project(codes()), before)
    assert not [name for name in inside(folder) + inside(folder.parent) if name.startswith(".")]


def test_full_disk_at_the_first_save_leaves_nothing(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ArtefactError, match="No space left"):
        make().save(tmp_path / "a.space")
    assert not inside(tmp_path)


def test_a_writer_killed_at_any_moment_leaves_the_old_artefact_or_the_new(tmp_path):
    """A process saves two spaces in turn, endlessly, and is killed by the system; whatever lies there is one of the two."""
    folder, home = tmp_path / "a", Path(__file__).parent
    script = (
        f"import sys; sys.path.insert(0, {str(home)!r})\n"
        "from pathlib import Path; import torch; from oplas import _artefact\n"
        f"folder = Path({str(folder)!r})\n"
        "while True:\n"
        "    for value in (1.0, 2.0):\n"
        "        _artefact.save(folder, {'x': torch.full((200_000,), value)}, {'value': value})\n"
    )
    source = str(Path(oplas.__file__).parents[1])
    for wait in (0.05, 0.11):
        process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": source})
        until = time.monotonic() + 60
        while not (folder / "card.json").exists() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(wait)
        process.kill()
        process.wait()
        tensors, card = _artefact.load(folder)
        assert tensors["x"].eq(card["value"]).all()


def test_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = _artefact.write_text(tmp_path / "deep" / "page.html", "old")
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(ArtefactError, match=r"page\.html could not be written"):
        _artefact.write_text(file, "new")
    assert file.read_text() == "old" and inside(file.parent) == ["page.html"]


UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}


def test_nothing_in_oplas_unpickles():
    """No pickle, shelve, marshal or joblib; no torch.load or numpy.load that would run what a file says."""
    for file in Path(oplas.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            bad = {name.split(".")[0] for name in names} & UNPICKLERS
            assert not bad, f"{file.name}:{node.lineno} imports {bad}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                call, at = f"{node.func.value.id}.{node.func.attr}", f"{file.name}:{node.lineno}"
                words = {w.arg: getattr(w.value, "value", None) for w in node.keywords}
                assert call != "torch.load" or words.get("weights_only") is True, at
                assert call not in ("np.load", "numpy.load") or words.get("allow_pickle", False) is False, at


def test_silence_is_the_zero_of_the_space():
    space = make()
    assert space.project(space.origin).abs().max() < 1e-6
    assert space(space.encoder.silence()).abs().max() < 1e-6


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="the projector reads 5 dimensions, bent gives 6"):
        Space(bent(), MLP(5, 3, hidden=4))
    with pytest.raises(ShapeError, match="14 features, which cannot span 15 dimensions"):
        Space(bent(), MLP(6, 15, hidden=8))
    with pytest.raises(ShapeError, match="the inverse maps 5 to 6 dimensions; this space needs 3 to 6"):
        Space(bent(), MLP(6, 3, hidden=4), inverse=MLP(5, 6, hidden=4))
    with pytest.raises(ShapeError, match="no inverse"):
        Space(bent(), MLP(6, 3, hidden=4)).lift(torch.zeros(1, 3))


def test_the_encoder_stays_frozen():
    space = Space(bent(), Coupling(6))
    assert not [p for p in space.encoder.parameters() if p.requires_grad]


def test_latents_do_not_depend_on_the_batch_they_come_in():
    space, y = make(), codes()
    assert torch.allclose(space.project(y), torch.cat([space.project(row[None]) for row in y]), atol=1e-5)
