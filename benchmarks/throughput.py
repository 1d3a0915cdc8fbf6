"""How fast does each encoder read sound, on one thread?

Times the real time: seconds of sound encoded in a second of CPU. Speed does not depend on what the weights are, so a network
whose public weights are not at hand is timed with random ones, and the row says so.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator

import torch
from _harness import SHARED, Benchmark

from oplas import encoders as enc
from oplas.encoders.jamendo import FCN, Musicnn
from oplas.encoders.vggish import VGGish


def encoders() -> Iterator[tuple[str, Callable[[], enc.Encoder]]]:
    """What can be made here without a download, and where its weights come from."""
    for exact in (enc.power_mel, enc.log_mel, enc.chroma, enc.cqt):
        yield "none", exact
    yield "shipped", enc.mini
    for kind, network in (("fcn", FCN), ("musicnn", Musicnn)):
        file = SHARED / "encoders" / f"jamendo_{kind}.pth"
        if file.is_file():
            yield "public", lambda kind=kind, file=file: enc.jamendo(kind, file)
        else:
            yield "random", network
    yield "random", VGGish
    exported = SHARED / "encoders" / "basic_pitch_nmp.onnx"
    if exported.is_file() and importlib.util.find_spec("onnxruntime"):
        yield "public", lambda: enc.onnx(exported, rate=22050, samples=43844)


def fastest(encoder: enc.Encoder, windows: torch.Tensor, repeats: int) -> float:
    """CPU seconds of the best of several runs, the first not counted."""
    encoder.encode(windows[:1])
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        encoder.encode(windows)
        spent.append(time.process_time() - started)
    return min(spent)


def main() -> None:
    bench = Benchmark("throughput", "How many seconds of sound does each encoder read in a second of CPU, on one thread?")
    torch.set_num_threads(1)
    seconds, repeats = bench.pick((30, 2), (240, 5))
    for weights, make in encoders():
        encoder = enc.freeze(make())
        count = max(1, round(seconds * encoder.rate / encoder.samples))
        windows = 0.1 * torch.randn(count, encoder.samples, generator=torch.Generator().manual_seed(0))
        sound = count * encoder.samples / encoder.rate
        bench.row(
            encoder=encoder.name,
            times_real_time=sound / fastest(encoder, windows, repeats),
            window_seconds=encoder.samples / encoder.rate,
            rate=encoder.rate,
            dim=encoder.dim,
            parameters=sum(p.numel() for p in encoder.parameters()) or None,
            weights=weights,
        )
    bench.note("Best of several runs; one CPU core; windows of noise, since no encoder here skips work on any input.")
    slowest = min(bench.rows, key=lambda row: row["times_real_time"])
    bench.finish("generated: noise", slowest=slowest["encoder"], slowest_times_real_time=slowest["times_real_time"])


if __name__ == "__main__":
    main()
