"""One battery for translators that may find nothing: what they find is one, what is none they refuse."""

import math

import pytest
import torch
from torch import Generator, Tensor

from oplas import translators
from oplas._errors import DataError, MissingDependency, OplasError, ShapeError
from oplas.translators import CCA, Affine, Blind, GromovWasserstein, ParallelAnchors, Profiles, Seeking, Subspace, Translator

MEMBERS = [ParallelAnchors(), Profiles(), GromovWasserstein(points=120), Subspace()]
every = pytest.mark.parametrize("translator", MEMBERS, ids=repr)
unpaired = pytest.mark.parametrize("translator", [each for each in MEMBERS if isinstance(each, Blind)], ids=repr)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def order(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=Generator().manual_seed(seed))


def blank(translator: Translator) -> Translator:
    return type(translator)(**translator.get_params(deep=False))


@pytest.fixture(autouse=True)
def _needs(request):
    if isinstance(request.node.callspec.params.get("translator") if hasattr(request.node, "callspec") else None, GromovWasserstein):
        pytest.importorskip("ot")


#: Five clusters of unequal size, no two pairs of which are equally far apart: a shape that is like itself in one way only.
CLUSTER = torch.multinomial(torch.tensor([0.4, 0.25, 0.17, 0.11, 0.07]), 360, True, generator=Generator().manual_seed(1))
X = 4 * normal(5, 4, seed=77)[CLUSTER] + 0.7 * normal(360, 4, seed=2)
TURN = torch.linalg.qr(normal(4, 4, seed=5)).Q
Y = 2 * X @ TURN + 1


def test_every_one_is_in_the_battery():
    public = {getattr(translators, name) for name in translators.__all__}
    public = {each for each in public if isinstance(each, type) and issubclass(each, Seeking)} - {Seeking, Blind}
    assert {type(member) for member in MEMBERS} == public


@every
def test_a_rotation_is_found_there_and_back(translator):
    made = blank(translator).fit(X[:300], Y[:300])
    assert made.found_, made.why_
    assert made.score(X[300:], Y[300:]) > 0.8
    back = made.inverse_transform(Y[300:])
    assert 1 - float((back - X[300:]).square().sum() / (X[300:] - X[300:].mean(0)).square().sum()) > 0.8


@every
def test_unrelated_rows_are_not_translated(translator):
    found = []
    for seed in (20, 30, 40, 50):
        made = blank(translator).fit(X[:160], normal(160, 4, seed=seed) * torch.linspace(2, 0.3, 4))
        found.append(made.found_)
        if not made.found_:
            with pytest.raises(DataError, match="no translation was found"):
                made.transform(X)
            with pytest.raises(DataError, match="no translation was found"):
                made.inverse_transform(X)
    assert sum(found) == 0


@every
def test_a_file_holds_all_of_it(translator, tmp_path):
    for target in (Y, normal(360, 4, seed=5)):
        made = blank(translator).fit(X, target)
        again = Translator.load(made.save(tmp_path / "map.safetensors"))
        assert repr(again) == repr(made) and again.found_ == made.found_ and again.why_ == made.why_
        again.found_ = made.found_ = True
        assert torch.equal(again.transform(X), made.transform(X))


@every
def test_numpy_and_torch_are_told_the_same(translator):
    by_torch, by_numpy = blank(translator).fit(X, Y), blank(translator).fit(X.numpy(), Y.numpy())
    assert by_torch.why_ == by_numpy.why_
    assert (by_torch.transform(X).numpy() == by_numpy.transform(X.numpy())).all()


@every
def test_bad_tables_are_refused(translator):
    broken = Y.clone()
    broken[20, 1] = math.nan
    for x, y, kind in ((X, broken, DataError), (X, Y[:, 0], ShapeError), (X[:6], Y[:6], DataError), (X, Y * 0, DataError)):
        with pytest.raises(kind):
            blank(translator).fit(x, y)
    with pytest.raises(OplasError, match="learned nothing yet"):
        blank(translator).transform(X)


@every
def test_scikit_learn_clones_it(translator):
    from sklearn.base import clone

    again = clone(blank(translator).fit(X, Y))
    assert repr(again) == repr(translator) and not hasattr(again, "found_")


@unpaired
def test_no_order_and_no_number_is_needed(translator):
    made = blank(translator).fit(X[:350], Y[order(360, 8)])
    assert made.found_ and made.score(X, Y) > 0.8


def test_without_pot_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ot.gromov", None)
    with pytest.raises(MissingDependency, match=r"oplas\[blind\]"):
        GromovWasserstein().fit(X, Y)


class TestSubspace:
    """Three shared directions beside twenty of each side's own."""

    @staticmethod
    def pairs(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        shared = normal(n, 3, seed=seed)
        x = torch.cat([shared, normal(n, 20, seed=seed + 1)], 1) @ torch.linalg.qr(normal(23, 23, seed=91)).Q
        y = torch.cat([shared + 0.2 * normal(n, 3, seed=seed + 2), normal(n, 20, seed=seed + 3)], 1)
        return x, y @ torch.linalg.qr(normal(23, 23, seed=92)).Q

    def test_they_are_counted(self):
        made = Subspace().fit(*self.pairs(400))
        assert made.components_ == 3 and made.shared_[:3].min() > 0.9 > 0.3 > made.shared_[3:].max()

    def test_a_map_among_them_beats_one_of_everything(self):
        x, y = self.pairs(900)
        made, whole, given = (m.fit(x[:300], y[:300]).score(x[300:], y[300:]) for m in (Subspace(), Affine(), CCA(3)))
        assert made > whole + 0.02
        assert made == pytest.approx(given, abs=1e-9)

    def test_none_is_counted_where_none_is_shared(self):
        counts = [Subspace().fit(normal(120, 9, seed=s), normal(120, 7, seed=s + 500)).components_ for s in range(30)]
        assert sum(count > 0 for count in counts) <= 2
