"""A lesson in listening: the parts of a band that never was, known because it was synthesised."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn import functional

from .._errors import DataError
from ..codecs import Codec
from ..data.band import play
from .apart import apart
from .model import MOST, Composable
from .objectives import Objective
from .windows import LEVEL, Batch

#: What the parts play when nobody says it, by their number.
KINDS = {2: ("drums", "bass+chords+lead"), 3: ("drums", "bass", "chords+lead"), 4: ("drums", "bass", "chords", "lead")}
PLAYERS = ("drums", "bass", "chords", "lead")


class Lesson(Objective):
    r"""Tell apart what :func:`oplas.data.band` plays: a source of each kind, from songs that need not be the same.

    No recording and no label of yours is used. So that a model learns what the kinds have in common, and not how this synthesiser
    sounds, every source is played at another speed (pitch and tempo together, from -9 to +12 semitones), through a random
    equaliser and at another level. Domain randomisation, after J. Tobin et al. 2017, https://arxiv.org/abs/1703.06907.

    Args:
        kinds: what each part plays: ``drums``, ``bass``, ``chords``, ``lead``, or one of several, such as ``chords+lead``.
        songs: of the band, 12 s each; made when they are first needed.

    Raises:
        DataError: there is no such player, or a kind for fewer than one or more than eight parts.
    """

    stretch, equaliser, spread = (-0.5, 0.7), 8.0, 6.0  # octaves' logarithm, dB, dB

    def __init__(self, *kinds: str, weight: float = 1.0, songs: int = 96) -> None:
        super().__init__(weight)
        self.kinds, self.songs = kinds, songs
        players = [kind.split("+") for kind in kinds]
        if not 1 <= len(kinds) <= MOST or (wrong := [name for names in players for name in names if name not in PLAYERS]):
            seen = f"{', '.join(wrong)} does not play" if kinds else "nobody is asked to play"
            raise DataError(f"{seen} in the band; a part is one of {', '.join(PLAYERS)}, or several joined by +")
        self.players = players

    def loss(self, model: Composable, batch: Batch, codec: Codec, generator: Generator) -> Tensor:
        if len(self.players) != model.parts:
            raise DataError(f"the lesson has {len(self.players)} kinds, the model {model.parts} parts; give a kind for each")
        count, samples = batch.waves.shape
        rows = [self.sources(names, codec.rate, count, samples, generator) for names in self.players]
        return apart(model, codec, torch.stack(rows, 1).to(batch.waves), generator)

    def sources(self, names: list[str], rate: int, count: int, samples: int, generator: Generator) -> Tensor:
        """So many windows of one kind, ``[count, samples]``."""
        waves = torch.stack([self._window(names, rate, samples, generator) for _ in range(count)])
        waves = equalised(waves, self.equaliser, generator)
        level = 10 ** (self.spread * (2 * torch.rand(count, 1, generator=generator) - 1) / 20)
        return waves * LEVEL * level / waves.square().mean(1, keepdim=True).sqrt().clamp_min(1e-4)

    def _window(self, names: list[str], rate: int, samples: int, generator: Generator) -> Tensor:
        low, high = self.stretch
        speed = 2.0 ** ((high - low) * float(torch.rand((), generator=generator)) + low)
        taken = round(samples * speed)
        for _ in range(20):  # parts rest in some sections
            song = _song(int(torch.randint(self.songs, (), generator=generator)), rate, max(12.0, 2 * samples / rate + 1))
            name = names[int(torch.randint(len(names), (), generator=generator))]
            if (whole := song.get(name)) is not None:
                start = int(torch.randint(len(whole) - taken + 1, (), generator=generator))
                window = whole[start : start + taken].float()
                if float(window.square().mean()) > 1e-5:
                    break
        return functional.interpolate(window[None, None], samples, mode="linear")[0, 0]


@lru_cache(256)
def _song(index: int, rate: int, seconds: float) -> dict[str, Tensor]:
    return {name: wave.half() for name, wave in play(5, index, seconds, rate).waves.items()}  # at most 1: half the memory


def equalised(waves: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Each wave ``[batch, samples]`` through its own smooth equaliser: normal gains (dB) at 12 points, evenly over ten octaves."""
    spectrum = torch.fft.rfft(waves)
    gains = deviation * torch.randn(len(waves), 1, 12, generator=generator)
    octave = torch.linspace(0, 1, spectrum.shape[1]).clamp_min(1e-3).log2()
    place = (1 + octave / 10).clamp(0, 1) * 11
    low = place.floor().clamp_max(10).long()
    curve = torch.lerp(gains[:, 0, low], gains[:, 0, low + 1], place - low)
    return torch.fft.irfft(spectrum * 10 ** (curve / 20), waves.shape[1])
