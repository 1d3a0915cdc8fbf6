"""One battery that every translator enters: known truths, ways back, scikit-learn's habits, files, kinds of numbers, bad tables."""

import json
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from oplas import translators
from oplas._errors import ArtefactError, DataError, OplasError, ShapeError
from oplas.translators import (
    CCA,
    Affine,
    Auto,
    Invariances,
    Kernel,
    Linear,
    LOrtho,
    Orthogonal,
    PairStatistics,
    PaperAffine,
    PaperLinear,
    PaperLOrtho,
    PaperOrtho,
    ReducedRank,
    Relative,
    Residual,
    Ridge,
    Seeking,
    Translator,
    gather,
    paired,
)
from oplas.translators.closed import ClosedForm

DIMS = {"as wide": (12, 12), "wider": (16, 12), "narrower": (9, 12)}

#: Each translator and the R² on held-out rows that it must reach, from 300 pairs of an orthogonal truth with scale and offset
#: and no noise. A new translator is one line here.
MEMBERS: dict[Translator, float] = {
    Affine(): 1 - 1e-9,
    Linear(preprocess="centre"): 1 - 1e-9,
    Ridge(): 1 - 1e-9,
    Ridge("loo"): 1 - 1e-9,
    Ridge(1.0): 0.999,
    Ridge(preprocess="standard"): 1 - 1e-9,
    Ridge(preprocess="unit rows"): 0.8,
    Orthogonal(): 1 - 1e-9,
    Orthogonal(preprocess="standard"): 0.97,
    Orthogonal(preprocess="unit rows"): 0.8,
    LOrtho(): 1 - 1e-9,
    ReducedRank(): 1 - 1e-9,
    ReducedRank(6): 0.4,
    CCA(): 1 - 1e-9,
    CCA(6): 0.4,
    CCA(shrink=False): 0.97,
    Relative(): 0.9,  # lengths come out at their mean
    Invariances(): 0.95,
    Relative(anchors=20): 0.8,
    PaperLinear(): 1 - 1e-9,
    PaperLOrtho(): 0.9,
    PaperOrtho(): 0.8,  # of wider sources it leaves out the wrong directions
    PaperAffine(rate=0.03): 0.99,
    Auto(): 1 - 1e-9,
    Kernel(): 0.9,
    Residual(epochs=20): 1 - 1e-9,
}  # fmt: skip
SLOW = {Auto, PaperAffine, Residual}
every = pytest.mark.parametrize("translator", MEMBERS, ids=repr)
CLOSED = [each for each in MEMBERS if isinstance(each, ClosedForm) and type(each) is not PaperAffine]
ROWS_ONLY = [each for each in CLOSED if each.preprocess == "unit rows" or each.get_params().get("by") == "loo"]
closed = pytest.mark.parametrize("translator", CLOSED, ids=repr)
streaming = pytest.mark.parametrize("translator", [each for each in CLOSED if each not in ROWS_ONLY], ids=repr)
across = pytest.mark.parametrize("dims", DIMS.values(), ids=DIMS)


