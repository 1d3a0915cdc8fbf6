"""Where a phrase recurs in songs, in whatever key and at whatever time: rolls compared without pitch and time directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ._errors import DataError
from ._told import Told, table
from .data.notes import Notes
from .data.pianoroll import ONSET, Crops, cells
from .rollspace import RollSpace, frame, placed

SIZE, MARGIN = 128, 16
LEAST = 4
NULL = 4096
BATCH = 64
WIDTH = 256
#: How far off a phrase's own pitch and time its variant's may lie: semitones, sixteenths.
ASTRAY = (2, 4)


@dataclass(frozen=True)
class Motif(Told):
    """A place where the phrase recurs.

    Attributes:
        song, part: where; all parts together are ``"all"``.
        beat: quarter notes from the song's first beat, which is 0.
        semitones: how much higher than the phrase.
        shared: F1 of the notes that agree in pitch and onset, once transposed and shifted.
        distance: in the space, without pitch and time; 0 is the same.
        p: how often an unrelated window of these songs lies as near; see :func:`chance`.
        expected: how many unrelated windows as near these songs would hold.
    """

    song: str
    part: str
    beat: float
    semitones: int
    shared: float
    distance: float
    p: float
    expected: float

    def place(self, meter: int = 4) -> str:
        """Bar and beat as musicians count them, from 1, a bar having ``meter`` quarter notes."""
        return f"{int(self.beat // meter) + 1}:{self.beat % meter + 1:g}"


@dataclass(frozen=True)
class Recurrences(Told):
    """What a search found, the nearest first; ``windows`` were compared."""

    phrase: str
    cells: int
    notes: int
    windows: int
    found: tuple[Motif, ...]

    def __str__(self) -> str:
        head = ("#", "bar:beat", "semitones", "shared", "p", "expected", "song, part")
        rows = [
            (str(rank), each.place(), f"{each.semitones:+d}", f"{each.shared:.2f}", f"{each.p:.1g}", f"{each.expected:.1g}",
             f"{each.song}, {each.part}")
            for rank, each in enumerate(self.found, 1)
        ]  # fmt: skip
        return table([head, *rows])


def find_motif(
    phrase: Notes, songs: Sequence[Notes], space: RollSpace, *, k: int = 10, tell: Callable[[float], object] = lambda done: None
) -> Recurrences:
    r"""Where a phrase recurs, in each part alone and in all together.

    A roll's latent is :math:`z=(p, t, c)`: what is left without the directions of pitch and time, :math:`c`, does not change when
    the phrase is transposed or shifted, and is compared by :func:`distances`. Windows are as long as the phrase, begin where a note
    does, and have between half and twice its notes. Of windows that overlap by half only the nearest is told.

    Args:
        phrase: notes on the grid of sixteenths, at least 4, over at most 96 sixteenths.
        songs: the same; see :func:`oplas.data.midi`.
        tell: called with the number of songs done, for progress.

    Raises:
        DataError: the phrase is too short or too long, or no song has a window with about as many notes.
    """
    query, count = _phrase(phrase)
    held, null, places = [], [], []
    quota, draw = -(-NULL // max(len(songs), 1)), Generator().manual_seed(0)
    for song in songs:
        here = list(_places(song, query.inner, count))
        for at in range(0, len(here), BATCH):
            held.append(content(space, torch.cat([place.roll for place in here[at : at + BATCH]])))
        some = [here[index].roll for index in torch.randperm(len(here), generator=draw)[:quota].tolist()]
        null += [content(space, torch.cat(some[at : at + BATCH]).flip(2)) for at in range(0, len(some), BATCH)]
        places += here
        tell(1)
    if not places:
        raise DataError(f"no part of the {len(songs)} songs has {query.inner} sixteenths with about {count} notes; "
                        "give other songs, or a phrase of one part")  # fmt: skip
    sought = query.rolls(torch.zeros(1, dtype=torch.long))
    far, unrelated = (distances(space, sought, torch.cat(each))[0] for each in (held, null))
    p = chance(far, unrelated).tolist()
    found: list[Motif] = []
    taken: list[_Place] = []
    for row in far.argsort().tolist():
        place = places[row]
        if any(other.song is place.song and abs(other.start - place.start) < query.inner / 2 for other in taken):
            continue
        taken.append(place)
        semitones, shared = _agreement(sought[0, ONSET], place.roll[0, ONSET])
        found.append(
            Motif(place.song.name, place.part, place.start / 4, semitones, shared, float(far[row]), p[row], p[row] * len(p))
        )
        if len(found) == k:
            break
    return Recurrences(phrase.name or "the phrase", query.inner, count, len(p), tuple(found))


def chance(distance: Tensor, unrelated: Tensor) -> Tensor:
    r"""How likely something unrelated lies as near: p-values of distances ``[n]``, given distances ``[m]`` of the unrelated.

    Where at least a hundredth of the unrelated are as near, the conformal p-value :math:`(1+\#\{u\le d\})/(m+1)`, exact for
    whatever is exchangeable with them (Vovk et al. 2005). Nearer than that, the tail is taken to be a power of the distance, whose
    exponent is the Hill estimate (Hill 1975; Amsaleg et al. 2015 read it as the local dimension):
    :math:`p=p_0\,(d/d_0)^a`, so that p goes on falling below 1/m, though nothing below 1e-9 is told. Here the unrelated are windows
    of the same songs upside down.

    >>> unrelated = torch.linspace(1, 2, 1000)
    >>> [round(float(p), 3) for p in chance(torch.tensor([0.5, 1.5, 3.0]), unrelated)]
    [0.0, 0.5, 1.0]
    """
    unrelated = unrelated.double().sort().values
    m = len(unrelated)
    if not m:
        return torch.ones_like(distance)
    p = (1 + torch.searchsorted(unrelated, distance.double(), right=True)) / (m + 1)
    tail = max(m // 100, min(m, 10))
    edge = unrelated[tail - 1].clamp_min(1e-9)
    power = 1 / (edge / unrelated[:tail].clamp_min(1e-9)).log().mean().clamp_min(1e-3)
    far = (tail + 1) / (m + 1) * (distance.double() / edge) ** power
    return torch.where(distance < edge, far.minimum(p).clamp_min(1e-9), p)


def content(space: RollSpace, rolls: Tensor) -> Tensor:
    """What rolls are, wherever they lie: latents without pitch and time, ``[n, WIDTH]``, in as many random directions (Johnson
    and Lindenstrauss 1984, *Extensions of Lipschitz mappings into a Hilbert space*)."""
    return _narrow(space.encode(rolls)[:, 2:].float()) if len(rolls) else torch.zeros(0, WIDTH)


@torch.no_grad()
def distances(space: RollSpace, rolls: Tensor, held: Tensor) -> Tensor:
    """From phrases ``[n, 2, 128, 128]`` to contents ``[m, WIDTH]``, Euclidean, ``[n, m]``.

    Notes left out or added move a phrase's mean pitch and its first step, and then its content as a whole. So each phrase is asked
    for as if it lay up to ``ASTRAY`` off, and the nearest counts.
    """
    rest, nearest = placed(rolls, -frame(rolls)), torch.full((len(rolls), len(held)), torch.inf)
    for off in product(*(range(-most, most + 1) for most in ASTRAY)):
        variants = placed(rest, torch.tensor([off], dtype=rest.dtype).expand(len(rest), 2))
        seen = torch.cat([_narrow(space.encoder(part)) for part in variants.split(64)])
        nearest = nearest.minimum(torch.cdist(seen, held))
    return nearest


def _narrow(vectors: Tensor) -> Tensor:
    return vectors @ _directions(vectors.shape[1])


@lru_cache(2)
def _directions(dim: int) -> Tensor:
    return torch.randn(dim, WIDTH, generator=Generator().manual_seed(0)) / WIDTH**0.5


def _phrase(phrase: Notes) -> tuple[Crops, int]:
    sheet = cells(phrase)
    long, count = int(sheet[:, 1].max() - sheet[:, 0].min()), len(sheet[:, [0, 2]].unique(dim=0))
    name, most = phrase.name or "the phrase", SIZE - 2 * MARGIN
    if count < LEAST:
        raise DataError(f"{name} has {count} notes, which are everywhere; a phrase needs {LEAST} at least: give more bars")
    if long > most:
        raise DataError(f"{name} lasts {long} sixteenths; a window holds {most}: choose fewer bars")
    at_rest = replace(phrase, onset=(phrase.onset - phrase.onset.min()))
    return Crops([at_rest], size=SIZE, margin=(SIZE - max(long, 4)) // 2, least=1), count


class _Place(NamedTuple):
    """A window of a song's part."""

    song: Notes
    part: str
    crops: Crops
    window: int

    @property
    def start(self) -> int:
        """Cells from the song's beginning."""
        return int(self.crops.start[self.window])

    @property
    def roll(self) -> Tensor:
        """``[1, 2, 128, 128]``."""
        return self.crops.rolls(torch.tensor([self.window]))


