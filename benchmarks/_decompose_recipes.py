"""What each learned row is learned by: one entry a recipe, and the network that is told the stems."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from _decompose_data import Piece
from _pairs import RATE
from torch import Generator, Tensor, nn

from oplas.codecs import Codec, codec
from oplas.codecs.base import FRAME, STEP
from oplas.decompose import Decomposition, learn
from oplas.decompose.from_songs import LESSON
from oplas.decompose.lesson import KINDS, Lesson
from oplas.decompose.objectives import Compose, Objective
from oplas.decompose.remix import MixIT, Remix
from oplas.decompose.sizes import preset
from oplas.decompose.unet import UNet
from oplas.decompose.windows import levelled
from oplas.functional.schedule import pace
from oplas.functional.spectra import stft

#: What stands for a stem in a lesson.
PLAYERS = {"drums": "drums", "bass": "bass", "keys": "chords+lead", "guitar": "chords+lead"}
Labels = tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """So much of all steps by these objectives, made anew for every run of the stems' names, which only a lesson reads."""

    objectives: Callable[[Labels], Sequence[Objective]] = lambda labels: (Compose(),)
    share: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """How a row's model is learned.

    Attributes:
        stages: one after the other, each going on from the model of the one before.
        options: of :func:`oplas.decompose.learn`.
        parts: how many more than there are stems.
        noise_steps: of denoising when it splits, K.
        told: learned from the stems themselves, as a reference.
    """

    stages: Sequence[Stage] = (Stage(),)
    options: Mapping[str, Any] = field(default_factory=dict)
    parts: int = 0
    noise_steps: int = 1
    told: bool = False


def lesson(labels: Labels, songs: int = 96) -> Lesson:
    """By the synthesised band: what its players play for the stems. Beside drums alone, any of the others, whatever the stem."""
    kinds = KINDS[2] if len(labels) == 2 and labels[0] == "drums" else tuple(PLAYERS[label] for label in labels)
    return Lesson(*kinds, songs=songs)


ONE_PASS = {"view": "blind"}
MASK = {"view": "clean", "decoder": "separate"}
MAIN, SUPERVISED, GENERATOR, SHORT = "lesson, then remixed", "supervised", "one pass, with a prior", "lesson of 8 songs"
UNTAUGHT = ("composable, diffusion", "composable, one pass", "MixIT")
TAUGHT = Stage(lambda labels: (lesson(labels), Compose(10.0)), LESSON)
REMIXED = Stage(lambda labels: (Remix(), Compose(10.0)), 1 - LESSON)

RECIPES: dict[str, Recipe] = {
    MAIN: Recipe((Stage(lambda labels: (lesson(labels),), LESSON), Stage(lambda labels: (Remix(),), 1 - LESSON)), MASK),
    SUPERVISED: Recipe(told=True),
    "composable, diffusion": Recipe(),
    "composable, one pass": Recipe(options=ONE_PASS),
    "lesson alone": Recipe((Stage(lambda labels: (lesson(labels),), LESSON),), MASK),
    "MixIT": Recipe((Stage(lambda labels: (MixIT(),)),), MASK, parts=2),
    "MixIT and composable, one pass": Recipe((Stage(lambda labels: (MixIT(), Compose(10.0))),), ONE_PASS, parts=2),
    "lesson, then remixed, and composable, one pass": Recipe((TAUGHT, REMIXED), ONE_PASS),
    "lesson and composable, diffusion": Recipe((Stage(lambda labels: (lesson(labels), Compose(10.0))),)),
}

#: What generates, and what the quick run learns.
OTHERS = {
    GENERATOR: Recipe((TAUGHT, REMIXED), {**ONE_PASS, "prior": True}),
    SHORT: Recipe((Stage(lambda labels: (lesson(labels, 8),)),), MASK),
}

#: One thing changed at a time, on the first pair.
ABLATIONS: dict[str, Recipe] = {
    **{f"one pass, operator {name}": Recipe(options={**ONE_PASS, "operator": name}) for name in ("sum", "max", "min")},
    "one pass, separate decoders": Recipe(options={**ONE_PASS, "decoder": "separate"}),
    "one pass, two numbers a frame": Recipe(options={**ONE_PASS, "numbers": 2}),
    "one pass, four numbers a frame": Recipe(options={**ONE_PASS, "numbers": 4}),
    "one pass, a part more": Recipe(options=ONE_PASS, parts=1),
    "one pass, two parts more": Recipe(options=ONE_PASS, parts=2),
    "diffusion, K = 8": Recipe(noise_steps=8),
    "diffusion, K = 50": Recipe(noise_steps=50),
    "diffusion, velocity, K = 8": Recipe(options={"predict": "velocity"}, noise_steps=8),
}


