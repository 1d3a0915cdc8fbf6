r"""How far made sound is from real sound in an embedding: a distance of two Gaussians, told between a floor and a ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .._errors import DataError, ShapeError
from .._told import Told, figure
from ..data.audio import resample
from ..encoders.base import Encoder


@dataclass(frozen=True)
class Frechet(Told):
    """Fréchet distances, all of samples of one size, because the distance falls with their size.

    It is named after its embedding, as "Fréchet distance in mini-1, 16 axes": in another embedding it is another figure.

    Attributes:
        distance: made sound to real sound.
        floor: real sound to real sound of other songs.
        ceiling: noise as loud as the real windows to real sound.
        windows: of each side.
    """

    distance: float
    floor: float
    ceiling: float
    windows: int
    embedding: str

    @property
    def way(self) -> float:
        """Where between floor (0) and ceiling (1) the distance lies."""
        return (self.distance - self.floor) / (self.ceiling - self.floor)

    def __str__(self) -> str:
        low, high = figure(self.floor), figure(self.ceiling)
        return f"Fréchet distance in {self.embedding}: {figure(self.distance)} (real {low}, noise {high}; {self.windows} windows)"


def distance(x: Tensor, y: Tensor) -> float:
    r"""Of the Gaussians with the means and covariances of two samples of rows, ``[n, d]`` and ``[m, d]``:

    .. math:: \|\mu_x-\mu_y\|^2+\operatorname{tr}\Sigma_x+\operatorname{tr}\Sigma_y-2\operatorname{tr}(\Sigma_x\Sigma_y)^{1/2}

    The last trace is the sum of the singular values of :math:`X Y^\top`, X and Y being the centred rows over
    :math:`\sqrt{n-1}`: no root of a matrix is taken, and fewer rows than dimensions do no harm.

    D. C. Dowson, B. V. Landau, "The Fréchet distance between multivariate normal distributions", 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X; in an embedding: M. Heusel et al., 2017, https://arxiv.org/abs/1706.08500.

    Raises:
        ShapeError: the samples are no rows of one width, or fewer than two.
        DataError: a number is not finite.

    >>> x = torch.tensor([[0.0], [2.0]])
    >>> round(distance(x, 3 * x + 1), 4)  # means 1 and 4, deviations 1.414 and 4.243
    17.0
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ShapeError(f"samples {list(x.shape)} and {list(y.shape)} must be rows of one width, two at least of each")
    if not bool(x.isfinite().all() and y.isfinite().all()):
        raise DataError("a sample holds numbers that are not finite; look at the encoder's input")
    x, y = x.double(), y.double()
    apart = (x.mean(0) - y.mean(0)).square().sum()
    x, y = ((each - each.mean(0)) / (len(each) - 1) ** 0.5 for each in (x, y))
    spread = x.square().sum() + y.square().sum() - 2 * torch.linalg.matrix_norm(x @ y.T, "nuc")
    return float((apart + spread).clamp_min(0))


def frechet(
    made: Sequence[Tensor],
    real: Sequence[Tensor],
    rate: int,
    encoder: Encoder,
    *,
    axes: int = 16,
    draws: int = 8,
    seed: int = 0,
) -> Frechet:
    """Made sound against real songs, each in windows of the encoder's length, end to end.

    Codes are seen on the first principal axes of the real ones, because covariances of more dimensions than there are windows say
    more of their number than of the sound. Songs are halved at random ``draws`` times; floor, distance and ceiling are means over
    the halvings, each time to the same half.

    Args:
        made: waves ``[samples]``; no song of them need be as long as another.
        real: one wave a song, at least two.
        rate: of all of them, Hz.
        axes: how many principal axes; windows should outnumber them.

    Raises:
        DataError: fewer than two songs, or than two windows of anything; or silence and numbers that are not finite.
    """
    songs = [each for each in (windows([wave], rate, encoder) for wave in real) if len(each)]
    if len(songs) < 2:
        raise DataError(
            f"{len(songs)} real song(s) with a window of {encoder.samples / encoder.rate:g} s; the floor needs at least 2"
        )
    generator = Generator().manual_seed(seed)
    codes = [encoder.encode(each).double() for each in songs]
    every = torch.cat(codes)
    frame = torch.linalg.svd(every - every.mean(0), full_matrices=False).Vh[:axes].T
    codes = [each @ frame for each in codes]
    noises = [encoder.encode(_noise(each, generator)).double() @ frame for each in songs]
    given = encoder.encode(windows(made, rate, encoder)).double() @ frame
    found: list[tuple[int, float, float, float]] = []
    for _ in range(draws):
        order = torch.randperm(len(songs), generator=generator).tolist()
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        a, b, noise = (torch.cat(rows) for rows in ([codes[i] for i in one], [codes[i] for i in other], [noises[i] for i in one]))
        n = min(len(a), len(b), len(given))
        if n < 2:
            raise DataError(f"{len(given)} made windows for {len(a)} and {len(b)} real ones; give two of each at least")
        a, b, noise, chosen = (rows[torch.randperm(len(rows), generator=generator)[:n]] for rows in (a, b, noise, given))
        found.append((n, distance(chosen, b), distance(a, b), distance(noise, b)))
    count, far, floor, ceiling = torch.tensor(found, dtype=torch.float64).mean(0).tolist()
    return Frechet(far, floor, ceiling, round(count), f"{encoder.name}, {frame.shape[1]} axes")


def windows(waves: Sequence[Tensor], rate: int, encoder: Encoder) -> Tensor:
    """Waves in windows end to end at the encoder's rate, ``[n, samples]``; what is left over, and silence, is left out."""
    rows = []
    for wave in waves:
        at = torch.from_numpy(resample(wave.detach().cpu().float().numpy(), rate, encoder.rate))
        rows.append(at[: len(at) // encoder.samples * encoder.samples].reshape(-1, encoder.samples))
    cut = torch.cat(rows) if rows else torch.zeros(0, encoder.samples)
    return cut[cut.ne(0).any(1)]


def _noise(rows: Tensor, generator: Generator) -> Tensor:
    level = rows.square().mean(1, keepdim=True).sqrt()
    return torch.randn(rows.shape, generator=generator) * level
