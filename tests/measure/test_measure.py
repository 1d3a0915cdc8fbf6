"""Guarantees of the figures that certificates are made of."""

import math

import pytest
import torch
from torch import Generator, Tensor

from oplas.measure import additivity, bootstrap, conformal, family_probe, homogeneity, missing_part, neighbour_overlap, ranks


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


class TestRanks:
    def test_by_hand(self):
        candidates = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
        query = torch.tensor([[0.9], [1.4], [100.0]])
        assert ranks(query, candidates, torch.tensor([1, 2, 0])).tolist() == [0, 1, 3]

    def test_ties_count_against_the_query(self):
        assert ranks(torch.zeros(3, 2), torch.zeros(9, 2), torch.tensor([0, 4, 8])).tolist() == [8, 8, 8]

    def test_a_query_that_is_not_a_number_finds_nothing(self):
        query = torch.tensor([[math.nan], [math.inf]])
        assert ranks(query, torch.arange(5.0)[:, None], torch.tensor([0, 0])).tolist() == [4, 4]
        assert ranks(torch.zeros(1, 1), torch.tensor([[math.nan], [1.0]]), torch.tensor([0])).tolist() == [1]

    def test_batches_change_nothing(self):
        query, candidates, truth = normal(50, 3), normal(80, 3, seed=1), torch.arange(50)
        assert torch.equal(ranks(query, candidates, truth, batch=7), ranks(query, candidates, truth))

    def test_a_query_that_knows_nothing_is_at_chance(self):
        found = ranks(normal(2000, 4), normal(50, 4, seed=1), torch.arange(2000) % 50)
        assert (found == 0).double().mean() == pytest.approx(1 / 50, abs=0.015)

    def test_the_missing_part_is_the_mix_less_the_other_parts(self):
        before = normal(30, 3, 4)
        present = torch.ones(30, 3, dtype=torch.bool)
        present[::2, 2] = False
        before[~present] = 0
        after = before.sum(1)
        assert missing_part(before, after, before.sum(1), present).eq(0).all()
        # by hand for one trial: the query is what the mix has beyond the parts that are known
        off = after + 0.5 * normal(30, 4, seed=2)
        parts, query = before[present], off[3] - before[3, 1:].sum(0)
        nearer = ((parts - query).norm(dim=1) < (before[3, 0] - query).norm()).sum()
        assert missing_part(before, off, before.sum(1), present)[3] == nearer


class TestAdditivity:
    def test_by_hand_on_three_trials(self):
        after = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])  # mean (1, 1); squared distances 2, 5, 5
        predicted = after + torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        found = additivity(predicted, after, torch.tensor([2, 3, 3]))
        assert found.r2() == pytest.approx(1 - 3 / 12)
        assert found.defect() == pytest.approx(math.sqrt(3 / 12))
        assert found.each.tolist() == pytest.approx([math.sqrt(1 / 4)] * 3)
        assert found.r2(torch.tensor([0])) == pytest.approx(1 - 1 / 2)
        # a constant for each number of parts absorbs the first trial's error and nothing of the other two's
        assert found.affinity() == pytest.approx(1 - 2 / 12)

    def test_another_origin_costs_r2_and_not_affinity(self):
        z, count = normal(200, 5), torch.randint(2, 5, (200,), generator=Generator().manual_seed(0))
        found = additivity(z + 4.0 * (count - 1)[:, None], z, count)
        assert found.r2() < -10
        assert found.affinity() == pytest.approx(1)

    def test_a_point_has_no_r2(self):
        z = torch.full((20, 3), 7.3)
        found = additivity(z, z, torch.full((20,), 2))
        assert math.isnan(found.r2()) and math.isnan(found.defect()) and math.isnan(found.affinity())

    @pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 2.7])
    def test_exponent_of_a_homogeneous_space_is_found(self, exponent):
        before, theta = normal(100, 4), 24 * torch.rand(100, generator=Generator().manual_seed(1)) - 12
        found, r2 = homogeneity(before, before * (10 ** (theta / 20))[:, None] ** exponent, theta)
        assert found == pytest.approx(exponent, abs=1e-3)
        assert r2 == pytest.approx(1, abs=1e-5)

    def test_a_point_has_no_exponent(self):
        found = homogeneity(torch.ones(9, 2), torch.ones(9, 2), torch.linspace(-12, 12, 9))
        assert all(math.isnan(each) for each in found)


