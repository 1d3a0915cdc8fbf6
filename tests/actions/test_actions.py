"""What is done to data is what the evidence says was done."""

import pytest
import torch
from fakes import LABELS, Clouds, bent, clouds, straight
from torch import Generator

from oplas import Space
from oplas._errors import DataError
from oplas._types import concatenate
from oplas.actions import Gain, Mix
from oplas.data import band
from oplas.data.base import Scene
from oplas.encoders import power_mel
from oplas.evidence import Stream, gather
from oplas.laws import Equivariance, RoundTrip, VarianceFloor
from oplas.operators import Scale, Sum


@pytest.fixture(scope="module")
def songs():
    return band(songs=6, seconds=5)


ENCODER = power_mel(bands=16, seconds=1.0, segments=1)


def scene(parts: int = 5, samples: int = 50) -> Scene:
    return Scene(torch.randn(parts, samples, generator=Generator().manual_seed(0)), tuple(map(str, range(parts))), 0)


def test_a_mix_is_the_sum_of_its_parts_at_their_gains():
    generator, counts, gains = Generator().manual_seed(0), set(), []
    for _ in range(200):
        before, after, theta, chosen = Mix(2, 4, gain_db=(-9.0, 3.0)).perform(scene(), generator)
        assert torch.allclose(after, before.sum(0), atol=1e-6)
        assert torch.allclose(before, scene().parts[chosen] * (10 ** (theta / 20))[:, None], atol=1e-6)
        assert len(set(chosen)) == len(chosen) == len(theta)
        counts.add(len(chosen))
        gains += theta.tolist()
    assert counts == {2, 3, 4}
    assert -9 <= min(gains) < -8.5 and 2.5 < max(gains) <= 3


def test_a_mix_takes_no_more_parts_than_there_are():
    generator = Generator().manual_seed(0)
    assert {len(Mix(2, 4).perform(scene(3), generator)[3]) for _ in range(60)} == {2, 3}


def test_a_gain_makes_one_part_louder_or_softer():
    for seed in range(20):
        before, after, theta, (which,) = Gain(-6, 6).perform(scene(), Generator().manual_seed(seed))
        assert torch.equal(before[0], scene().parts[which]) and -6 <= theta.item() <= 6
        assert (after / before[0]).log10().mul(20).mean().item() == pytest.approx(theta.item(), abs=1e-4)


@pytest.mark.parametrize("bad", [(0, 2), (3, 2), (2, 4, (6, -6)), (2, 4, (0, 0), 1.5)])
def test_senseless_mixes_are_refused(bad):
    words = dict(zip(("least", "most", "gain_db", "across"), bad, strict=False))
    with pytest.raises(ValueError, match="1 <= least <= most"):
        Mix(**words)


def test_encoded_evidence_says_what_was_done():
    data = clouds()
    trials = Mix(2, 4, across=0.0).trials(straight(), data, 60, Generator().manual_seed(0), grid=True)
    assert torch.allclose(trials.before.sum(1), trials.after, atol=1e-5)
    assert set(trials.count.tolist()) == {2, 3, 4}
    assert trials.before[~trials.present].abs().max() == 0
    assert trials.label[~trials.present].eq(-1).all() and trials.theta[~trials.present].eq(0).all()
    assert trials.labels == tuple(sorted(LABELS)) and trials.songs == data.names
    # undo the gain: what is left lies about the centre of the label that the evidence names
    plain = trials.before / (10 ** (trials.theta / 20))[..., None]
    still = Clouds(data.names, spread=0.0).scene(data.grid(0, 6)[0], 0, 6)
    centres = torch.stack([still.parts[LABELS.index(name)] for name in trials.labels])
    off = (plain[trials.present] - centres[trials.label[trials.present]]).norm(dim=1)
    others = torch.cdist(plain[trials.present], centres)
    assert off.mean() < 0.8 * others.mean()
    assert (others.argmin(1) == trials.label[trials.present]).double().mean() > 0.8


def test_a_grid_never_repeats_a_window():
    data = clouds(3, windows=7)
    trials = Gain(0, 0).trials(straight(), data, 1000, Generator().manual_seed(0), grid=True)
    assert len(trials) == 21 and len(trials.after.unique(dim=0)) == 21
    assert torch.bincount(trials.song).tolist() == [7, 7, 7]
    few = Gain(0, 0).trials(straight(), data, 5, Generator().manual_seed(0), grid=True)
    assert len(few) == 5 and len(few.after.unique(dim=0)) == 5


