"""Learning: the same from the same seed, killed or not; and it does learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oplas import ArtefactError, DataError
from oplas.decompose import Compose, _loop, learn
from oplas.decompose.objectives import Objective


class Killed(BaseException):
    """As sudden as a kill: nothing is saved on the way out."""


class Fragile(Compose):
    """Ends the run when it is asked for the nth loss to learn from."""

    def __init__(self, after: int, by: type[BaseException]) -> None:
        super().__init__()
        self.left, self.by = after, by

    def __repr__(self) -> str:
        return "Compose()"

    def loss(self, model, batch, codec, generator):
        if torch.is_grad_enabled():
            self.left -= 1
            if not self.left:
                raise self.by
        return super().loss(model, batch, codec, generator)


def weights(made) -> dict[str, torch.Tensor]:
    return {**made.model.state_dict(), **{f"prior.{k}": v for k, v in made.prior.state_dict().items()}}


def test_killed_and_resumed_is_uninterrupted(songs, tmp_path, monkeypatch) -> None:
    how = {"size": "S", "steps": 6, "progress": False, "seed": 3}
    whole = learn(songs, 2, objectives=[Compose()], **how)
    monkeypatch.setattr(_loop, "OFTEN", -1)  # save at every step
    for after, by in ((3, Killed), (3, KeyboardInterrupt)):
        with pytest.raises(by):
            learn(songs, 2, objectives=[Fragile(after, by)], folder=tmp_path / "state", **how)
    resumed = learn(songs, 2, objectives=[Compose()], folder=tmp_path / "state", **how)
    assert all(torch.equal(value, weights(resumed)[key]) for key, value in weights(whole).items())
    assert resumed.card["loss"] == whole.card["loss"] and resumed.card["prior_loss"] == whole.card["prior_loss"]
    with pytest.raises(ArtefactError, match="other settings"):
        learn(songs, 2, folder=tmp_path / "state", **{**how, "seed": 4})


def test_it_learns(learned) -> None:
    assert learned.card["loss"]["held"][-1] < 0.9 * learned.card["loss"]["held"][0]
    assert learned.card["prior_loss"]["held"][-1] < learned.card["prior_loss"]["held"][0]


def test_minutes_become_steps_once(songs, tmp_path) -> None:
    how = {"size": "S", "minutes": 1e-4, "prior": False, "progress": False, "folder": tmp_path / "state"}
    first = learn(songs, 2, **how)
    assert first.card["steps"] == 10 and first.prior is None
    assert torch.equal(learn(songs, 2, **how).model.scale, first.model.scale)


def test_every_objective_is_weighed(songs) -> None:
    class Still(Objective):
        def loss(self, model, batch, codec, generator):
            assert batch.waves.shape[1] == codec.samples(64) and batch.codes.shape[1:] == (codec.channels, 64)
            assert int(batch.song.max()) < 3  # one of four is held out
            return next(model.parameters()).new_tensor(1.0, requires_grad=True)

    made = learn(songs, 2, size="S", steps=2, objectives=[Still(weight=0.25)], view="clean", prior=False, progress=False)
    assert made.card["loss"]["held"] == [0.25, 0.25]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 3, "minutes": 1}, "give one"),
        ({"steps": 0}, "nothing to do"),
        ({"objectives": []}, "nothing to do"),
        ({"view": "clean"}, "Compose alone"),
        ({"parts": 9}, "1 to 8"),
        ({"codec": "mp3"}, "no codec"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(songs, wrong, message: str) -> None:
    with pytest.raises(DataError, match=message):
        learn(songs, **{"parts": 2, "size": "S", "progress": False, **wrong})


@pytest.mark.parametrize(
    ("songs", "message"),
    [
        ([np.ones(96_000, np.float32)], r"1 song\(s\) can be learned from"),
        ([np.ones(96_000, np.float32)] * 3, r"1 song\(s\) can be learned from, at least 2 different"),
        ([np.zeros(96_000, np.float32)] * 2, "silent"),
        ([np.full(96_000, np.nan, np.float32)] * 2, "NaN"),
        ([np.ones(900, np.float32), np.ones(2000, np.float32)], "a window 1.34 s"),
        ([np.ones((2, 2, 9), np.float32)] * 2, "shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*left out")
def test_songs_that_cannot_be_learned_from(songs, message: str) -> None:
    with pytest.raises(DataError, match=message):
        learn(songs, 2, size="S", steps=1, progress=False)


def test_a_folder_whose_bad_files_are_left_out_once(songs, tmp_path) -> None:
    import soundfile

    for name, wave in list(songs.items())[:3]:
        soundfile.write(tmp_path / f"{name}.wav", np.stack([wave, wave / 2], 1), 24_000)
    (tmp_path / "noise.mp3").write_bytes(b"no music at all")
    soundfile.write(tmp_path / "short.wav", np.ones(500, np.float32) / 2, 44_100)
    with pytest.warns(UserWarning, match=r"2 song\(s\) left out"):
        made = learn(tmp_path, 2, size="S", steps=1, prior=False, progress=False)
    assert made.card["songs"]["count"] + made.card["held"]["count"] == 3


def test_several_numbers_a_frame_have_no_prior(songs):
    with pytest.raises(DataError, match="prior=False"):
        learn(songs, 2, size="S", numbers=2, steps=2, progress=False)
    made = learn(songs, 2, size="S", numbers=2, view="blind", prior=False, steps=2, progress=False)
    assert made.split(next(iter(songs.values())), 24_000).shape[0] == 2
    assert made.split(next(iter(songs.values())), 24_000, only=[1], consistent=False).shape[0] == 1
