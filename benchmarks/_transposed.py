"""Motifs asked for in another key: an exact front end of rolls, its law, and held-out songs with notes left out."""

from __future__ import annotations

import math
import sys
import tarfile
from dataclasses import replace

import torch
from _harness import SHARED
from _mixing import CACHE
from torch import Generator, Tensor

from oplas import Space, certify
from oplas._errors import DataError
from oplas.actions import Transpose
from oplas.algebra import plan
from oplas.data import Notes, Rolls, read_midi
from oplas.encoders import Encoder
from oplas.laws import Equivariance
from oplas.operators.composed import Pointwise

BEATS, PER_BEAT, PITCHES = 8, 4, 128
WAVES = 40


class PitchWaves(Encoder):
    r"""Each beat's notes as waves along pitch: :math:`y_{bf}=\sum_p x_{bp}e^{-2\pi ifp/128}`, which transposing only turns."""

    rate, samples, dim = PER_BEAT * PITCHES, BEATS * PER_BEAT * PITCHES, BEATS * WAVES * 2
    name = "pitch waves"

    def forward(self, x: Tensor) -> Tensor:
        beats = x.unflatten(1, (BEATS, PER_BEAT, PITCHES)).sum(2)
        return torch.view_as_real(torch.fft.fft(beats)[..., 1 : WAVES + 1]).flatten(1)


class Turn(Pointwise):
    r"""Wave f turns by :math:`2\pi f\theta/128`: exactly what transposing by theta semitones does to :class:`PitchWaves`."""

    linear = flow = True

    def act(self, z: Tensor, theta: Tensor) -> Tensor:
        angle = -2 * math.pi / PITCHES * theta[:, None] * torch.arange(1, WAVES + 1)
        waves = torch.view_as_complex(z.unflatten(1, (BEATS, WAVES, 2)).contiguous())
        return torch.view_as_real(waves * torch.polar(torch.ones_like(angle), angle)[:, None]).flatten(1)


def songs(names: set[str], *, quick: bool) -> list[Notes]:
    """The songs' notes without drums; made up where there are no files."""
    archive, midi = SHARED / "freedoom_midi.tar.gz", CACHE / "freedoom_midi"
    if quick or not archive.is_file():
        return [_wander(number) for number in range(24)]
    if not midi.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(midi, filter="data")
    found = []
    for path in sorted(midi.rglob("*.mid")):
        if path.stem in names:
            try:
                found.append(read_midi(path))
            except DataError:  # drums alone
                continue
    return found


@torch.no_grad()
def judge(notes: list[Notes], seed: int, per_song: int = 24) -> tuple[dict[str, Tensor], Tensor]:
    """Ranks of each window's transposed, thinned version among all such, and the songs.

    ``averaging`` takes as positives the motif and four other songs' windows so transposed, as negatives those windows as they were.
    ``no key at all`` compares the waves' sizes, which transposing leaves: it needs no query by algebra, nor can it tell keys apart.
    """
    generator = Generator().manual_seed(seed)
    data = Rolls(notes)
    space = Space(PitchWaves(), laws=[Equivariance(Transpose(-6, 6), Turn())])
    order = torch.randperm(len(notes), generator=generator).tolist()
    known, asked = Rolls([notes[i] for i in order[::2]]), [order[i] for i in range(1, len(order), 2)]
    certificate = certify(space, known, seed=seed, trials=300)
    print(f"{certificate.law}: {certificate.verdict}; {certificate.why}", file=sys.stderr)
    thinned = Rolls([_thinned(song, generator) for song in notes])
    rows, targets, thetas, whose = [], [], [], []
    slots = [slot for slot in data.grid(PitchWaves.rate, PitchWaves.samples) if slot.song in asked]
    taken: dict[int, int] = {}
    for index in torch.randperm(len(slots), generator=generator).tolist():
        slot = slots[index]
        if taken.get(slot.song, 0) == per_song:
            continue
        whole = data.scene(slot, PitchWaves.rate, PitchWaves.samples).parts.amax(0)
        less = thinned._roll(slot.song, PitchWaves.rate, PitchWaves.samples)[:, slot.start : slot.start + PitchWaves.samples].amax(
            0
        )
        if len(less) < PitchWaves.samples or whole.sum() < 16 or not less.any():
            continue
        theta = int(torch.tensor([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])[torch.randint(12, (), generator=generator)])
        try:
            targets.append(Transpose.roll(less.float(), theta))
        except DataError:  # no room for all notes
            continue
        rows.append(whole)
        thetas.append(theta)
        whose.append(slot.song)
        taken[slot.song] = taken.get(slot.song, 0) + 1
    z, gallery, song = space(torch.stack(rows)), space(torch.stack(targets)), torch.tensor(whose)
    made = torch.stack(
        [
            plan(f"transpose(#{i}, {theta})", space, certificates=[certificate]).latents(lambda item: z[int(item.name)]).sum(0)
            for i, theta in enumerate(thetas)
        ]
    )
    unit, others = torch.nn.functional.normalize(z, dim=1), torch.zeros_like(z)
    for i, theta in enumerate(thetas):
        away = (song != song[i]).nonzero().flatten()
        some = away[torch.randint(len(away), (4,), generator=generator)]
        up = torch.nn.functional.normalize(Turn().act(z[some], torch.full((4,), float(theta))), dim=1)
        others[i] = 2 * torch.cat([unit[i : i + 1], up]).mean(0) - unit[some].mean(0)
    flat = torch.nn.functional.normalize(gallery, dim=1)
    bare = [torch.view_as_complex(each.unflatten(1, (BEATS, WAVES, 2)).contiguous()).abs().flatten(1) for each in (z, gallery)]
    distances = {
        "algebra": torch.cdist(made, gallery),
        "plain": torch.cdist(unit, flat),
        "averaging": torch.cdist(torch.nn.functional.normalize(others, dim=1), flat),
        "no key at all": torch.cdist(*bare),
    }
    ranks = {name: (~(far > far.diagonal()[:, None])).sum(1) - 1 for name, far in distances.items()}
    return ranks, song


def _thinned(song: Notes, generator: Generator, share: float = 0.2) -> Notes:
    kept = torch.rand(len(song), generator=generator) >= share
    kept[0] = True
    return replace(song, **{name: getattr(song, name)[kept] for name in ("onset", "length", "pitch", "velocity", "part")})


def _wander(number: int) -> Notes:
    """A melody that wanders through a scale over a bass, 64 beats."""
    draw = Generator().manual_seed(number)
    scale = [octave * 12 + step for octave in range(4, 7) for step in (0, 2, 4, 5, 7, 9, 11)]
    steps = torch.randint(-2, 3, (128,), generator=draw).cumsum(0) % len(scale)
    melody = [(beat / 2, 0.5, scale[int(step)] + number % 5) for beat, step in enumerate(steps)]
    bass = [(float(beat), 1.0, 40 + int(torch.randint(12, (), generator=draw))) for beat in range(0, 64, 2)]
    return Notes.of([*melody, *bass], name=f"wandering {number}")
