"""Songs of two or three stems at equal loudness: to learn from as mixtures, and windows of those held out to be judged on."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import lru_cache

import torch
from _harness import SHARED
from _mixing import CACHE
from _pairs import PAIRS, RATE, ensembles
from _songs import is_test
from torch import Generator, Tensor

from oplas.data import band
from oplas.data.audio import read
from oplas.data.stems import Stems

SECONDS = 7.0
SAMPLES = int(SECONDS * RATE)
LEVEL = 0.1  # RMS of a stem where it plays
SOUNDS = 0.02  # RMS in a window from which a stem sounds in it: 14 dB below its own level

GROUPS = (*PAIRS, ("drums", "bass", "keys"))
KINDS = ("songs", "other instruments", "other soundfont")

DRUMS = (
    "loop_amen", "loop_amen_full", "loop_breakbeat", "loop_compus", "loop_electric", "loop_industrial", "loop_mehackit1",
    "loop_mehackit2", "loop_perc1", "loop_perc2", "loop_safari", "loop_tabla", "arovane_beat_a", "arovane_beat_b",
    "arovane_beat_c", "arovane_beat_d", "arovane_beat_e",
)  # fmt: skip
PITCHED = (
    "ambi_choir", "ambi_drone", "ambi_glass_hum", "ambi_haunted_hum", "ambi_piano", "bass_hard_c", "bass_thick_c",
    "bass_trance_c", "bass_voxy_c", "bass_woodsy_c", "guit_e_fifths", "guit_e_slide", "guit_em9", "guit_harmonics",
    "loop_drone_g_97", "loop_garzul",
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A song. Shape: stems ``[k, samples]`` at 24 kHz, in the order of the labels asked for."""

    name: str
    stems: Tensor

    @property
    def mix(self) -> Tensor:
        return self.stems.sum(0)


@dataclass(frozen=True)
class Windows:
    """Windows in which every stem sounds: sources ``[k, samples]`` each, and the song each is of."""

    sources: tuple[Tensor, ...]
    songs: tuple[int, ...]
    what: str

    def few(self, most: int) -> Windows:
        """At most so many, of as many songs as before."""
        return Windows(self.sources[:most], self.songs[:most], self.what)


@lru_cache(maxsize=1)
def played(kind: str) -> Stems:
    """All songs of a kind."""
    if kind == "band":
        return band(seed=0, songs=16, seconds=15.0, rate=RATE)
    return ensembles(kind)  # type: ignore[arg-type]


def pieces(kind: str, labels: tuple[str, ...], *, held_out: bool) -> list[Piece]:
    """Songs of a kind that have all these stems, at equal loudness."""
    found = []
    for song in played(kind).songs:
        test = is_test(song.name) if kind != "band" else song.name.endswith(("0", "5"))
        if test == held_out and set(labels) <= {part.label for part in song.parts}:
            stems = level(torch.from_numpy(song.window(labels, 0, RATE, song.length(RATE))))
            if stems is not None:
                found.append(Piece(song.name, stems))
    return found


def level(stems: Tensor) -> Tensor | None:
    """Stems at one RMS where they play: half seconds within 20 dB of their loudest; None of less than four seconds."""
    half = RATE // 2
    count = stems.shape[1] // half
    if count < 8:
        return None
    rms = stems[:, : count * half].unflatten(1, (count, half)).square().mean(-1).sqrt()
    plays = rms > 0.1 * rms.amax(1, keepdim=True)
    active = ((rms.square() * plays).sum(1) / plays.sum(1)).sqrt()
    return stems * (LEVEL / active)[:, None]


def windows(songs: list[Piece], most: int, what: str) -> Windows:
    """Up to ``most`` windows end to end in which every stem sounds, song by song in turn, so that the first few are of many."""
    generator, rounds = Generator().manual_seed(0), []
    for index, song in enumerate(songs):
        cut = song.stems.unfold(1, SAMPLES, SAMPLES).transpose(0, 1) if song.stems.shape[1] >= SAMPLES else song.stems[:0]
        good = [w.contiguous() for w in cut if bool((w.square().mean(1).sqrt() > SOUNDS).all())]
        rounds += [(turn, index, good[i]) for turn, i in enumerate(torch.randperm(len(good), generator=generator).tolist())]
    rounds = sorted(rounds, key=lambda each: each[:2])[:most]
    return Windows(tuple(w for *_, w in rounds), tuple(i for _, i, _ in rounds), what)


def loops(count: int = 20) -> list[Piece]:
    """Recorded CC0 loops, a drum loop with a pitched one, each repeated from a random place for two windows."""
    folder = CACHE / "samples"
    if not folder.is_dir():
        with tarfile.open(SHARED / "audio" / "sonic_pi_samples_cc0.tar") as tar:
            tar.extractall(folder, filter="data")
    files = {file.stem: file for file in folder.rglob("*.flac")}
    generator, made = Generator().manual_seed(0), []
    orders = [torch.randperm(len(names), generator=generator).tolist() for names in (DRUMS, PITCHED)]
    for index in range(count):
        chosen = [names[order[index % len(order)]] for names, order in zip((DRUMS, PITCHED), orders, strict=True)]
        stems = []
        for name in chosen:
            wave = torch.from_numpy(read(files[name], RATE).copy())
            shift = int(torch.randint(len(wave), (1,), generator=generator))
            stems.append(wave.repeat(-(-2 * SAMPLES // len(wave)))[: 2 * SAMPLES].roll(shift))
        levelled = level(torch.stack(stems))
        assert levelled is not None
        made.append(Piece(" + ".join(chosen), levelled))
    return made
