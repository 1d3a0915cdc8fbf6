r"""The music geometry meter: is there a circle of fifths, a chromatic ring, an octave, in any space whatever?

Published circles of fifths are plots. This is a test: twelve points, one for each key, and the share of their scatter that lies on
a *circle* in a given order,

.. math:: s_f=\frac{2}{m}\,\frac{|a|^2-|a^\top a|}{\sum_j|x_j-\bar x|^2},\qquad
          a=\sum_{j=0}^{m-1}x_j\,e^{-2\pi i fj/m}\in\mathbb C^d,

which is 1 for a regular polygon walked with winding f and 0 for a line, whose energy :math:`|a|^2` is all in :math:`|a^\top a|`.
Winding 1 is the chromatic order, 5 (or 7, its mirror image) the order of fifths. Its p-value is the share of random orders of the
same points that score as much, exact for points that are exchangeable. Points in chromatic order are seldom that: whatever varies
smoothly with pitch puts neighbours side by side. So where songs are heard in two octaves or more, a chromatic ring is believed
only if octaves are alike, too: surely over songs, and more than any other two pitches as far apart.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError

CHROMATIC, FIFTHS, CLASSES = 1, 5, 12
#: Below this p-value, and at least this share of the scatter on the circle, the meter says that there is a ring.
SURE, SEEN = 0.01, 0.2


@dataclass(frozen=True)
class Ring:
    """How much of m points' scatter lies on the circle walked with this winding, and how many random orders do as well."""

    winding: int
    score: float
    p: float


@dataclass(frozen=True)
class Near:
    """How much nearer moves of one size end than moves a step smaller or larger, in units of the scatter.

    ``p`` is by random signs of songs; ``rank`` counts the other moves, of 3 to 16 steps, of which more is true: 0 is none.
    """

    lag: int
    gain: float
    p: float
    rank: int = 0


