"""Learning makes laws hold on songs not learned from, and comes to the same end however often it is stopped on the way."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fakes import Bent, Clouds, bent, clouds, constant
from torch import Generator, Tensor, nn

import oplas
from oplas import History, Space, certify, learn
from oplas._errors import ArtefactError, DataError
from oplas._types import Trials
from oplas.actions import Mix
from oplas.data import band
from oplas.data.stems import Stems
from oplas.encoders import log_mel
from oplas.encoders.base import freeze
from oplas.laws import Equivariance, Law, RoundTrip, Seen, nondegenerate
from oplas.operators import Sum
from oplas.projectors import MLP, Energies

SOURCE = str(Path(oplas.__file__).parents[1])
HERE = str(Path(__file__).parent)
VALID = Mix().trials(bent(), Clouds(("held 1", "held 2")), 48, Generator().manual_seed(0))
SHORT = {"valid": VALID, "steps": 40, "batch": 32, "evidence": 64, "checks": 8, "progress": False}


class Interrupted(Law):
    """A law that is always met, and interrupts when it has been asked so many times."""

    def __init__(self, after: int = 10**9) -> None:
        super().__init__()
        self.after = after
        self.asked = 0

    def __repr__(self) -> str:
        return "Interrupted()"

    def residual(self, seen: Seen) -> Tensor:
        self.asked += self.training
        if self.asked > self.after:
            raise KeyboardInterrupt
        return seen.after * 0


def make(seed: int = 0, encoder=None, after: int = 10**9) -> Space:
    torch.manual_seed(seed)
    laws = [Equivariance(Mix(), Sum()), RoundTrip(0.5), *nondegenerate(), Interrupted(after)]
    return Space(encoder or bent(), MLP(6, 4, hidden=16, blocks=1), inverse=MLP(4, 6, hidden=16, blocks=1), laws=laws)


def same(a: Space, b: Space) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def test_learning_lowers_the_held_out_loss_and_beats_the_untrained():
    songs, held = clouds(20).split(0.8, 0.2)
    untrained, space = make(), make()
    history = learn(space, songs, seed=0, steps=100, batch=64, evidence=512, progress=False)
    assert min(history.valid) < 0.8 * history.valid[0]
    assert history.valid[history.steps.index(history.best_step)] == min(history.valid)
    before, after = certify(untrained, held), certify(space, held)
    assert after.row.r2 > before.row.r2 and after.row.r2 > 0.5
    assert after.row.top1 > max(before.row.top1, {r.space: r for r in after.rows}["untrained"].top1)
    assert after.row.effective_rank > 2
    assert str(history).startswith(history.stopped) and history.to_dict()["best_step"] == history.best_step
    assert space.card["learned"]["history"]["valid"] == history.valid
    assert not space.training


def test_learning_from_sound_beats_the_untrained():
    songs, held = band(songs=8, seconds=8).split(0.75, 0.25)
    encoder = log_mel(bands=16, seconds=1.0, segments=1)
    torch.manual_seed(0)
    space = Space(encoder, Energies(16, 6, hidden=32, units=16), laws=[Equivariance(Mix(), Sum()), *nondegenerate()])
    parts = zip(songs.split(0.8, 0.2), (800, 200), strict=True)
    train, valid = (Mix().trials(encoder, part, n, Generator().manual_seed(0)) for part, n in parts)
    learn(space, train, valid, steps=40, batch=64, progress=False)
    found = {row.space: row for row in certify(space, held).rows}
    assert found["this space"].r2 > 0.8 > max(found["untrained"].r2, found["encoder's own"].r2)


def test_same_seed_same_bits_and_the_callers_randomness_is_left_alone():
    spaces = [make(), make()]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    histories = [learn(space, clouds(), seed=7, **SHORT) for space in spaces]
    assert same(*spaces) and histories[0].valid == histories[1].valid
    assert torch.equal(torch.get_rng_state(), state)
    other = make()
    learn(other, clouds(), seed=8, **SHORT)
    assert not same(spaces[0], other)


def test_encoder_is_not_touched():
    class Weighted(Bent):
        def __init__(self) -> None:
            super().__init__(6)
            self.mix = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(super().forward(x))

    encoder = freeze(Weighted())
    before = encoder.identity
    learn(make(encoder=encoder), clouds(), **SHORT)
    assert encoder.identity == before and not encoder.training and all(p.grad is None for p in encoder.parameters())


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Space, History]:
    """What a run that nothing interrupts comes to."""
    space = make()
    return space, learn(space, clouds(), folder=tmp_path_factory.mktemp("whole") / "state", **SHORT)


@pytest.mark.parametrize("stop", [1, 18, 29, 40])  # one is asked before the first step; at step 28 the head is solved for
def test_interrupted_run_resumes_to_the_same_bits(tmp_path, whole, stop):
    with pytest.raises(KeyboardInterrupt):
        learn(make(after=stop), clouds(), folder=tmp_path / "cut", **SHORT)
    assert (tmp_path / "cut" / "card.json").is_file()
    again = make(seed=99)  # other parameters to start from: all that counts is in the folder
    resumed = learn(again, clouds(), folder=tmp_path / "cut", **SHORT)
    assert resumed.valid == whole[1].valid and resumed.train == whole[1].train and resumed.best_step == whole[1].best_step
    assert same(whole[0], again)


def test_finished_run_is_not_run_again(tmp_path):
    first, second = make(), make(seed=3)
    learn(first, clouds(), folder=tmp_path / "run", **SHORT)
    learn(second, clouds(), folder=tmp_path / "run", **SHORT)
    assert same(first, second)


def test_ctrl_c_in_the_middle_of_a_step_waits_for_its_end(tmp_path, monkeypatch, whole):
    real, calls = torch.optim.AdamW.step, []

    def step(self, *args, **options):
        calls.append(1)
        if len(calls) == 21:  # half of the parameters are moved when it comes
            parameters = self.param_groups[0]["params"]
            held, self.param_groups[0]["params"] = parameters, parameters[: len(parameters) // 2]
            real(self, *args, **options)
            os.kill(os.getpid(), signal.SIGINT)
            self.param_groups[0]["params"] = held[len(held) // 2 :]
            real(self, *args, **options)
            self.param_groups[0]["params"] = held
            return None
        return real(self, *args, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    with pytest.raises(KeyboardInterrupt):
        learn(make(), clouds(), folder=tmp_path / "cut", **SHORT)
    monkeypatch.undo()
    again = make(seed=4)
    learn(again, clouds(), folder=tmp_path / "cut", **SHORT)
    assert len(calls) == 21 and same(whole[0], again)


LONG = {**SHORT, "steps": 200, "patience": 99}
SCRIPT = f"""
import sys; sys.path.insert(0, {HERE!r})
import torch; torch.set_num_threads(1)
from pathlib import Path
from fakes import clouds
from test_learn import LONG, make
from oplas import learn
folder = Path(sys.argv[1])
space = make()
learn(space, clouds(), folder=folder, **LONG)
"""


def test_killed_process_resumes_to_the_same_bits(tmp_path):
    space = make()
    learn(space, clouds(), folder=tmp_path / "whole", **LONG)
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "cut")], env=environment)
    until = time.monotonic() + 120
    while not (tmp_path / "cut" / "card.json").is_file() and time.monotonic() < until:
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    again = make(seed=4)
    learn(again, clouds(), folder=tmp_path / "cut", **LONG)
    assert same(space, again)


def test_resuming_with_other_settings_is_refused(tmp_path):
    learn(make(), clouds(), folder=tmp_path / "run", **SHORT)
    for change, word in (
        ({"seed": 1}, "seed=0, now 1"),
        ({"batch": 16}, "batch=32, now 16"),
        ({"steps": 50}, "steps=40, now 50"),
        ({"rate": 2e-3}, "rate"),
        ({"patience": 2}, "patience"),
    ):
        with pytest.raises(ArtefactError, match=f"run with other settings .*{word}"):
            learn(make(), clouds(), folder=tmp_path / "run", **{**SHORT, **change})
    with pytest.raises(ArtefactError, match="data="):
        learn(make(), clouds(9), folder=tmp_path / "run", **SHORT)
    smaller = Space(bent(), MLP(6, 3, hidden=16), inverse=MLP(3, 6), laws=make().laws)
    with pytest.raises(ArtefactError, match="projector="):
        learn(smaller, clouds(), folder=tmp_path / "run", **SHORT)
    narrower = Space(bent(), MLP(6, 4, hidden=16, blocks=1), inverse=MLP(4, 6, hidden=8), laws=make().laws)
    with pytest.raises(ArtefactError, match="inverse="):
        learn(narrower, clouds(), folder=tmp_path / "run", **SHORT)


def test_damaged_or_foreign_state_is_refused(tmp_path):
    learn(make(), clouds(), folder=tmp_path / "run", **SHORT)
    tensors = next((tmp_path / "run").glob("tensors-*"))
    tensors.write_bytes(tensors.read_bytes()[:-1])
    with pytest.raises(ArtefactError, match="truncated"):
        learn(make(), clouds(), folder=tmp_path / "run", **SHORT)
    make().save(tmp_path / "space")
    with pytest.raises(ArtefactError, match="holds a saved space"):
        learn(make(), clouds(), folder=tmp_path / "space", **SHORT)


class Sick(Bent):
    """One code in a thousand is beyond what a number can hold once squared."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.where(torch.arange(len(x)) == 0, 1e30, 1.0)[:, None]