class TestKept:
    def test_probe_reads_labels_that_are_there(self):
        label, song = torch.arange(800) % 4, torch.arange(800) // 40
        accuracy, chance = family_probe(3 * torch.eye(4)[label] + 0.3 * normal(800, 4).float(), label, song)
        assert accuracy > 0.99 and chance == 0.25

    def test_probe_of_shuffled_labels_is_at_chance(self):
        z, song = normal(1200, 6), torch.arange(1200) // 40
        label = torch.randint(4, (1200,), generator=Generator().manual_seed(3))
        accuracy, chance = family_probe(z, label, song)
        assert accuracy == pytest.approx(chance, abs=0.05)

    def test_probe_of_rare_labels_is_balanced(self):
        """To answer the most common label always is no knowledge."""
        label = (torch.arange(900) % 30 == 0).long()
        accuracy, _ = family_probe(torch.zeros(900, 3), label, torch.arange(900) // 60)
        assert accuracy == pytest.approx(0.5)

    def test_probe_does_not_read_songs_it_was_fitted_on(self):
        """Each song has its own direction for each label: known by heart at once, of no use for another song."""
        label, song = torch.arange(480) % 2, torch.arange(480) // 20
        own = normal(24, 2, 60)
        accuracy, _ = family_probe(own[song, label], label, song)
        assert accuracy == pytest.approx(0.5, abs=0.15)

    def test_probe_says_nothing_where_it_cannot_ask(self):
        assert all(math.isnan(x) for x in family_probe(normal(20, 3), torch.zeros(20), torch.arange(20)))
        assert all(math.isnan(x) for x in family_probe(normal(20, 3), torch.arange(20) % 2, torch.arange(20) // 10))

    def test_neighbours_survive_a_rotation_and_a_scale(self):
        a = normal(300, 8)
        assert neighbour_overlap(a, 5 * a @ torch.linalg.qr(normal(8, 8, seed=1)).Q + 2) == 1

    def test_neighbours_of_unrelated_spaces_agree_by_chance(self):
        assert neighbour_overlap(normal(500, 8), normal(500, 8, seed=1), k=10) == pytest.approx(10 / 499, abs=0.006)
        assert math.isnan(neighbour_overlap(normal(8, 3), normal(8, 3)))

    def test_a_point_keeps_no_neighbours(self):
        assert neighbour_overlap(torch.zeros(500, 4), normal(500, 4)) < 0.06


class TestBounds:
    def test_conformal_bound_holds_as_often_as_it_says(self):
        scores = normal(4000, 20, seed=5).exp()
        covered = [row[-1] <= conformal(row[:-1], 0.9) for row in scores]
        assert 0.9 - 0.015 <= sum(map(float, covered)) / len(covered) <= 0.9 + 1 / 20 + 0.015

    def test_too_few_songs_have_no_bound(self):
        assert conformal(torch.ones(8), 0.9) == math.inf
        assert conformal(torch.ones(9), 0.9) == 1
        assert conformal(torch.ones(0), 0.9) == math.inf

    def test_bootstrap_interval_covers_the_mean_of_songs(self):
        hits = 0
        for trial in range(60):
            level = normal(40, seed=trial)
            x, song = level.repeat_interleave(4) + 0.1 * normal(160, seed=1000 + trial), torch.arange(40).repeat_interleave(4)
            low, high = bootstrap(lambda rows, x=x: float(x[rows].mean()), song, draws=200)
            hits += low <= 0 <= high
        assert hits / 60 > 0.85

    def test_bootstrap_keeps_the_windows_of_a_song_together(self):
        x = torch.arange(4.0).repeat_interleave(100)
        low, high = bootstrap(lambda rows: float(x[rows].mean()), torch.arange(4).repeat_interleave(100))
        assert high - low > 1.5  # windows taken for independent would give less than 0.3

    def test_bootstrap_of_one_song_is_no_interval(self):
        assert all(math.isnan(x) for x in bootstrap(lambda rows: 1.0, torch.zeros(50)))

    def test_bootstrap_is_reproducible(self):
        x, song = normal(40), torch.arange(40) // 4
        assert bootstrap(lambda rows: float(x[rows].mean()), song) == bootstrap(lambda rows: float(x[rows].mean()), song)
