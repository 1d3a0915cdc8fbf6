"""What does each codec lose before anything is learned: as the mask of a mixture, and alone?

EnCodec's weights are a download and are not measured here; ``codec("encodec").ceiling(sources)`` prints the same figures.
"""

from __future__ import annotations

import statistics
import time

import torch
from _decompose_data import GROUPS
from _decompose_rows import held_out
from _harness import Benchmark

from oplas.codecs import Codec, Mel, tiny


def every() -> dict[str, Codec]:
    """What can be made here without a download."""
    mels = {f"mel, {bands} bands": Mel(bands) for bands in (64, 96, 192)}
    return {"mel (128 bands)": Mel(), "tiny": tiny(), **mels, "mel, every bin": Mel(1025)}


def main() -> None:
    bench = Benchmark(
        "codec_ceilings", "How well could a perfect model on a codec tell sources apart? SI-SDR, dB, medians over windows"
    )
    kind, count, codecs = bench.pick(("band", 2, 2), ("songs", 6, None))
    for pair in bench.pick(GROUPS[:1], GROUPS[:3]):
        heard = held_out(kind, pair).few(count)
        for name, codec in list(every().items())[:codecs]:
            began = time.process_time()
            for sources in heard.sources:
                codec.decode(codec.encode(sources), sources.sum(0))
            seconds = (time.process_time() - began) / sum(each.shape[-1] / codec.rate for each in heard.sources)
            found = [codec.ceiling(sources) for sources in heard.sources]
            bench.row(
                sources="+".join(pair),
                codec=name,
                numbers_a_second=codec.channels * codec.rate // codec.hop,
                **{way: statistics.median(getattr(each, way) for each in found) for way in ("shared", "single", "alone")},
                times_real_time=1 / seconds,
                windows=len(found),
            )
    bench.note("shared: all parts decoded with the mixture, which they share out: the ideal mask in this codec.")
    bench.note("single: a part decoded with the mixture, the other not known.")
    bench.note("alone: without the mixture. The mel codec keeps no phase: its sound is alike, its waveform another.")
    bench.note("times_real_time: both sources encoded and decoded with the mixture, on one CPU core.")
    first = {row["codec"]: row for row in reversed(bench.rows)}
    bench.finish(
        "generated: a small band" if bench.quick else "shared: Freedoom's songs held out, every stem equally loud",
        mel_shared=first["mel (128 bands)"]["shared"],
        tiny_shared=first["tiny"]["shared"],
        tiny_alone=first["tiny"]["alone"],
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
