"""The recipe, the three-way split, and loading."""

from __future__ import annotations

from pathlib import Path

import pytest

from oplas import ArtefactError, DataError, Space
from oplas._watch import Watched
from oplas.data import band
from oplas.encoders import Cached, chroma, mini
from oplas.mixing import load_space, mixing_law, mixing_space, three_ways
from oplas.projectors import Energies


def test_only_where_codes_are_bands_do_their_own_coordinates_have_a_say(tmp_path: Path) -> None:
    for encoder, bands in ((Watched(Cached(chroma(), tmp_path), lambda windows: None), True), (mini(), False)):
        projector = mixing_space(encoder, 8).projector
        assert isinstance(projector, Energies)
        assert projector.own is bands


def test_the_same_seed_gives_the_same_start() -> None:
    first, second, other = (mixing_space(chroma(), 8, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(first[key].equal(second[key]) for key in first)
    assert not first["projector.enter.weight"].equal(other["projector.enter.weight"])


@pytest.mark.parametrize(("count", "sizes"), [(4, (1, 1, 2)), (8, (5, 1, 2)), (10, (7, 1, 2)), (20, (14, 2, 4))])
def test_two_songs_at_least_are_left_to_certify_on(count: int, sizes: tuple[int, ...]) -> None:
    parts = three_ways(band(songs=count, seconds=1.0))
    assert tuple(len(part) for part in parts if part is not None) == sizes
    assert len({name for part in parts if part is not None for name in part.names}) == count


def test_nothing_is_left_where_nothing_is_held_out() -> None:
    assert three_ways(band(songs=2, seconds=1.0), 0.0)[2] is None


@pytest.mark.parametrize(("count", "held_out"), [(3, 0.2), (1, 0.0)])
def test_too_few_songs_are_counted(count: int, held_out: float) -> None:
    with pytest.raises(DataError, match=rf"{count} song\(s\) are too few"):
        three_ways(band(songs=count, seconds=1.0), held_out)


def test_a_space_that_spells_no_encoder_must_be_given_one(tmp_path: Path) -> None:
    folder = Space(chroma(), laws=[mixing_law()]).save(tmp_path / "raw.space")
    with pytest.raises(ArtefactError, match="--encoder"):
        load_space(folder)
    space = load_space(folder, chroma())
    assert [repr(law) for law in space.laws] == [repr(mixing_law())]