def train(recipe: Recipe, labels: Labels, songs: list[Piece], seed: int, steps: int, size: str) -> Decomposition | Supervised:
    """A model of these songs: of their mixtures alone, or, if it is to be told, of their stems."""
    if recipe.told:
        return Supervised(len(labels), size, seed).fit(songs, steps, seed)
    mixtures, parts = {song.name: song.mix for song in songs}, len(labels) + recipe.parts
    options: dict[str, Any] = {"prior": False, "size": size, "seed": seed, "progress": False, **recipe.options}
    model, prior = None, options.pop("prior")
    for index, stage in enumerate(recipe.stages):
        model = learn(mixtures, parts, objectives=stage.objectives(labels), start=model, steps=max(round(stage.share * steps), 1),
                      prior=prior and index == len(recipe.stages) - 1, **options)  # fmt: skip
    assert model is not None
    return model


class Supervised(nn.Module):
    """The decoder's U-Net from the mixture's codes to those of every stem, learned from the stems: the upper reference."""

    def __init__(self, parts: int, size: str, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.codec: Codec = codec("mel").requires_grad_(False)
        self.parts, self.sizes = parts, preset(size)  # type: ignore[arg-type]
        self.network = UNet(self.codec.channels, self.codec.channels * parts, self.sizes.decoder)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes of every part, ``[batch, C, frames] -> [batch, parts, C, frames]``."""
        told: Tensor = self.network(codes, torch.ones(len(codes)))
        return nn.functional.softplus(told).unflatten(1, (self.parts, -1))

    def fit(self, songs: list[Piece], steps: int, seed: int) -> Supervised:
        """By the share of the mixture's energy that is amiss, in decibels; every second window is of stems of several songs."""
        generator = Generator().manual_seed(seed)
        optimiser = torch.optim.AdamW(self.parameters(), lr=self.sizes.rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: pace(step, steps))
        samples = self.codec.samples(self.sizes.frames)
        self.train()
        for step in range(steps):
            loss = self.loss(draw(songs, self.sizes.batch, samples, step % 2 == 1, generator))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        return self.eval()

    def loss(self, stems: Tensor) -> Tensor:
        mix = stems.sum(1)
        spectra = stft(stems, FRAME, STEP)
        power = self.codec.magnitudes(self(self.codec.encode(mix)), mix.shape[-1]).square() + 1e-6
        made = power / power.sum(1, keepdim=True) * spectra.sum(1, keepdim=True)
        amiss = (made - spectra).abs().square().sum((-1, -2)) / spectra.abs().square().sum((-1, -2)).sum(1, keepdim=True)
        return (10 * torch.log10(amiss + 1e-3)).mean()

    @torch.no_grad()
    def split(self, wav: Tensor, rate: int, *, steps: int = 1) -> Tensor:
        """The parts of one mixture at 24 kHz."""
        assert rate == RATE
        level, gain = levelled(wav)
        return self.codec.decode(self(self.codec.encode(level[None]))[0], level) / gain


def draw(songs: list[Piece], count: int, samples: int, mixed: bool, generator: Generator) -> Tensor:
    """Windows ``[count, k, samples]`` at one level in which something sounds; mixed, each stem is of a song of its own."""

    def one_of(n: int) -> int:
        return int(torch.randint(n, (1,), generator=generator))

    def window(song: Piece) -> Tensor:
        start = one_of(song.stems.shape[1] - samples + 1)
        return song.stems[:, start : start + samples]

    rows: list[Tensor] = []
    while len(rows) < count:
        row = window(songs[one_of(len(songs))])
        if mixed:
            others = [window(songs[one_of(len(songs))]) for _ in range(len(row))]
            gains = 10 ** ((torch.rand(len(row), 1, generator=generator) - 0.5) * 12 / 20)
            row = gains * torch.stack([other[i] for i, other in enumerate(others)])
        level = float(row.sum(0).square().mean().sqrt())
        if math.isfinite(level) and level > 1e-3:
            rows.append(0.1 / level * row)
    return torch.stack(rows)
