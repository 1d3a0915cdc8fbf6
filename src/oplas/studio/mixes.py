"""The mixer: uploaded stems, the sum of their latents, and the latent of their true mix."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._errors import DataError
from . import schema
from .library import Library
from .maps import Map

BYTES, STEMS, NEAREST = 256 << 20, 8, 8


@dataclass(frozen=True)
class Session:
    """Stems of one mix at the encoder's rate, each ``[samples]``."""

    id: str
    names: tuple[str, ...]
    waves: tuple[np.ndarray, ...]

    @property
    def size(self) -> int:
        return sum(wave.nbytes for wave in self.waves)

    def gained(self, gains: Sequence[float], start: int = 0, samples: int | None = None) -> np.ndarray:
        """The stems at their gains (dB), one a row, from ``start``: silence where a stem has ended."""
        length = samples or max(map(len, self.waves))
        out = np.zeros((len(self.waves), length), np.float32)
        for row, wave, gain in zip(out, self.waves, gains, strict=True):
            piece = wave[start : start + length]
            row[: len(piece)] = piece * np.float32(10 ** (gain / 20))
        return out


class Mixer:
    """Mixes of uploaded stems; the oldest are let go when their sound takes more than 256 MB."""

    def __init__(self, library: Library, map_: Map) -> None:
        self.library, self.map = library, map_
        self._kept: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, names: Sequence[str], waves: Sequence[np.ndarray]) -> Session:
        """A new mix.

        Raises:
            DataError: no stem, too many, or more sound than is kept.
        """
        if not 2 <= len(waves) <= STEMS:
            raise DataError(f"{len(waves)} stem(s) were sent; a mix takes 2 to {STEMS}")
        session = Session(secrets.token_urlsafe(9), tuple(names), tuple(waves))
        if session.size > BYTES:
            raise DataError(f"these stems hold {session.size >> 20} MB of sound, at most {BYTES >> 20} are taken; send less")
        with self._lock:
            self._kept[session.id] = session
            while sum(each.size for each in self._kept.values()) > BYTES:
                self._kept.popitem(last=False)
        return session

    def get(self, name: str) -> Session:
        """The mix of that id.

        Raises:
            KeyError: there is none, or it was let go.
        """
        with self._lock:
            self._kept.move_to_end(name)
            return self._kept[name]

    def judge(self, session: Session, gains: Sequence[float], removed: Sequence[int] = (), at: float | None = None) -> schema.Mix:
        """The sum of the stems' latents beside the true mix's latent, in one window; and what is left without some stems."""
        count = len(session.waves)
        if len(gains) != count or any(not 0 <= each < count for each in removed):
            raise DataError(f"the mix has {count} stems; give each a gain, and remove only stems it has")
        if len(out := sorted(set(removed))) == count:
            raise DataError("every stem is removed, so nothing is left to compare; keep one")
        encoder = self.library.space.encoder
        start = loudest(session.gained(gains).sum(0), encoder.samples, encoder.rate) if at is None else int(at * encoder.rate)
        parts = session.gained(gains, start, encoder.samples)
        stay = [each for each in range(count) if each not in out]
        windows = [*parts, parts.sum(0), parts[stay].sum(0)]
        if not np.any(windows[count]):
            raise DataError(f"all stems are silent in the window from {start / encoder.rate:g} s; choose another place")
        z = self.library.embed(np.stack(windows)).astype(np.float64)
        stems, true, left = z[:count], z[count], z[count + 1]
        total = stems.sum(0)
        middle = np.linalg.norm(self.library.z - true.astype(np.float32), axis=1)
        controls = {
            "the nearest stem alone": float(np.linalg.norm(stems - true, axis=1).min()),
            "the nearest point of the map": float(middle.min()),
            "a point drawn at random (median)": float(np.median(middle)),
        }
        rest = None
        if out:
            answer = true - stems[out].sum(0)
            audio = f"/api/mix/{session.id}/audio?removed={','.join(map(str, out))}&gains={_told(gains)}"
            rest = schema.Rest(distance=float(np.linalg.norm(answer - left)), nearest=self.near(answer), audio=audio)
        places = {"sum": total, "mix": true, **{f"stem {i}": each for i, each in enumerate(stems)}}
        if out:
            places["rest"] = true - stems[out].sum(0)
        distance = float(np.linalg.norm(total - true))
        base = f"/api/mix/{session.id}"
        return schema.Mix(
            id=session.id, at=start / encoder.rate, seconds=max(map(len, session.waves)) / encoder.rate,
            stems=[
                schema.Stem(name=name, seconds=len(wave) / encoder.rate, gain=gain, audio=f"{base}/stem/{i}")
                for i, (name, wave, gain) in enumerate(zip(session.names, session.waves, gains, strict=True))
            ],
            audio=f"{base}/audio?gains={_told(gains)}",
            distance=distance, relative=distance / max(float(np.linalg.norm(true)), 1e-9),
            controls=[schema.Control(name=name, distance=value) for name, value in controls.items()],
            nearest_sum=self.near(total), nearest_true=self.near(true), removed=out, rest=rest,
            places={name: self.map.place(each.astype(np.float32)).tolist() for name, each in places.items()},
        )  # fmt: skip

    def near(self, z: np.ndarray) -> list[schema.Hit]:
        """The nearest points."""
        which, far = self.library.nearest(z, NEAREST)
        return [schema.Hit(i=int(i), name=self.library.names[int(i)], distance=float(d)) for i, d in zip(which, far, strict=True)]


def loudest(wave: np.ndarray, samples: int, rate: int) -> int:
    """Where the window of most energy starts, to a quarter of a second."""
    step = max(rate // 4, 1)
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    starts = np.arange(0, max(len(wave) - samples, 0) + 1, step)
    return int(starts[(energy[np.minimum(starts + samples, len(wave))] - energy[starts]).argmax()])


def _told(gains: Sequence[float]) -> str:
    return ",".join(f"{gain:g}" for gain in gains)