class Absent(Bent):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.nan


def test_data_that_cannot_be_learned_from_is_refused():
    with pytest.raises(DataError, match="are the same"):
        learn(make(encoder=constant()), clouds(), **SHORT)
    with pytest.raises(DataError, match="NaN or infinity"):
        make(encoder=freeze(Absent()))
    with pytest.raises(DataError, match="songs cannot"):
        learn(make(), clouds(1), **{**SHORT, "valid": None})
    with pytest.raises(DataError, match="none to stop on"):
        learn(make(), Mix().trials(bent(), clouds(), 32, Generator().manual_seed(0)), **{**SHORT, "valid": None})
    with pytest.raises(DataError, match="no law with an action"):
        learn(Space(bent(), MLP(6, 4), laws=[RoundTrip()]), clouds(), **SHORT)
    with pytest.raises(DataError):
        learn(make(encoder=freeze(Sick())), clouds(), **SHORT)
    with pytest.raises(DataError, match=r"the songs held out became (nan|inf)"):
        learn(make(), clouds(), **{**SHORT, "valid": replace(VALID, after=VALID.after * 1e30)})
    same_song = Stems([band(songs=1, seconds=4).songs[0]] * 4)
    with pytest.raises(DataError, match="share a part"):
        learn(make(encoder=log_mel(bands=6, seconds=1.0, segments=1)), same_song, **{**SHORT, "valid": None})


