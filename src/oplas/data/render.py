"""MIDI files rendered to stems, one per instrument family, with fluidsynth."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import DataError, MissingDependency

SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/soundfonts/default.sf2")

#: General MIDI's sixteen groups of eight programs, gathered into the families a listener would name.
FAMILIES = ("keys", "keys", "keys", "guitar", "bass", "strings", "strings", "brass",
            "winds", "winds", "synth", "synth", "synth", "guitar", "percussion", "effects")  # fmt: skip

#: A song longer than this (s) is a damaged file: rendering it would fill the disk.
LONGEST = 2 * 3600


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
    stopped. A file that cannot be rendered is reported in one warning and the others go on. All stems of a song share
    one gain (mix and stems peak at most at -1 dB full scale), so their balance is the file's; silent ones are left out.

    Args:
        rate: samples per second of the files written.
        seconds: keep at most this much of each song.

    Raises:
        MissingDependency: fluidsynth or a General MIDI soundfont is not installed.
        DataError: there is no MIDI file under ``midi``, none can be rendered, or ``out`` cannot be written.
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
    count = Counter(path.stem for path in files)
    names = [path.stem if count[path.stem] == 1 else " ".join(path.relative_to(midi).with_suffix("").parts) for path in files]
    synthesise = partial(_synthesise, program=program, bank=bank, rate=rate, seconds=seconds)
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda path, name: _song(path, Path(out) / name, synthesise, rate), files, names)
        done = 0
        for result in results:
            if isinstance(result, DataError):
                warnings.warn(f"left out: {result}", stacklevel=2)
            else:
                done += 1
                yield result
    if not done:
        raise DataError(f"none of the {len(files)} MIDI files under {midi} could be rendered; the warnings above say why")


def _song(path: Path, folder: Path, synthesise: Any, rate: int) -> Path | DataError:
    """The song's folder, written whole; or what is wrong with the file."""
    import soundfile

    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".render-") as name:
            scratch = Path(name)
            try:
                stems = _level(
                    {label: synthesise(score, scratch / f"{label}.mid") for label, score in _families(path).items()}, path
                )
            except DataError as error:
                return error
            (scratch / "song").mkdir()
            for label, wave in stems.items():
                soundfile.write(scratch / "song" / f"{label}.flac", wave, rate, subtype="PCM_24")
            os.replace(scratch / "song", folder)
    except (OSError, soundfile.LibsndfileError) as error:
        raise DataError(f"{folder} could not be written ({error}); free disk space or choose another folder") from error
    return folder


def _families(path: Path) -> dict[str, Any]:
    """One score for each instrument family that has notes."""
    import symusic

    try:
        score = symusic.Score(path)
        lasts = score.to("second").end()
    except Exception as error:
        raise DataError(f"{path} could not be read as MIDI ({error}); remove it or export it again") from error
    if lasts > LONGEST:
        raise DataError(
            f"{path} lasts {lasts / 3600:.1f} h, more than a song does; it may be damaged: remove it or export it again"
        )
    families: dict[str, list[int]] = {}
    for index, track in enumerate(score.tracks):
        if len(track.notes):
            families.setdefault(family(track.program, track.is_drum), []).append(index)
    if not families:
        raise DataError(f"{path} holds no notes, so there is nothing to render; remove it from the folder")
    parts = {}
    for name, indices in families.items():
        parts[name] = score.copy()
        parts[name].tracks = [score.tracks[index] for index in indices]
    return parts


def _level(stems: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Stems of equal length under one gain, silent ones left out."""
    length = max(map(len, stems.values()))
    stems = {name: np.pad(wave, (0, length - len(wave))) for name, wave in stems.items() if np.abs(wave).max(initial=0) > 1e-5}
    if not stems:
        raise DataError(f"{path} renders to silence; its instruments may be missing from the soundfont, or its start is empty")
    peak = max(float(np.abs(wave).max()) for wave in (*stems.values(), sum(stems.values())))
    return {name: wave * np.float32(10 ** (-1 / 20) / peak) for name, wave in stems.items()}


def _synthesise(score: Any, midi: Path, *, program: str, bank: Path, rate: int, seconds: float | None) -> np.ndarray:
    import soundfile

    wav = midi.with_suffix(".wav")
    score.dump_midi(str(midi))
    dry = ["-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(rate), "-O", "float"]
    ran = subprocess.run([program, *dry, "-F", str(wav), str(bank), str(midi)], capture_output=True, text=True)
    if ran.returncode or not wav.is_file():
        raise DataError(f"fluidsynth failed on {midi.name}: {ran.stderr.strip()[-300:] or 'no message'}; try another soundfont")
    with soundfile.SoundFile(wav) as sound:
        wave = sound.read(-1 if seconds is None else int(seconds * rate), dtype="float32", always_2d=True).mean(1)
    wav.unlink()
    return wave
