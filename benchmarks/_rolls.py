"""Piano rolls for the benchmarks: POP909 split by song, the networks compared, and what they learn by."""

from __future__ import annotations

import tarfile
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from _harness import SHARED
from _pop import folds, load
from safetensors.torch import load_file
from torch import Generator, Tensor, nn

from oplas.actions.pianoroll import Shift, Transpose
from oplas.data.midi import midi
from oplas.data.notes import Notes
from oplas.data.pianoroll import Crops
from oplas.data.rolls import same_song
from oplas.laws import Gaussian
from oplas.laws.base import Law
from oplas.laws.factor import factored
from oplas.laws.redraw import Attraction, Redraw
from oplas.laws.step import Recognised, Step, UnitVariance
from oplas.laws.views import Term
from oplas.networks.decoder import Decoder
from oplas.networks.pooled import Pooled, Unpooled
from oplas.networks.swin import Swin
from oplas.networks.vit import ViT
from oplas.operators import Translation

WEIGHTS = Path(__file__).parent / "weights"
SEMITONES, STEPS, MARGIN, DIM = 6, 8, 16, 16
#: Ten folds by song; the first is held out from all training.
FOLDS = 10
SWEEP = (0.0, 0.1, 1.0, 10.0)
#: Plain networks trained, by weight of the factor laws.
SEEDS = {0.1: 3, 10.0: 3, 1.0: 3, 0.0: 3}
#: Weights at which the hierarchical network was trained, one seed.
SWINS = (0.0, 10.0)


def split() -> tuple[list[Notes], list[Notes]]:
    """POP909's songs to learn from and those held out, on the grid of sixteenths; songs that are one stay together."""
    songs = [song.notes.on_grid() for song in load()]
    held = set(folds(same_song(songs), FOLDS, seed=0)[0].tolist())
    return [song for i, song in enumerate(songs) if i not in held], [song for i, song in enumerate(songs) if i in held]


def others() -> tuple[list[Notes], list[Notes]]:
    """Freedoom's songs (multi-instrument, without drums) to learn from, and a tenth held out."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tarfile.open(SHARED / "freedoom_midi.tar.gz") as tar:
            tar.extractall(folder, filter="data")
        songs = midi(folder).songs
    held = set(folds(same_song(songs), FOLDS, seed=0)[0].tolist())
    return [song for i, song in enumerate(songs) if i not in held], [song for i, song in enumerate(songs) if i in held]


def crops(songs: list[Notes]) -> Crops:
    """Windows of six bars with a bar of rest on both sides."""
    return Crops(songs, margin=MARGIN)


def plain(seed: int, kind: str = "plain", dim: int = DIM) -> Pooled:
    """A plain network, untrained: nothing in it knows what a move is."""
    torch.manual_seed(seed)
    return Pooled(dim, ViT(code=4, depth=1) if kind == "plain" else Swin(code=4, depths=(1, 1)))


def terms(weight: float, dim: int = DIM) -> list[Law | Term]:
    """LeJEPA and masked patches; and, times ``weight``, the factor laws."""
    masked = Redraw(Unpooled(dim, depth=1, hidden=64), hidden=0.25, weight=0.05)
    return [masked, Gaussian(weight=2.0), UnitVariance(weight=0.3), Attraction(weight=0.3), *factor_laws(weight, dim)]


def factor_laws(weight: float, dim: int, *, known: bool = True) -> list[Law | Term]:
    """Both laws of translation, the seed's cosine targets and that content is known again, at one weight; none at 0."""
    up, later = Transpose(-SEMITONES, SEMITONES), Shift(-STEPS, STEPS)
    steps = [Step(up, Translation(dim), weight), Step(later, Translation(dim), weight)]
    content = [Recognised([each.operator for each in steps], weight=0.2 * weight)] * known
    return [*steps, *content, *factored(up, later, weight)] if weight else []


def saved(module: nn.Module, path: Path) -> nn.Module:
    """The module with weights that benchmarks/train_rolls.py wrote; frozen."""
    module.load_state_dict({name: each.float() for name, each in load_file(path).items()})
    return module.eval().requires_grad_(False)


def trained(kind: str) -> list[tuple[float, int]]:
    """Weight of the factor laws and seed of every network of a kind that benchmarks/train_rolls.py has written."""
    names = (path.stem.split("_") for path in WEIGHTS.glob(f"{kind}_*.safetensors"))
    return sorted((float(weight), int(seed.removeprefix("seed"))) for _, weight, seed in names)


def load_plain(weight: float, seed: int, kind: str = "plain") -> nn.Module:
    """A plain network, trained with the factor laws at this weight: of a ``plain`` vision transformer, or a ``swin``."""
    return saved(plain(seed, kind), WEIGHTS / f"{kind}_{weight:g}_seed{seed}.safetensors")


def attentive() -> nn.ModuleDict:
    """The space's networks with attention among the patches, two blocks before the codes and one after."""
    return nn.ModuleDict({"network": ViT(depth=2), "decoder": Decoder(depth=1)})


def load_soft(weight: float, seed: int) -> nn.ModuleDict:
    """The space's networks without the frame, taught the factor laws at this weight."""
    return saved(attentive(), WEIGHTS / f"soft_{weight:g}_seed{seed}.safetensors")  # type: ignore[return-value]


class Columns:
    """A linear operator on every bar's codes alike, ``z A^s``: one semitone, learned by ridge regression."""

    def __init__(self, encode: Callable[[Tensor], Tensor], windows: Crops, count: int, ridge: float = 1e-3) -> None:
        draw = Generator().manual_seed(2)
        index = torch.randint(len(windows), (count,), generator=draw)
        room = windows.room(index)
        index = index[(room > SEMITONES).all(1)]
        low = torch.randint(-SEMITONES, SEMITONES, (len(index),), generator=draw)
        z = [torch.cat([self.cut(encode(windows.rolls(i, s))) for i, s in zip(index.split(64), far.split(64), strict=True)])
             for far in (low, low + 1)]  # fmt: skip
        self.steps = {1: self._fit(*z, ridge), -1: self._fit(*z[::-1], ridge)}

    @staticmethod
    def cut(z: Tensor) -> Tensor:
        """Latents as bars, ``[n * 8, 8 * width]``, and a one."""
        bars = z.unflatten(1, (8, 8, -1)).transpose(1, 2).flatten(2).flatten(0, 1)
        return torch.cat([bars, bars.new_ones(len(bars), 1)], 1)

    @staticmethod
    def _fit(before: Tensor, after: Tensor, ridge: float) -> Tensor:
        gram = before.T @ before
        eye = torch.eye(len(gram)) * (ridge * float(gram.diagonal().mean()))
        return torch.linalg.solve(gram + eye, before.T @ after)

    def __call__(self, z: Tensor, semitones: int) -> Tensor:
        bars = self.cut(z)
        for _ in range(abs(semitones)):
            bars = bars @ self.steps[1 if semitones > 0 else -1]
        return bars[:, :-1].unflatten(0, (-1, 8)).unflatten(2, (8, -1)).transpose(1, 2).flatten(1)
