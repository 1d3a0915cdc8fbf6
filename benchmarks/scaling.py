"""How do time and memory of learning and certifying grow with the number of songs?

Band songs are written to disk as FLAC stems and read back as a user's would be. Each figure is that of a process of its own:
CPU seconds of the call, and the process's peak memory beside what it held before the call.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _harness import Benchmark


def write_songs(folder: Path, count: int, seconds: float) -> None:
    """Band songs as ``folder/song/stem.flac``."""
    import soundfile

    from oplas import data

    for index in range(0, count, 8):  # a few at a time: the band is made in memory
        songs = data.band(seed=index, songs=min(8, count - index), seconds=seconds)
        for slot in songs.grid(16000, int(seconds * 16000)):
            scene = songs.scene(slot, 16000, int(seconds * 16000))
            (folder / songs.names[slot.song]).mkdir(parents=True)
            for label, wave in zip(scene.labels, scene.parts, strict=True):
                soundfile.write(folder / songs.names[slot.song] / f"{label}.flac", wave.numpy(), 16000)


def measure(phase: str, folder: Path, count: int, options: dict[str, Any]) -> dict[str, float]:
    """One phase on the first ``count`` songs, in this process."""
    import torch

    import oplas
    from oplas import actions as act
    from oplas import data, laws
    from oplas import encoders as enc
    from oplas import operators as op
    from oplas import projectors as proj

    torch.set_num_threads(1)
    torch.manual_seed(0)
    songs = data.stems(folder)
    songs = songs.select(songs.names[:count])
    encoder = enc.mini()
    space = oplas.Space(
        encoder,
        proj.MLP(encoder.dim, 64),
        inverse=proj.MLP(64, encoder.dim),
        laws=[laws.Equivariance(act.Mix(2, 4), op.Sum()), laws.RoundTrip(), *laws.nondegenerate()],
    )
    encoder.encode(encoder.silence())
    before, started = peak_megabytes(), time.process_time()
    if phase == "learn":
        train, held = songs.split(0.75, 0.25)
        valid = act.Mix(2, 4).trials(encoder, held, options.pop("held"), torch.Generator().manual_seed(1))
        oplas.learn(space, train, valid, seed=0, progress=False, **options)
        trials = options["steps"] * options["batch"]
    else:
        trials = oplas.certify(space, songs, seed=1, **options).trials
    return {"trials": trials, "cpu_seconds": time.process_time() - started, "before_mb": before, "peak_mb": peak_megabytes()}


def peak_megabytes() -> float:
    """The most memory this process has held, MB; of this program only, not of what started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def growth(counts: list[int], values: list[float]) -> float:
    """Slope between the last two doublings and the first on a double logarithmic scale: 0 constant, 1 proportional."""
    return math.log(values[-1] / values[0]) / math.log(counts[-1] / counts[0])


def main() -> None:
    bench = Benchmark("scaling", "How do time and memory of learn and certify grow with the number of songs?")
    counts = bench.pick([4, 8], [4, 8, 16, 32, 64, 128])
    options = {
        "learn": bench.pick(
            {"steps": 16, "batch": 64, "evidence": 128, "held": 64}, {"steps": 200, "batch": 256, "evidence": 1024, "held": 256}
        ),
        "certify": {"trials": 1_000_000},
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "songs"
        write_songs(folder, counts[-1], seconds=bench.pick(9.0, 30.0))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPLAS_CACHE": str(Path(scratch) / "cache")}
        for count in counts:
            cells: dict[str, Any] = {"songs": count}
            for phase in ("learn", "certify"):
                child = [sys.executable, __file__, "--child", phase, str(folder), str(count), json.dumps(options[phase])]
                said = subprocess.run(child, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
                found = json.loads(said.splitlines()[-1])
                cells |= {f"{phase}_{key}": value for key, value in found.items()}
            bench.row(**cells)
    columns = {key: [row[key] for row in bench.rows] for key in bench.rows[0]}
    bench.note(
        f"Learning takes {options['learn']['steps']} steps of {options['learn']['batch']} trials whatever the number of songs; "
        "certifying looks at every window of every song, with controls and intervals."
    )
    bench.note("Growth is the exponent between the smallest and the largest row: 0 is constant, 1 proportional.")
    bench.finish(
        "generated: band songs, four stems each",
        learn_growth=growth(counts, columns["learn_cpu_seconds"]),
        certify_growth=growth(counts, columns["certify_cpu_seconds"]),
        learn_peak_mb=columns["learn_peak_mb"][-1],
        certify_peak_mb=columns["certify_peak_mb"][-1],
        largest=counts[-1],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), json.loads(sys.argv[5]))))
    else:
        main()