def test_songs_keep_their_names(songs):
    trials = Mix().trials(ENCODER, songs, 30, Generator().manual_seed(0), grid=True)
    assert trials.songs == tuple(songs.names) and trials.song.max() < len(songs.names)
    assert trials.origin.abs().max() == 0 and trials.origin.shape == (1, 16)
    one, other = songs.split(0.5, 0.5)
    assert not set(one.names) & set(other.names)


def test_across_songs_only_where_it_is_asked_for():
    """Parts of two songs at once show as a label taken twice; certificates, on the grid, never have them."""

    def doubled(**options) -> int:
        trials = Mix(2, 4, across=options.pop("across")).trials(straight(), clouds(), 80, Generator().manual_seed(0), **options)
        return sum(len(set(row[row >= 0].tolist())) < int((row >= 0).sum()) for row in trials.label)

    assert doubled(across=1.0) > 0
    assert doubled(across=0.0) == 0
    assert doubled(across=1.0, grid=True) == 0


def test_same_seed_same_evidence():
    first, second, other = (Mix().trials(bent(), clouds(), 20, Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.after, second.after) and first.fingerprint == second.fingerprint != other.fingerprint


def test_songs_without_enough_parts_are_refused(songs):
    with pytest.raises(DataError, match=r"Mix\(least=5, most=6\) needs windows of 16000 samples in which at least 5 parts"):
        Mix(5, 6).trials(ENCODER, songs, 10, Generator().manual_seed(0), grid=True)
    with pytest.raises(DataError, match="5 parts"):
        Mix(5, 6).trials(ENCODER, songs, 10, Generator().manual_seed(0))


def test_joined_evidence_keeps_each_label_its_name():
    """Two draws that heard other instruments number them otherwise; joined, every part has the name it had."""
    encoder, data, pieces = straight(), clouds(), []
    for keep in (("drums", "lead"), ("bass", "chords", "drums")):

        class Some(Clouds):
            def draw(self, rate, samples, least, generator, keep=keep):
                made = super().draw(rate, samples, least, generator)
                index = [LABELS.index(name) for name in keep]
                return Scene(made.parts[index], keep, made.song)

        pieces.append(Mix(2, 3, across=0.0).trials(encoder, Some(data.names), 12, Generator().manual_seed(len(keep))))
    assert pieces[0].labels != pieces[1].labels and pieces[0].before.shape != pieces[1].before.shape
    both = concatenate(pieces)

    def names(trials) -> list[list[str]]:
        return [[trials.labels[i] for i in row if i >= 0] for row in trials.label.tolist()]

    assert names(both) == names(pieces[0]) + names(pieces[1])
    assert len(both) == 24 and torch.equal(both.after, torch.cat([p.after for p in pieces]))
    assert torch.allclose(both.before.sum(1), both.after, atol=1e-5)
    assert both.label[~both.present].eq(-1).all() and both.before[~both.present].abs().max() == 0


def test_evidence_is_gathered_once_for_each_action():
    same, gain, free = Equivariance(Mix(), Sum()), Equivariance(Gain(), Scale()), VarianceFloor()
    space = Space(straight(), laws=[same, gain, free, Equivariance(Mix(), Sum(), weight=2.0)])
    shares = gather(space, clouds(), 10, 0).shares
    assert [len(laws) for laws, _ in shares] == [3, 1] and free in shares[0][0]
    with pytest.raises(DataError, match="serve one action, the space's laws have 2"):
        gather(space, shares[0][1], 10, 0)
    with pytest.raises(DataError, match="no law with an action"):
        gather(Space(straight(), laws=[RoundTrip()]), clouds(), 10, 0)


def test_a_stream_depends_on_seed_and_step_alone():
    space = Space(straight(), laws=[Equivariance(Mix(), Sum())])
    walked = Stream(space, clouds(), seed=3, size=32, every=5)
    for step in range(23):
        walked.at(step)
    jumped = Stream(space, clouds(), seed=3, size=32, every=5)
    (_, a), (_, b) = walked.at(23).shares[0], jumped.at(23).shares[0]
    assert torch.equal(a.after, b.after) and len(a) == 32
    (_, c), (_, d) = jumped.at(0).shares[0], jumped.at(5).shares[0]
    assert torch.equal(c.after[4:], d.after[:-4]), "a renewal replaces the oldest eighth, and nothing else"
    assert not torch.equal(c.after[:4], d.after[-4:])