def test_held_out_songs_are_not_learned_from():
    seen: list[Trials] = []

    class Recording(Mix):
        def trials(self, encoder, data, count, generator, *, grid=False):
            made = super().trials(encoder, data, count, generator, grid=grid)
            seen.append(made)
            return made

    space = Space(bent(), MLP(6, 4, hidden=8), laws=[Equivariance(Recording(), Sum()), *nondegenerate()])
    learn(space, clouds(), **{**SHORT, "valid": None})
    groups = {made.songs for made in seen}
    assert len(groups) == 2
    assert not set.intersection(*map(set, groups)) and set.union(*map(set, groups)) == set(clouds().names)


RANKS = f"""
import os, sys; sys.path.insert(0, {HERE!r})
import torch; torch.set_num_threads(1)
from pathlib import Path
from fakes import clouds
from test_learn import make, SHORT
from oplas import learn
from safetensors.torch import save_file
rank = int(os.environ["RANK"])
space = make(seed=rank)
history = learn(space, clouds(), folder=Path(sys.argv[1]) / "state", **{{**SHORT, "patience": 2}})
told = {{"steps": torch.tensor(history.steps), "valid": torch.tensor(history.valid)}}
save_file({{**space.state_dict(), **told}}, Path(sys.argv[1]) / f"{{rank}}.safetensors")
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch was built without torch.distributed")
def test_two_processes_end_with_equal_parameters(tmp_path):
    from safetensors.torch import load_file

    (tmp_path / "script.py").write_text(RANKS)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0", "--standalone"]
    environment = {**os.environ, "PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
    command += [str(tmp_path / "script.py"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert first.keys() == second.keys()
    assert [key for key in first if not torch.equal(first[key], second[key])] == []
    alone = make()
    learn(alone, clouds(), **SHORT)
    assert not torch.equal(alone.projector.head, first["projector.head"]), "the second process saw nothing of its own"
