"""How fast are folders of MIDI files read, and windows of them drawn with their moved versions?

On one thread, in songs, notes and windows a second of CPU. symusic alone, which parses the bytes and stops there, stands beside it.
"""

from __future__ import annotations

import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from _harness import SHARED, Benchmark

from oplas.data import Crops, midi
from oplas.data.midi import midi_files


def folders(scratch: Path) -> Iterator[tuple[str, Path]]:
    """The sets at hand, unpacked."""
    for name, archive in (("POP909", "pop909.tar.gz"), ("Freedoom", "freedoom_midi.tar.gz")):
        with tarfile.open(SHARED / archive) as tar:
            tar.extractall(scratch / name, filter="data")
        yield name, scratch / name


def seconds(work: Callable[[], object], repeats: int) -> float:
    """CPU seconds of the best of several runs, the first of which warms the caches."""
    spent = []
    for _ in range(repeats + 1):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent[1:])


def main() -> None:
    import symusic

    bench = Benchmark("midi", "How many MIDI files are read in a second of CPU, and how many windows of them drawn and moved?")
    torch.set_num_threads(1)
    repeats, windows = bench.pick((1, 128), (4, 512))
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in folders(Path(scratch)):
            files, songs = midi_files(folder), midi(folder).songs
            read, parsed = seconds(lambda f=folder: midi(f), repeats), seconds(lambda fs=files: [*map(symusic.Score, fs)], repeats)
            crops, draw = Crops(songs), torch.Generator().manual_seed(0)
            views = seconds(lambda c=crops, d=draw: c.views(windows, d), repeats)
            notes = sum(map(len, songs))
            bench.row(set=name, songs=len(songs), songs_per_second=len(songs) / read, notes_per_second=notes / read,
                      symusic_alone=len(files) / parsed, views_per_second=3 * windows / views)  # fmt: skip
    bench.note(
        "Best of several runs on one CPU core, other work on the machine: speeds are low rather than high. Files lie in memory."
    )
    bench.note("A view is a window of 128 x 128 cells with two channels, at rest or moved in pitch or time.")
    first = bench.rows[0]
    bench.finish("shared: POP909 and Freedoom", **{key: first[key] for key in ("songs_per_second", "views_per_second")})


if __name__ == "__main__":
    main()