def _places(song: Notes, inner: int, count: int) -> Iterator[_Place]:
    """Windows of each part alone, and of all, that begin with a note and have between half and twice ``count``."""
    for part, voice in _voices(song):
        try:
            crops = Crops([voice], size=SIZE, margin=(SIZE - inner) // 2, least=max(count // 2, 1))
        except DataError:  # it has no such window
            continue
        for index in crops.at_notes().split(BATCH):
            few = crops.rolls(index)[:, ONSET].sum((1, 2)) <= 2 * count
            yield from (_Place(song, part, crops, each) for each in index[few].tolist())


def _voices(song: Notes) -> Iterator[tuple[str, Notes]]:
    """Each part alone and, where there are several, all."""
    for index, label in enumerate(song.parts):
        mine = song.part == index
        if mine.any():
            yield (
                label,
                replace(song, **{name: getattr(song, name)[mine] for name in ("onset", "length", "pitch", "velocity", "part")}),
            )
    if len(song.part.unique()) > 1:
        yield "all", song


def _agreement(phrase: Tensor, window: Tensor) -> tuple[int, float]:
    """Semitones up by which most onsets of two rolls ``[128, cells]`` agree, and the F1 of those that do."""
    spectra = [torch.fft.rfft(each.double(), 256, dim=0) for each in (window, phrase)]
    same = torch.fft.irfft(spectra[0] * spectra[1].conj(), 256, dim=0).sum(1)
    best = int(same.argmax())
    return best if best < 128 else best - 256, float(2 * same[best].round() / (phrase.sum() + window.sum()))
