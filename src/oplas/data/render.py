"""MIDI files rendered to stems, one per instrument family, with fluidsynth."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .._errors import DataError, MissingDependency

SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/soundfonts/default.sf2")

#: General MIDI's sixteen groups of eight programs, gathered into the families a listener would name.
FAMILIES = ("keys", "keys", "keys", "guitar", "bass", "strings", "strings", "brass",
            "winds", "winds", "synth", "synth", "synth", "guitar", "percussion", "effects")  # fmt: skip


def family(program: int, is_drum: bool) -> str:
    """Instrument family of a General MIDI program (0-127).

    >>> family(33, False), family(0, True)
    ('bass', 'drums')
    """
    return "drums" if is_drum else FAMILIES[program // 8]


def render(
    midi: str | os.PathLike[str],
    out: str | os.PathLike[str],
    soundfont: str | os.PathLike[str] | None = None,
    *,
    rate: int = 44100,
    seconds: float | None = None,
    workers: int = 2,
) -> Iterator[Path]:
    """Render every MIDI file under ``midi`` to ``out/song/family.flac``, dry, mono; the mix is the sum of the stems.

    Yields each song's folder as it is finished; songs already rendered are kept, so a killed run goes on where it
    stopped. All stems of a song share one gain (peak of the mix at -1 dB full scale), so their balance is the file's.

    Args:
        rate: samples per second of the files written.
        seconds: render at most this much of each song.

    Raises:
        MissingDependency: fluidsynth or a General MIDI soundfont is not installed.
        DataError: there is no MIDI file under ``midi``.
    """
    program = shutil.which("fluidsynth")
    bank = next((Path(path) for path in ([soundfont] if soundfont else SOUNDFONTS) if Path(path).is_file()), None)
    if program is None or bank is None:
        what = "fluidsynth" if program is None else f"a soundfont ({soundfont or 'none of ' + ', '.join(SOUNDFONTS)})"
        raise MissingDependency(
            f"rendering MIDI needs {what}, which was not found; on Debian: apt install fluidsynth fluid-soundfont-gm"
        )
    files = sorted(path for path in Path(midi).rglob("*") if path.suffix.lower() in {".mid", ".midi"})
    if not files:
        raise DataError(f"no MIDI file under {midi}: expected .mid or .midi files; check the folder's name")
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda path: _render_song(path, Path(out) / path.stem, program, bank, rate, seconds), files)


def _render_song(path: Path, folder: Path, program: str, bank: Path, rate: int, seconds: float | None) -> Path:
    import soundfile
    import symusic

    if folder.is_dir():
        return folder
    try:
        score = symusic.Score(path)
    except Exception as error:
        raise DataError(f"{path} could not be read as MIDI ({error}); remove it or export it again") from error
    families: dict[str, list[int]] = {}
    for index, track in enumerate(score.tracks):
        if len(track.notes):
            families.setdefault(family(track.program, track.is_drum), []).append(index)
    if not families:
        raise DataError(f"{path} holds no notes, so there is nothing to render; remove it from the folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".render-") as scratch:
        stems = {}
        for name, indices in families.items():
            part = score.copy()
            part.tracks = [track for index, track in enumerate(score.tracks) if index in indices]
            file = Path(scratch) / f"{name}.mid"
            part.dump_midi(str(file))
            stems[name] = _synthesise(file, program, bank, rate, seconds)
        length = max(map(len, stems.values()))
        stems = {name: np.pad(wave, (0, length - len(wave))) for name, wave in stems.items()}
        peak = max(float(np.abs(sum(stems.values())).max()), 1e-9)
        done = Path(scratch) / "song"
        done.mkdir()
        for name, wave in stems.items():
            soundfile.write(done / f"{name}.flac", wave * (10 ** (-1 / 20) / peak), rate, subtype="PCM_24")
        os.replace(done, folder)
    return folder


def _synthesise(midi: Path, program: str, bank: Path, rate: int, seconds: float | None) -> np.ndarray:
    import soundfile

    wav = midi.with_suffix(".wav")
    dry = ["-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(rate), "-O", "float"]
    command = [program, *dry, "-F", str(wav), str(bank), str(midi)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode or not wav.is_file():
        raise DataError(f"fluidsynth failed on {midi.name}: {ran.stderr.strip()[-300:] or 'no message'}; try another soundfont")
    with soundfile.SoundFile(wav) as sound:
        wave = sound.read(-1 if seconds is None else int(seconds * rate), dtype="float32", always_2d=True).mean(1)
    wav.unlink()
    return wave
