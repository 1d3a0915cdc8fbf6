"""Ideal words: planted sums are found and foretold, products are not, shuffled labels never."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from oplas._errors import DataError
from oplas.functional.additive import cells, ideal_words
from oplas.measure.additive import additive


def labelled(interaction: float = 0.0, rows: int = 20):
    """Latents of three instruments, four registers and two modes."""
    g = Generator().manual_seed(0)
    words = [torch.randn(size, 10, generator=g, dtype=torch.float64) for size in (3, 4, 2)]
    cross = torch.randn(3, 4, 2, 10, generator=g, dtype=torch.float64)
    z, labels = [], []
    for i in range(3):
        for j in range(4):
            for k in range(2):
                middle = words[0][i] + words[1][j] + words[2][k] + interaction * cross[i, j, k]
                z.append(middle + 0.3 * torch.randn(rows, 10, generator=g, dtype=torch.float64))
                labels += [(f"i{i}", f"r{j}", f"m{k}")] * rows
    first, second, third = zip(*labels, strict=True)
    return torch.cat(z), {"instrument": first, "register": second, "mode": third}


def test_words_of_all_combinations_are_the_formula_of_the_paper():
    z, labels = labelled()
    means, levels, _ = cells(z, list(labels.values()))
    words = ideal_words(means, levels)
    assert torch.allclose(words.origin, means.mean(0))
    for factor, table in enumerate(words.words):
        for level, word in enumerate(table):
            assert torch.allclose(word, means[levels[:, factor] == level].mean(0) - means.mean(0), atol=1e-9)


def test_a_planted_sum_is_found_and_foretells_combinations_never_seen():
    found = additive(*labelled())
    assert found.verdict == "holds" and found.r2 > 0.98 and found.unseen > 0.95 and found.found == 1.0
    assert found.p == 0.01 and found.shuffled < 0.2
    assert sum(found.factors.values()) == pytest.approx(found.r2)
    assert "holds" in str(found) and found.to_dict()["combinations"] == 24


def test_combinations_that_are_missing_are_foretold():
    z, labels = labelled()
    keep = torch.tensor([not (a == "i0" and b in {"r0", "r1"}) for a, b, _ in zip(*labels.values(), strict=True)])
    some = {name: [each for each, on in zip(column, keep.tolist(), strict=True) if on] for name, column in labels.items()}
    means, levels, _ = cells(z[keep], list(some.values()))
    whole, all_levels, _ = cells(z, list(labels.values()))
    guess = ideal_words(means, levels)(all_levels)
    assert float((guess - whole).square().mean() / whole.var()) < 0.02


def test_leaving_out_by_leverage_is_leaving_out():
    z, labels = labelled(0.5)
    means, levels, _ = cells(z, list(labels.values()))
    missed = around = 0.0
    for out in range(len(means)):
        keep = torch.arange(len(means)) != out
        missed += float((ideal_words(means[keep], levels[keep], (3, 4, 2))(levels[out : out + 1])[0] - means[out]).square().sum())
        around += float((means[keep].mean(0) - means[out]).square().sum())
    assert additive(z, labels, draws=1).unseen == pytest.approx(1 - missed / around)


def test_interactions_alone_are_no_sum():
    z, labels = labelled(20.0)
    assert additive(z, labels).verdict in {"no simple operator", "partly"}
    order = torch.randperm(len(z), generator=Generator().manual_seed(1)).tolist()
    shuffled = {name: [column[i] for i in order] for name, column in labels.items()}
    assert additive(z, shuffled).verdict == "no simple operator"


def test_too_little_is_refused_or_vacuous():
    z, labels = labelled(rows=1)
    with pytest.raises(DataError, match="two factors"):
        additive(z, {"instrument": labels["instrument"]})
    with pytest.raises(DataError, match="each with two"):
        additive(z, {"instrument": labels["instrument"], "same": ["x"] * len(z)})
    with pytest.raises(DataError, match="do not tie"):
        additive(z[:2], {"a": ["x", "y"], "b": ["x", "y"]})
    assert additive(z[:3], {"a": ["x", "y", "x"], "b": ["x", "x", "y"]}).verdict == "vacuous"