@dataclass(frozen=True)
class Geometry:
    """What :func:`geometry` found."""

    fifths: Ring
    chromatic: Ring
    spectrum: tuple[float, ...]
    octave: Near | None = None
    fifth: Near | None = None
    songs: int = 0

    @property
    def verdict(self) -> str:
        """``circle of fifths``, ``chromatic ring``, ``both rings`` or ``no ring``."""
        found = [ring.p <= SURE and ring.score >= SEEN for ring in (self.fifths, self.chromatic)]
        found[1] &= self.octave is None or (self.octave.p <= SURE and self.octave.rank == 0)
        return {(True, True): "both rings", (True, False): "circle of fifths", (False, True): "chromatic ring"}.get(
            (found[0], found[1]), "no ring"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {**asdict(self), "verdict": self.verdict}

    def __str__(self) -> str:
        lines = [self.verdict]
        for name, ring in (("order of fifths", self.fifths), ("chromatic order", self.chromatic)):
            lines.append(f"{name:<18} {ring.score:6.1%} of the scatter on a circle, p {ring.p:.4f}")
        for name, near in (("octaves are alike", self.octave), ("fifths are alike", self.fifth)):
            if near is not None:
                lines.append(f"{name:<18} nearer by {near.gain:+.3f} of the scatter, p {near.p:.4f}, {near.rank} moves are more so")
        return "\n".join(lines)


def ring(points: Tensor, winding: int, *, draws: int = 9999, seed: int = 0) -> Ring:
    """Score and p-value of m points ``[m, d]``, in order, against random orders of them.

    >>> turn = 2 * math.pi * torch.arange(12) / 12
    >>> circle = torch.stack([torch.cos(5 * turn), torch.sin(5 * turn)], 1)
    >>> found = ring(circle, 5, draws=999)
    >>> round(found.score, 4), found.p, ring(circle, 1, draws=999).p > 0.1
    (1.0, 0.001, True)

    Raises:
        DataError: fewer than five points, NaN, or all the same. ShapeError: no table of points.
    """
    gram = _gram(points)
    m = len(gram)
    if not 0 < winding < m:
        raise ShapeError(f"a ring of {m} points has windings 1 to {m - 1}; {winding} was asked for")
    generator = Generator().manual_seed(seed)
    orders = torch.rand(draws, m, generator=generator).argsort(1)
    own = _scores(gram, torch.arange(m)[None], winding)
    others = _scores(gram, orders, winding)
    as_much = int((others >= own - 1e-9).sum())
    return Ring(winding, float(own), (1 + as_much) / (1 + draws))


def spectrum(points: Tensor) -> Tensor:
    """Share of the scatter in each Fourier plane of the order, ``[m // 2]``, winding 1 first; circle or not."""
    x = points.double() - points.double().mean(0)
    energy = torch.fft.fft(x, dim=0).abs().square().sum(1)
    m = len(x)
    paired = energy[1 : m // 2 + 1] + torch.where(torch.arange(1, m // 2 + 1) * 2 == m, 0.0, energy[-(m // 2) :].flip(0))
    return paired / paired.sum()


def class_effects(z: Tensor, shift: Tensor, key: Tensor, *, degree: int = 3) -> Tensor:
    r"""What each pitch class adds, ``[12, d]``, when song, and height up to a polynomial, are taken out:

    .. math:: z_{st}=\mu_s+c_{(k_s+t)\bmod 12}+\textstyle\sum_{p\le\text{degree}}b_p t^p+\varepsilon, \quad \sum_j c_j=0.

    Height and class are told apart only by shifts that span more than an octave; otherwise height is left in.

    Shape:
        - z: ``[songs, shifts, d]`` · shift: ``[shifts]``, semitones · key: ``[songs]``, pitch class

    Raises:
        DataError: NaN, or no song is ever in one of the classes. ShapeError: shapes that do not fit.
    """
    if z.ndim != 3 or shift.shape != z.shape[1:2] or key.shape != z.shape[:1]:
        raise ShapeError(
            f"latents are [songs, shifts, d], shift is [shifts] and key is [songs]; these are {list(z.shape)}, {list(shift.shape)} "
            f"and {list(key.shape)}"
        )
    if not bool(torch.isfinite(z).all()):
        raise DataError("the latents hold NaN or infinity; leave those songs out, or mend the encoder")
    place = (key[:, None] + shift) % CLASSES
    heard = torch.bincount(place.flatten().long(), minlength=CLASSES)
    if int(heard.min()) == 0:
        missing = ", ".join(str(int(each)) for each in (heard == 0).nonzero().flatten())
        raise DataError(
            f"no song is ever in pitch class {missing}; transpose the songs through all twelve, or add songs in those keys"
        )
    wide = int(shift.max() - shift.min()) >= 2 * CLASSES - 1
    height = (shift.double() / CLASSES)[None, :, None] ** torch.arange(1, degree + 1 if wide else 1).double()
    design = torch.cat([torch.nn.functional.one_hot(place.long(), CLASSES).double(), height.expand(len(z), -1, -1)], 2)
    design = design - design.mean(1, keepdim=True)  # the song's own level, taken out of both sides
    flat = (z.double() - z.double().mean(1, keepdim=True)).flatten(0, 1)
    weight = torch.linalg.lstsq(design.flatten(0, 1), flat, driver="gelsd").solution[:CLASSES]
    return weight - weight.mean(0)


def nearness(z: Tensor, lag: int) -> Tensor:
    r"""For each song :math:`\tfrac12(D_{l-1}+D_{l+1})-D_l`, in units of its scatter, D being the mean squared distance of moves of
    size l: positive where moves of ``lag`` end nearer than their neighbours do. ``[songs]``.

    Shape:
        - z: ``[songs, shifts, d]``, shifts one step apart; each song's cubic of height is taken out first

    Raises:
        DataError: too few shifts for a move of ``lag`` + 1.
    """
    count = z.shape[1]
    if lag < 2 or count < lag + 2:
        raise DataError(
            f"moves of {lag} steps are judged by those of {lag + 1}; {count} shifts are too few; give {lag + 2} or more"
        )
    x = z.double() - z.double().mean(1, keepdim=True)
    t = torch.linspace(-1, 1, count, dtype=torch.float64)
    smooth = torch.linalg.qr(torch.stack([t, t**2, t**3], 1) - torch.stack([t, t**2, t**3], 1).mean(0))[0]
    x = x - torch.einsum("tp,up,sud->std", smooth, smooth, x)
    scatter = x.square().sum(2).mean(1).clamp_min(1e-300)
    far = [(x[:, step:] - x[:, :-step]).square().sum(2).mean(1) for step in (lag - 1, lag, lag + 1)]
    return ((far[0] + far[2]) / 2 - far[1]) / scatter


def near(z: Tensor, lag: int, *, draws: int = 9999, seed: int = 0) -> Near:
    """:func:`nearness` over songs: its mean, how sure it is above zero, and how many other moves have more of it.

    Serves any ring that a move closes: an octave of 12 semitones, a doubling of the tempo.
    """
    values = nearness(z, lag)
    others = [float(nearness(z, each).mean()) for each in range(3, min(17, z.shape[1] - 1)) if each != lag]
    gain = float(values.mean())
    return Near(lag, gain, signs(values, draws=draws, seed=seed), sum(other > gain for other in others))


def signs(values: Tensor, *, draws: int = 9999, seed: int = 0) -> float:
    """One-sided p-value that the mean of independent values is above zero, by random signs."""
    flips = torch.randint(2, (draws, len(values)), generator=Generator().manual_seed(seed)).double() * 2 - 1
    return (1 + int((flips @ values.double() >= float(values.sum()) - 1e-12).sum())) / (1 + draws)


def geometry(z: Tensor, shift: Tensor, key: Tensor, *, draws: int = 9999, seed: int = 0) -> Geometry:
    """Read a space's geometry off songs transposed through all keys.

    Args:
        z: latents ``[songs, shifts, d]``.
        shift: semitones ``[shifts]``, one apart; two octaves or more let height be told from class.
        key: the pitch class of each song's key signature at shift 0, ``[songs]``.

    Raises:
        DataError: NaN, latents that do not vary, keys that no song is ever in.
    """
    points = class_effects(z, shift, key)
    octave = fifth = None
    if z.shape[1] >= CLASSES + 2 and bool((shift[1:] - shift[:-1] == 1).all()) and len(z) > 1:
        octave, fifth = near(z, CLASSES, draws=draws, seed=seed), near(z, 7, draws=draws, seed=seed)
    return of_points(points, draws=draws, seed=seed, octave=octave, fifth=fifth, songs=len(z))


def of_points(points: Tensor, *, draws: int = 9999, seed: int = 0, **rest: Any) -> Geometry:
    """The same for twelve points ``[12, d]``, one a pitch class from C upwards: means of keys, or vectors of chords.

    Raises:
        ShapeError: there are not twelve. DataError: NaN, or all the same.
    """
    if points.ndim != 2 or len(points) != CLASSES:
        raise ShapeError(f"a geometry of keys needs one point for each of the 12 pitch classes; this is {list(points.shape)}")
    both = [ring(points, winding, draws=draws, seed=seed) for winding in (FIFTHS, CHROMATIC)]
    return Geometry(both[0], both[1], tuple(spectrum(points).tolist()), **rest)


def _gram(points: Tensor) -> Tensor:
    if points.ndim != 2:
        raise ShapeError(f"points are [m, d]; these are {list(points.shape)}")
    if len(points) < 5:
        raise DataError(f"{len(points)} points make no ring that chance would not; give at least 5, and 12 for keys")
    if not bool(torch.isfinite(points).all()):
        raise DataError("the points hold NaN or infinity; leave those out, or mend what made them")
    x = points.double() - points.double().mean(0)
    if float(x.square().sum()) <= 1e-18 * float(points.double().square().sum()) + 1e-300:
        raise DataError(f"all {len(points)} points are the same, so they have no order; is the space constant?")
    return x @ x.T


def _scores(gram: Tensor, orders: Tensor, winding: int) -> Tensor:
    """Ring scores of the points in each order, ``[n, m]`` to ``[n]``."""
    m = len(gram)
    turn = torch.exp(2j * math.pi * winding * torch.arange(m) / m).to(torch.complex128)
    found = []
    for some in orders.split(2000):
        each = turn[some]  # the phase that each point is given
        rows = each @ gram.to(turn)
        energy, line = (rows * each.conj()).sum(1).real, (rows * each).sum(1).abs()
        found.append((energy - line) * 2 / m / torch.trace(gram))
    return torch.cat(found)
