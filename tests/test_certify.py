"""What a certificate says of spaces whose answer is known."""

import json
import math
from dataclasses import replace

import pytest
import torch
from fakes import bent, clouds, constant, straight
from torch import Generator, Tensor

from oplas import Space, certify
from oplas._errors import DataError
from oplas._types import Trials
from oplas.actions import Gain, Mix
from oplas.data import band, toys
from oplas.data.stems import Stems
from oplas.encoders import log_mel, power_mel
from oplas.laws import Equivariance, RoundTrip, VarianceFloor
from oplas.operators import FreeOperator, Scale, Sum
from oplas.projectors import MLP, Coupling, Projector

MIXING = Equivariance(Mix(), Sum())


@pytest.fixture(scope="module")
def songs() -> Stems:
    return band(songs=8, seconds=8)


class Unbend(Projector):
    """Undoes what :class:`fakes.Bent` does, exactly: with it the space is additive by construction."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = self.width = dim

    def forward(self, y: Tensor) -> Tensor:
        return torch.sinh(y - 1) / 3


def raw(encoder, operator=None) -> Space:
    return Space(encoder, laws=[Equivariance(Mix(gain_db=(0, 0)), operator or Sum())])


def test_additive_by_construction_holds():
    found = certify(Space(bent(), Unbend(6), laws=[MIXING]), clouds())
    assert found.verdict == "holds", found.why
    assert found.row.r2 > 1 - 1e-6 and found.row.top1 == 1 and found.row.median_rank == 1
    assert found.row.affinity > 1 - 1e-6 and found.row.defect < 1e-3
    controls = {row.space: row for row in found.rows[1:]}
    assert set(controls) == {"encoder's own", "untrained", "shuffled parts", "collapsed", "mean as prediction"}
    assert controls["shuffled parts"].r2 < 0.5 and controls["mean as prediction"].r2 == pytest.approx(0, abs=1e-6)
    assert math.isnan(controls["collapsed"].r2) and controls["collapsed"].top1 == 0
    assert found.homogeneity["exponent"] == pytest.approx(1, abs=2e-3) and found.homogeneity["r2"] > 0.999


def test_an_encoder_that_is_additive_itself_holds_and_the_controls_say_so():
    found = certify(Space(straight(), laws=[MIXING]), clouds())
    assert found.verdict == "holds"
    assert "'encoder's own' and 'untrained' did as well without learning" in found.why


def test_collapsed_space_is_vacuous():
    dead = Space(bent(), MLP(6, 4, hidden=8), laws=[MIXING])
    torch.nn.init.zeros_(dead.projector.head)
    found = certify(dead, clouds())
    assert found.verdict == "vacuous" and math.isnan(found.row.r2) and found.row.top1 == 0 and found.row.effective_rank == 0


def test_a_line_is_vacuous():
    line = Space(bent(), MLP(6, 1, hidden=8), laws=[MIXING])
    assert certify(line, clouds()).verdict == "vacuous"


def test_a_space_that_obeys_and_tells_no_part_from_another_is_vacuous():
    data = clouds(spread=0.0)  # every song's drums are every other song's drums
    found = certify(raw(straight()), data)
    assert found.row.r2 > 0.999 and found.row.effective_rank >= 2 and found.row.top1 == 0
    assert found.verdict == "vacuous" and "no oftener than by chance" in found.why


def test_shuffled_evidence_does_not_hold():
    space = Space(bent(), Unbend(6), laws=[MIXING])
    mixes = Mix().trials(space.encoder, clouds(), 90, Generator().manual_seed(0), grid=True)
    wrong = replace(mixes, after=mixes.after.roll(1, 0))
    found = certify(space, wrong)
    assert found.verdict == "no simple operator" and found.row.top1 < 0.1


def test_log_mel_has_no_simple_operator(songs):
    encoder = log_mel(bands=24, seconds=1.0, segments=1)
    found = certify(Space(encoder, laws=[MIXING]), songs)
    assert found.verdict == "no simple operator"
    assert found.homogeneity["exponent"] < 0.5


def test_power_mel_holds_and_a_gain_scales_it_by_its_square(songs):
    found = certify(Space(power_mel(bands=24, seconds=1.0, segments=1), laws=[MIXING]), songs)
    assert found.verdict == "holds", found.why
    assert found.homogeneity["exponent"] == pytest.approx(2, abs=1e-2) and found.homogeneity["r2"] > 0.999
    assert set(found.by_count) == {2, 3, 4}
    assert sum(each["trials"] for each in found.by_count.values()) == found.trials
    assert all(0.9 < each["r2"] <= 1 for each in found.by_count.values())
    assert found.songs == 8 and found.conformal["bound"] == math.inf
    assert "8 songs are too few for 90%" in str(found)
    assert found.chance["top1"] == pytest.approx(1 / found.candidates)


def test_enough_songs_have_a_bound():
    found = certify(Space(bent(), laws=[MIXING]), clouds(songs=12))
    assert math.isfinite(found.conformal["bound"]) and "stays below" in str(found)


def test_figures_are_those_of_a_hand_computation_on_five_trials():
    before = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]], [[0.0, 3.0], [1.0, 1.0]],
                           [[2.0, 2.0], [0.0, 0.0]], [[4.0, 0.0], [0.0, 1.0]]])  # fmt: skip
    present = torch.tensor([[True, True], [True, True], [True, True], [True, False], [True, True]])
    after = torch.tensor([[1.0, 1.0], [2.0, 2.5], [1.0, 4.0], [2.0, 2.0], [4.0, 0.0]])
    song, label = torch.tensor([0, 0, 1, 1, 2]), -(~present).long()
    trials = Trials(before, present, after, torch.zeros(5, 2), song, label, torch.zeros(1, 2), ("a", "b", "c"), ("part",))
    found = certify(Space(straight(2), laws=[Equivariance(Mix(1, 2), Sum())]), trials)
    mean = after.mean(0)  # errors: 0, (0, .5), 0, 0, (0, 1)
    assert found.row.r2 == pytest.approx(1 - 1.25 / float((after - mean).square().sum()))
    assert found.row.defect == pytest.approx(math.sqrt(1 - found.row.r2))
    # queries: (1,0), (2,.5), (0,3), (2,2), (4,-1): the second is nearest to (2,0), the last to (4,0)
    assert found.row.top1 == 1 and found.candidates == 9 and found.trials == 5 and found.songs == 3
    assert found.by_count[1]["r2"] == 1 and found.by_count[2]["trials"] == 4
    assert all(math.isnan(each) for each in found.homogeneity.values()) and math.isnan(found.row.probe)


def test_json_is_strict_and_has_null_for_what_could_not_be_measured(tmp_path):
    mixes = Mix().trials(bent(), clouds(), 60, Generator().manual_seed(0), grid=True)
    found = certify(Space(bent(), laws=[MIXING]), mixes)
    text = found.save(tmp_path / "c.json").read_text()
    back = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert back == found.to_dict()
    assert back["homogeneity"] == {"exponent": None, "r2": None} and back["conformal"]["bound"] is None
    assert back["rows"][4]["space"] == "collapsed" and back["rows"][4]["r2"] is None


def test_certificate_is_reproducible_and_leaves_the_space_and_randomness_alone():
    torch.manual_seed(0)
    space = Space(bent(), MLP(6, 4, hidden=8), laws=[MIXING])
    before, state = {key: value.clone() for key, value in space.state_dict().items()}, torch.get_rng_state()
    first, second = certify(space, clouds(), seed=3), certify(space, clouds(), seed=3)
    assert first.to_dict() == second.to_dict()
    assert all(torch.equal(value, before[key]) for key, value in space.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_laws_of_any_kind_are_reported():
    torch.manual_seed(0)
    laws = [MIXING, Equivariance(Gain(), Scale()), Equivariance(Mix(), FreeOperator(4, 8)), RoundTrip(), VarianceFloor()]
    found = certify(Space(bent(), MLP(6, 4, hidden=8), inverse=MLP(4, 6, hidden=8), laws=laws), clouds())
    assert set(found.residuals) == {repr(law) for law in laws}
    assert all(math.isfinite(each["rms"]) for each in found.residuals.values())
    assert math.isfinite(found.code_r2) and found.axioms["status"].startswith("none")


def test_other_operators_can_be_certified():
    found = certify(Space(straight(), laws=[Equivariance(Gain(), Scale(1.0))]), clouds())
    assert found.verdict == "holds" and found.row.r2 > 1 - 1e-6
    assert certify(Space(straight(), laws=[Equivariance(Gain(), Scale(0.0))]), clouds()).verdict != "holds"


def test_axioms_of_an_invertible_space_hold_to_rounding():
    torch.manual_seed(0)
    found = certify(Space(bent(), Coupling(6, layers=2, hidden=8), laws=[MIXING]), clouds())
    assert found.axioms["status"] == "exact"
    assert all(value < 1e-6 for key, value in found.axioms.items() if key != "status")


def test_evidence_that_cannot_bear_a_verdict_is_refused(songs):
    space = Space(straight(), laws=[MIXING])
    with pytest.raises(DataError, match="no Equivariance law"):
        certify(Space(straight(), laws=[VarianceFloor()]), clouds())
    with pytest.raises(DataError, match=r"1 songs? cannot|two songs"):
        certify(space, clouds(songs=1))
    with pytest.raises(DataError, match="two songs"):
        certify(space, Mix().trials(straight(), clouds(songs=1), 12, Generator().manual_seed(0)))
    with pytest.raises(DataError, match="are the same"):
        certify(Space(constant(), laws=[MIXING]), clouds())
    same = Stems([songs.songs[0]] * 5)
    with pytest.raises(DataError, match="share a part"):
        certify(Space(power_mel(bands=24, seconds=1.0, segments=1), laws=[MIXING]), same)


def test_toy_is_certified():
    from oplas.encoders import mixer

    class Analytic(Projector):
        def __init__(self) -> None:
            super().__init__()
            self.dim = self.width = 2

        def forward(self, y: Tensor) -> Tensor:
            return mixer().inverse(y)

    given = certify(Space(mixer(), laws=[Equivariance(Mix(2, 4), Sum())]), toys.mixer(songs=8), trials=300)
    solved = certify(Space(mixer(), Analytic(), laws=[Equivariance(Mix(2, 4), Sum())]), toys.mixer(songs=8), trials=300)
    assert given.verdict == "no simple operator"
    assert solved.row.r2 > 0.99999 and solved.row.top1 > 0.95


def test_a_spaces_figures_do_not_depend_on_its_units():
    mixes = Mix().trials(bent(), clouds(), 90, Generator().manual_seed(0), grid=True)
    torch.manual_seed(0)
    space = Space(bent(), MLP(6, 4, hidden=8), laws=[MIXING])
    small = certify(space, mixes).row
    with torch.no_grad():
        space.projector.head.mul_(1e4)
    large = certify(space, mixes).row
    assert large.r2 == pytest.approx(small.r2, rel=1e-4) and large.top1 == small.top1
    assert large.effective_rank == pytest.approx(small.effective_rank, rel=1e-4)


def test_trials_come_from_the_songs_given_alone(songs):
    learned, held = songs.split(0.75, 0.25)
    assert not set(learned.names) & set(held.names)
    mixes = Mix().trials(power_mel(bands=24, seconds=1.0, segments=1), held, 20, Generator().manual_seed(0), grid=True)
    assert {mixes.songs[i] for i in mixes.song.tolist()} <= set(held.names)
