"""What a song costs to take apart: seconds on one core for a second of sound, and memory against the file's length."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from _decompose_data import Piece
from _pairs import RATE

from oplas.data.audio import write


def costs(model: Path, song: Piece, minutes: tuple[float, ...], steps: tuple[int, ...]) -> list[dict[str, Any]]:
    """A row for every length of file and number of denoising steps, each measured in a process of its own on one core."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for length in minutes:
            file, wave = Path(name) / f"{length:g}.wav", song.mix.clamp(-1, 1)
            samples = int(60 * length * RATE)
            write(file, wave.repeat(-(-samples // len(wave)))[:samples].numpy(), RATE)
            for count in steps if length == minutes[0] else steps[:1]:
                rows.append({"minutes": length, "noise_steps": count, **alone(model, file, count)})
            file.unlink()
    return rows


def untrained(size: str) -> Path:
    """A model that sees noise, as it is made: what it costs does not depend on what it learned."""
    from oplas.codecs import codec
    from oplas.decompose import Composable, Decomposition

    mel = codec("mel")
    model = Composable(mel.channels, 2, size=size, positive=True)  # type: ignore[arg-type]
    return Decomposition(mel, model).save(Path(tempfile.gettempdir()) / f"untrained_{size}.oplas")


def alone(model: Path, file: Path, steps: int) -> dict[str, Any]:
    """Seconds of CPU, their ratio to the file's seconds, and the most memory held, MB."""
    surroundings = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, __file__, str(model), str(file), str(steps)]
    ran = subprocess.run(command, capture_output=True, text=True, env=surroundings)
    if ran.returncode:
        raise RuntimeError(f"taking {file.name} apart failed: {ran.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def main(model: str, file: str, steps: int) -> None:
    from oplas.decompose import Decomposition
    from oplas.decompose.apply import apply

    torch.set_num_threads(1)
    made = Decomposition.load(model)
    before = peak()
    with tempfile.TemporaryDirectory() as out:
        began = time.process_time()
        done = apply(lambda wave, rate: made.split(wave, rate, steps=steps), file, out, made.names)
        spent = time.process_time() - began
    print(json.dumps({"cpu_s": spent, "of_real_time": spent / done.seconds, "loaded_mb": before, "most_mb": peak()}))


def peak() -> float:
    """The most memory this process ever held, MB. Linux' own count: that of getrusage begins with the parent's."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
