"""A page to listen to: a song, its parts, what a model makes of them, each with its spectrogram; nothing is fetched."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import _artefact
from .._errors import DataError, MissingDependency
from ..decompose.listening import Heard
from ..separators import stft
from .page import style

ROWS, LOWEST, RANGE = 128, 40.0, 70.0  # of a spectrogram: rows, lowest frequency (Hz), decibels from black to white
TICKS = (100, 300, 1000, 3000, 10_000)
Fact = tuple[str, str, str]
"""A figure: value, what it is, what it means."""


def write_page(sounds: Iterable[Heard], rate: int, file: str | Path, title: str, facts: Sequence[Fact] = ()) -> Path:
    """Write :func:`sounds_page` whole or not at all.

    Raises:
        ArtefactError: the disk refuses.
    """
    return _artefact.write_text(Path(file), sounds_page(sounds, rate, title, facts))


def sounds_page(sounds: Iterable[Heard], rate: int, title: str, facts: Sequence[Fact] = ()) -> str:
    """Sounds of one rate (Hz) as a self-contained HTML page; loudness and colours are the same for all of them.

    Args:
        facts: figures above the sounds.

    Raises:
        DataError: there is no sound.
        MissingDependency: matplotlib is not installed.
    """
    held = list(sounds)
    if not held:
        raise DataError("there is nothing to listen to; give sounds")
    loudest = max(float(each.wave.abs().max()) for each in held)
    gain = min(1.0, 0.98 / max(loudest, 1e-9))
    top = max(float(spectrum(each.wave, rate).max()) for each in held)
    tiles = "".join(f"<li><b>{escape(v)}</b><span>{escape(n)}</span><small>{escape(m)}</small></li>" for v, n, m in facts)
    body, heading = "", ""
    for index, each in enumerate(held):
        if each.heading != heading:
            body += f"{'</section>' if heading else ''}<section><h2>{escape(each.heading)}</h2>"
            heading = each.heading
        body += _sound(index, each, rate, gain, top)
    quiet = "" if gain == 1 else f" All are played {-20 * np.log10(gain):.1f} dB more quietly than they are, so that none clips."
    script, css = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("sounds.js", "sounds.css"))
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
        f'script-src \'sha256-{allowed}\'"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{style()}{css}</style></head>'
        f'<body><header><h1>{escape(title)}</h1><ul class="tiles">{tiles}</ul></header><main><p class="muted">Click into a picture '
        "to hear it from there; starting another goes on at the same place, so that two can be compared. Pictures show "
        f"loudness by frequency (from {LOWEST:g} Hz, upwards) and time, on one scale of {RANGE:g} dB for all.{quiet}</p>"
        f"{body}</section></main><script>{script}</script></body></html>\n"
    )


def spectrum(wave: Tensor, rate: int) -> Tensor:
    """Loudness (dB) by frequency, octaves equally high, lowest first, and time: ``[samples] -> [128, frames]``."""
    power = stft(torch.nn.functional.pad(wave, (0, max(rate // 4 - len(wave), 0))), rate).abs().square()
    place = _hertz(torch.arange(ROWS) / (ROWS - 1), rate) / (rate / 2) * (len(power) - 1)
    low = place.floor().long().clamp_max(len(power) - 2)
    return 10 * torch.log10(torch.lerp(power[low], power[low + 1], (place - low).unsqueeze(1)).clamp_min(1e-12))


def _hertz(height: Tensor, rate: int) -> Tensor:
    return LOWEST * (rate / 2 / LOWEST) ** height


def _sound(index: int, heard: Heard, rate: int, gain: float, top: float) -> str:
    name = escape(heard.name)
    ticks = "".join(
        f'<span class="tick" style="bottom:{100 * np.log(hertz / LOWEST) / np.log(rate / 2 / LOWEST):.1f}%">'
        f"{f'{hertz // 1000} kHz' if hertz >= 1000 else f'{hertz} Hz'}</span>"
        for hertz in TICKS
        if hertz < 0.8 * rate / 2
    )
    peak = float(heard.wave.abs().max())
    silent = " · silent" if peak == 0 else ""
    return (
        f'<article><h3 id="sound-{index}">{name}</h3><p class="muted">{escape(heard.meaning)}{silent}</p>'
        f'<div class="picture"><img alt="Spectrogram of {escape(heard.name, quote=True)}" src="data:image/png;base64,'
        f'{b64encode(_picture(heard.wave, rate, top)).decode()}">{ticks}<span class="head"></span></div>'
        f'<audio controls preload="metadata" aria-labelledby="sound-{index}" src="data:audio/flac;base64,'
        f'{b64encode(_flac(gain * heard.wave, rate)).decode()}"></audio></article>'
    )


def _picture(wave: Tensor, rate: int, top: float) -> bytes:
    try:
        from matplotlib.image import imsave
    except ImportError as error:
        raise MissingDependency("spectrograms are drawn by matplotlib, which is not installed; pip install matplotlib") from error
    out = io.BytesIO()
    wide = torch.nn.functional.adaptive_max_pool1d(spectrum(wave, rate)[None], 900)[0]
    imsave(out, wide.flip(0).numpy(), vmin=top - RANGE, vmax=top, cmap="magma", format="png", metadata={"Software": None})
    return out.getvalue()


def _flac(wave: Tensor, rate: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, wave.numpy(), rate, "PCM_16", format="FLAC")
    return out.getvalue()