def truth(dims: tuple[int, int], n: int = 300, noise: float = 0.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows and what an orthogonal map with a scale and an offset makes of them."""
    generator = Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(max(dims), max(dims), generator=generator, dtype=torch.float64)).Q[: dims[0], : dims[1]]
    x = torch.randn(n, dims[0], generator=Generator().manual_seed(seed + 1), dtype=torch.float64)
    y = 1.7 * x @ turn + 0.5
    return x - 0.3, y + noise * torch.randn(n, dims[1], generator=generator, dtype=torch.float64)


def blank(translator: Translator) -> Translator:
    return type(translator)(**translator.get_params(deep=False))


def fitted(translator: Translator, dims: tuple[int, int] = (9, 12), noise: float = 0.1, n: int = 120) -> Translator:
    made = blank(translator)
    return made.fit(*truth(dims, n, noise))


def test_every_translator_is_in_the_battery():
    public = {getattr(translators, name) for name in translators.__all__}
    public = {each for each in public if isinstance(each, type) and issubclass(each, Translator)} - {Translator}
    public = {each for each in public if not issubclass(each, Seeking)}  # those may find nothing: tests/translators/test_seeking.py
    assert {type(member) for member in MEMBERS} == public


@every
@across
def test_a_known_truth_is_found(translator, dims):
    x, y = truth(dims, 400)
    assert blank(translator).fit(x[:300], y[:300]).score(x[300:], y[300:]) >= MEMBERS[translator]


@every
@across
def test_noise_is_not_learned_by_heart(translator, dims):
    """From 4 times as many pairs as dimensions, no map is worse on new rows than the mean would be."""
    x, y = truth(dims, 400, noise=1.0)
    assert blank(translator).fit(x[:64], y[:64]).score(x[64:], y[64:]) > 0


@every
@across
def test_the_way_back(translator, dims):
    """What goes back and forth again is where it was, as far as the narrower space can tell; or it is said that there is no way."""
    x, y = truth(dims, 300)
    made = blank(translator).fit(x, y)
    try:
        back = made.inverse_transform(y)
    except DataError:
        with pytest.raises(DataError, match="no way back"):
            made.inverse_transform(y)
        return
    assert back.shape == x.shape
    if dims[0] <= dims[1]:
        kept = 1 - (back - x).square().sum() / (x - x.mean(0)).square().sum()
        assert kept >= MEMBERS[translator] - 0.35
    if isinstance(made, ClosedForm) and made.back_ is None and made.preprocess != "unit rows":
        through = made.transform(back)
        assert torch.allclose(made.transform(made.inverse_transform(through)), through, atol=1e-6)


@every
def test_scikit_learn_clones_it_and_puts_it_in_a_pipeline(translator):
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.validation import check_is_fitted

    again = clone(fitted(translator))
    assert repr(again) == repr(again.set_params(**again.get_params())) and not hasattr(again, "n_features_in_")
    x, y = (rows.numpy() for rows in truth((9, 12), 90, noise=0.1))
    pipeline = make_pipeline(StandardScaler(), again).fit(x, y)
    check_is_fitted(pipeline[-1])
    assert pipeline.transform(x).shape == y.shape and pipeline.score(x, y) > 0
    if type(translator) not in SLOW:
        assert np.isfinite(cross_val_score(again, x, y, cv=3)).all()


@every
def test_parameters_are_told_changed_and_refused(translator):
    made = blank(translator)
    assert made.set_params(**made.get_params()) is made and repr(made) == repr(translator)
    with pytest.raises(OplasError, match="has no parameter 'depth'"):
        made.set_params(depth=3)


@every
def test_a_file_holds_all_of_it(translator, tmp_path):
    made = fitted(translator)
    x, y = truth((9, 12), 50, seed=7)
    again = Translator.load(made.save(tmp_path / "map.safetensors"))
    assert type(again) is type(made) and repr(again) == repr(made)
    assert torch.equal(again.transform(x), made.transform(x))
    assert again.score(x, y) == made.score(x, y)
    assert type(made).load(tmp_path / "map.safetensors").n_features_in_ == 9
    assert [each.name for each in tmp_path.iterdir()] == ["map.safetensors"]


@every
def test_a_file_that_was_harmed_is_refused(translator, tmp_path):
    path = fitted(translator).save(tmp_path / "map.safetensors")
    whole = path.read_bytes()
    for harmed in (
        whole[:-9], whole[: len(whole) // 2], b"", whole[:-1] + bytes([whole[-1] ^ 1]),
        whole.replace(b"spelling", b"spellinq"), b"x" * 100,
    ):  # fmt: skip
        path.write_bytes(harmed)
        with pytest.raises(ArtefactError):
            Translator.load(path)
    with pytest.raises(ArtefactError):
        Translator.load(tmp_path / "none.safetensors")


@every
def test_a_file_runs_no_code(translator, tmp_path):
    """A spelling that calls anything but a translator is refused, whoever signed the file."""
    from oplas import _artefact

    tensors, card = fitted(translator)._state()
    for spelling in ("__import__('os').system('true')", "open('x')", "dict()", "3"):
        path = _artefact.save_file(tmp_path / "evil.safetensors", tensors, {**card, "spelling": spelling}, kind="translator")
        with pytest.raises(ArtefactError):
            Translator.load(path)


@every
def test_numpy_and_torch_are_told_the_same(translator):
    x, y = truth((9, 12), 120, noise=0.1)
    by_torch, by_numpy = blank(translator).fit(x, y), blank(translator).fit(x.numpy(), y.numpy())
    assert isinstance(by_numpy.transform(x.numpy()), np.ndarray)
    assert np.array_equal(by_torch.transform(x).numpy(), by_numpy.transform(x.numpy()))
    assert by_numpy.transform(x.numpy().tolist()).dtype == np.float64


@every
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_low_precision_goes_in_and_out_and_float64_is_inside(translator, kind):
    x, y = (rows.to(kind) for rows in truth((9, 12), 120, noise=0.1))
    made, exact = fitted_on(translator, x, y), fitted_on(translator, x.double(), y.double())
    assert made.transform(x).dtype == kind
    assert torch.equal(made.transform(x.double()), exact.transform(x.double()))
    if kind is not torch.bfloat16:  # numpy has none
        assert made.transform(x.numpy()).dtype == x.numpy().dtype


def fitted_on(translator: Translator, x: Tensor, y: Tensor) -> Translator:
    return blank(translator).fit(x, y)


@every
def test_bad_tables_are_refused_with_the_fact(translator):
    x, y = truth((9, 12), 80, noise=0.1)
    holed, endless = x.clone(), y.clone()
    holed[17, 3], endless[5, 0] = torch.nan, torch.inf
    for bad_x, bad_y, kind, words in (
        (x, y[:-1], ShapeError, "80 rows and Y has 79"),
        (x[0], y[0], ShapeError, "anchors are rows"),
        (["a"] * 80, y, ShapeError, "no table of numbers"),
        (holed, y, DataError, "1 of 80 rows of X hold NaN or infinity, the first is row 17"),
        (x, endless, DataError, "rows of Y hold NaN or infinity, the first is row 5"),
        (x * 0 + 3, y, DataError, "all 80 rows of X are the same"),
        (x, y * 0, DataError, "all 80 rows of Y are the same"),
        (x[:2], y[:2], DataError, "2 anchors are too few"),
        (x[:4].repeat(20, 1), y[:4].repeat(20, 1), DataError, "76 of 80 anchors repeat"),
    ):
        with pytest.raises(kind, match=words):
            blank(translator).fit(bad_x, bad_y)


@every
def test_a_few_repeats_are_warned_of(translator):
    x, y = truth((9, 12), 80, noise=0.1)
    twice = torch.cat([torch.arange(80), torch.arange(20)])
    with pytest.warns(UserWarning, match="20 of 100 anchors repeat"):
        blank(translator).fit(x[twice], y[twice])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blank(translator).fit(x, y)


@every
def test_columns_that_do_not_vary_say_nothing_and_do_no_harm(translator):
    x, y = truth((9, 12), 120, noise=0.1)
    flat_x, flat_y = torch.cat([x, x[:, :1] * 0 + 4], 1), torch.cat([y, y[:, :1] * 0 - 2], 1)
    plain, made = blank(translator).fit(x, y), blank(translator).fit(flat_x, flat_y)
    told = made.transform(flat_x)
    assert told.isfinite().all()
    assert made.score(flat_x, flat_y) > plain.score(x, y) - 0.05
    if isinstance(made, ClosedForm) and not isinstance(made, PaperAffine):
        assert (told[:, -1] + 2).abs().max() < 0.6


@every
def test_rows_of_another_space_are_refused(translator):
    made = fitted(translator)
    with pytest.raises(ShapeError, match="rows of 9 dimensions here; these have the shape"):
        made.transform(torch.zeros(3, 12))
    with pytest.raises(DataError, match="NaN or infinity"):
        made.transform(torch.full((3, 9), torch.nan))
    with pytest.raises(OplasError, match="has learned nothing yet"):
        blank(translator).transform(torch.zeros(3, 9))
    with pytest.raises(OplasError, match="has learned nothing yet"):
        blank(translator).save("nowhere.safetensors")


@every
def test_shuffled_correspondence_scores_at_the_null(translator):
    x, y = truth((9, 12), 600, noise=0.1)
    order = torch.randperm(600, generator=Generator().manual_seed(3))
    made = blank(translator).fit(x[:400], y[order][:400])
    assert made.score(x[400:], y[order][400:]) < 0.05


@closed
def test_statistics_say_all_that_rows_say(translator):
    x, y = truth((9, 12), 200, noise=0.3)
    made = blank(translator)
    by_rows = blank(translator).fit(x, y)
    if translator in ROWS_ONLY:
        with pytest.raises(DataError, match="must see rows"):
            made.fit_statistics(gather(x, y))
        return
    made.fit_statistics(gather((x[i : i + 33], y[i : i + 33]) for i in range(0, 200, 33)))
    assert torch.allclose(made.transform(x), by_rows.transform(x), atol=1e-8)
    assert made.score_statistics(gather(x, y)) == pytest.approx(by_rows.score(x, y), abs=1e-9)


@streaming
def test_a_fold_taken_away_is_a_fit_on_the_rest(translator):
    x, y = truth((9, 12), 200, noise=0.3)
    whole, fold = gather(x, y), gather(x[:50], y[:50])
    rest = blank(translator).fit_statistics(whole - fold)
    direct = blank(translator).fit(x[50:], y[50:])
    assert torch.allclose(rest.transform(x), direct.transform(x), atol=1e-6)
    assert rest.score_statistics(fold) == pytest.approx(direct.score(x[:50], y[:50]), abs=1e-7)


def test_statistics_of_too_few_or_of_nothing_are_refused():
    x, y = truth((9, 12), 40)
    with pytest.raises(DataError, match="2 anchors are too few"):
        Ridge().fit_statistics(gather(x[:2], y[:2]))
    with pytest.raises(DataError, match="rows of Y are the same"):
        Ridge().fit_statistics(gather(x, y * 0))


def test_options_that_do_not_exist_are_refused():
    x, y = truth((9, 12), 40)
    for made, words in (
        (Ridge(preprocess="whiten"), "no preprocess='whiten'"), (Ridge("cv"), "by='cv' is no way"), (Ridge(-1.0), "by=-1.0 is no"),
        (ReducedRank(0), "rank=0 leaves no direction"), (CCA(0), "components=0"),
    ):  # fmt: skip
        with pytest.raises(OplasError, match=words):
            made.fit(x, y)


def test_a_wrong_kind_is_not_loaded(tmp_path):
    path = fitted(Affine()).save(tmp_path / "map.safetensors")
    with pytest.raises(ArtefactError, match=r"holds Affine\(\), no Ridge"):
        Ridge.load(path)


def test_ridge_has_no_dip_where_pairs_are_as_many_as_dimensions():
    x, y = truth((40, 40), 2040, noise=1.0)
    new = x[1040:], y[1040:]
    at = {n: (Ridge().fit(x[:n], y[:n]).score(*new), Affine().fit(x[:n], y[:n]).score(*new)) for n in (20, 41, 80, 1000)}
    assert at[41][1] < 0 < at[20][0] < at[41][0] < at[80][0] < at[1000][0]


@pytest.mark.parametrize("by", ["gcv", "loo"])
@pytest.mark.parametrize("n", [20, 41, 200])
def test_ridge_is_near_the_best_penalty(by, n):
    x, y = truth((40, 30), 2000 + n, noise=1.0)
    new = x[n:], y[n:]
    best = max(Ridge(10.0**power).fit(x[:n], y[:n]).score(*new) for power in np.linspace(-4, 6, 41))
    assert Ridge(by).fit(x[:n], y[:n]).score(*new) >= best - 0.02


def test_one_scale_for_all_is_kept_where_scaling_each_dimension_breaks_an_orthogonal_truth():
    x, y = truth((12, 12), 500)
    x = x * torch.linspace(0.2, 3, 12)
    y = 1.7 * x @ torch.linalg.qr(torch.randn(12, 12, generator=Generator().manual_seed(5), dtype=torch.float64)).Q
    assert 1 - Orthogonal().fit(x, y).score(x, y) < 1e-12 < 0.01 < 1 - Orthogonal(preprocess="standard").fit(x, y).score(x, y)


def test_gradients_flow_through_a_translation():
    x, y = truth((9, 12), 50)
    moving = x.clone().requires_grad_()
    Ridge().fit(x, y).transform(moving).square().sum().backward()
    assert moving.grad is not None and moving.grad.abs().sum() > 0


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.floats(1e-3, 1e3), st.integers(0, 10_000))
def test_orthogonal_is_exact_for_any_two_widths(d, e, size, seed):
    x, y = truth((d, e), 60, seed=seed)
    made = Orthogonal().fit(x * size, y)
    assert 1 - made.score(x * size, y) < 1e-9
    assert made.scale_ * size == pytest.approx(1.7, rel=1e-6)


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_pairs_in_files_are_gathered_in_blocks(kind, tmp_path):
    x, y = truth((9, 12), 70)
    if kind == "npy":
        np.save(tmp_path / "x.npy", x.numpy())
        np.save(tmp_path / "y.npy", y.numpy())
        found = gather(paired(tmp_path / "x.npy", tmp_path / "y.npy"))
        with pytest.raises(DataError, match="name its two columns"):
            gather(paired(tmp_path / "x.npy"))
        np.save(tmp_path / "y.npy", y[:-1].numpy())
        with pytest.raises(ShapeError, match=r"has 70 rows and .* has 69"):
            gather(paired(tmp_path / "x.npy", tmp_path / "y.npy"))
    else:
        arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        files.write_table(arrow.table({"a": list(x.numpy()), "b": list(y.numpy())}), tmp_path / "pairs.parquet")
        found = gather(paired(tmp_path / "pairs.parquet", columns=("a", "b")))
    assert torch.allclose(found.xy, PairStatistics.of(x, y).xy) and found.n == 70


def test_statistics_cross_processes_as_files(tmp_path):
    x, y = truth((9, 12), 70)
    translators.save_statistics(gather(x[:30], y[:30]), tmp_path / "mine.safetensors")
    both = translators.load_statistics(tmp_path / "mine.safetensors") + gather(x[30:], y[30:])
    assert torch.allclose(both.xx, gather(x, y).xx) and both.n == 70
    with pytest.raises(ArtefactError, match="holds a pair statistics"):
        Translator.load(tmp_path / "mine.safetensors")


def test_a_loader_feeds_statistics():
    from torch.utils.data import DataLoader, TensorDataset

    x, y = truth((9, 12), 70)
    found = gather(DataLoader(TensorDataset(x.half(), y.half()), batch_size=16))
    assert torch.allclose(found.yy, PairStatistics.of(x.half(), y.half()).yy)
    with pytest.raises(DataError, match="no batch"):
        gather(iter(()))
    with pytest.raises(DataError, match="batch from row 16"):
        gather([(x[:16], y[:16]), (x[16:] * torch.inf, y[16:])])


def test_the_card_in_the_file_is_readable_json(tmp_path):
    blob = fitted(Ridge("loo")).save(tmp_path / "map.safetensors").read_bytes()
    header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    assert json.loads(header["__metadata__"]["card"])["spelling"] == "Ridge(by='loo')"
