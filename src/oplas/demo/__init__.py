"""The demonstration: from songs to a certified space, and something to listen to, in a few minutes on two cores."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._watch import bar, counting
from ..certificate import Certificate
from ..certify import certify
from ..data import band, stems
from ..data.files import whole
from ..learn import History
from ..mixing import check_writable, forget_run, keep_certificate, learn_mixing, mixing_law, three_ways
from ..report import headline, png, write
from ..space import Space
from .listen import Heard, listen

__all__ = ["Demo", "demo"]

#: What keeps it short on two cores: songs of the band, mixes held at a time, steps.
SONGS, EVIDENCE, STEPS = 60, 4096, 700


@dataclass(frozen=True)
class Demo:
    """What the demonstration made: its figures, its files, its time (s)."""

    history: History
    certificate: Certificate
    heard: Heard
    written: tuple[Path, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        own, facts = self.certificate.row, self.certificate.to_dict()
        return {
            "verdict": self.certificate.verdict,
            "why": self.certificate.why,
            "this_space": facts["rows"][0],
            "encoders_own": next((row for row in facts["rows"] if row["space"] == "encoder's own"), None),
            "r2": own.r2,
            "heard": asdict(self.heard),
            "learned_steps": self.history.steps[-1],
            "written": [str(path) for path in self.written],
            "seconds": self.seconds,
        }


def demo(
    folder: str | Path = "oplas-demo",
    songs: str | Path | None = None,
    *,
    encoder: str = "mini",
    seed: int = 0,
    steps: int = STEPS,
    evidence: int = EVIDENCE,
    tell: Callable[[str], object] = lambda line: None,
) -> Demo:
    """Learn a mixing space, certify it on songs it has not heard, and look for a mix without its drums in it.

    Interrupted, the same call goes on where it stopped.

    Args:
        folder: where everything is written: ``index.html``, ``certificate.json``, ``demo.png``, ``mix.space`` and sounds.
        songs: folder of multi-track songs; default the built-in band.
        encoder: spelling of :func:`oplas.encoders.named.named`.
        tell: takes a line about each stage.

    Raises:
        DataError: too few songs, or what :func:`oplas.learn` and :func:`oplas.certify` raise.
        ArtefactError: ``folder`` cannot be written.
    """
    began, out = time.monotonic(), Path(folder)
    check_writable(out / "mix.space")
    tell(f"1 of 4 · songs: {songs or f'the built-in band plays {SONGS} of them'}")
    with bar("reading" if songs else "playing"):
        all_songs = stems(songs) if songs else band(seed, SONGS)
    train, valid, test = three_ways(all_songs, seed=seed)
    assert test is not None
    tell(f"2 of 4 · learning from {len(train)} songs, {len(valid)} tell when to stop: a mix shall be the sum of its stems")
    space, history = learn_mixing(train, valid, out / "mix.space", encoder, steps=steps, evidence=evidence, seed=seed)
    tell(f"3 of 4 · certifying on {len(test)} songs it has never heard")
    with counting(space, "encoding windows"):
        certificate = certify(space, test, seed=seed + 1)
        before = certify(Space(space.encoder, laws=[mixing_law()]), test, seed=seed + 1)
    keep_certificate(space, out / "mix.space", certificate)
    tell("4 of 4 · taking a part out of unseen mixes, and writing what is found")
    with counting(space, "encoding windows"):
        heard, sounds = listen(space, test, out / "sounds", seed=seed)
    page = write(certificate, out, sounds.items(), "A mix is the sum of its stems")
    with whole(out / "demo.png") as fresh:
        fresh.write_bytes(png(headline(certificate, before)))
    forget_run(out / "mix.space")
    written = (page, out / "demo.png", out / "mix.space", out / "sounds")
    return Demo(history, certificate, heard, written, time.monotonic() - began)
