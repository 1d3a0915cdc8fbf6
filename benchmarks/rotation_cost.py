"""What does a learned rotation cost: forward and backward for each vector, in closed form and as a dense matrix?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from _harness import Benchmark
from torch import Generator, Tensor

from oplas.functional.rotations import frame, rate, turn

BATCH = 64
WHOLE = 64
"""Up to so many dimensions the dense construction is made whole; above it a part is, and its cost multiplied."""


def closed(z: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Ours: four dot products a vector, each with its own t."""
    return turn(z, t, a, b)


def formed(z: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The same closed form, but with the matrix written out, one t for the batch."""
    return z @ turn(torch.eye(z.shape[1]), t[:1].expand(z.shape[1]), a, b)


def aguilera_perez(z: Tensor, t: Tensor, a: Tensor, b: Tensor, steps: int | None = None) -> Tensor:
    """Aguilera & Pérez-Aguila (2004): 2d - 3 elementary rotations lay the plane on two axes, one turns it, all are undone.

    Written from the paper's algorithm, a dense product an elementary rotation, one t for the batch.
    """
    d = z.shape[1]
    laid, whole = frame(torch.stack([a, b])), torch.eye(d)
    pairs = [(row, column) for row in range(2) for column in range(d - 1, row, -1)][:steps]
    for row, column in pairs:
        angle = torch.atan2(laid[row, column], laid[row, column - 1])
        elementary = _elementary(d, column - 1, column, angle)
        laid, whole = laid @ elementary, whole @ elementary
    turned = _elementary(d, 0, 1, t[0] * rate(a, b) * (laid[0, 0] * laid[1, 1] - laid[0, 1] * laid[1, 0]))
    return z @ whole @ turned @ whole.T


def _elementary(d: int, i: int, j: int, angle: Tensor) -> Tensor:
    where = (torch.tensor([i, i, j, j]), torch.tensor([i, j, i, j]))
    return torch.eye(d).index_put(where, torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]))


def exponential(z: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``torch.matrix_exp`` of the rank-2 generator, one t for the batch."""
    return z @ torch.linalg.matrix_exp(t[0] * (torch.outer(a, b) - torch.outer(b, a))).T


def geotorch(z: Tensor, t: Tensor, a: Tensor, free: Tensor) -> Tensor:
    """The exponential of a free d × d skew matrix, as geotorch parametrises rotations (Lezcano-Casado & Martínez-Rubio 2019)."""
    lower = free.tril(-1)
    return z @ torch.linalg.matrix_exp(lower - lower.T).T


def seconds(way: Callable[..., Tensor], d: int, least: float, free: bool = False, batch: int = BATCH) -> float:
    """CPU seconds a vector, forward and backward; the best of runs that together take ``least`` seconds."""
    generator = Generator().manual_seed(d)
    a, b = torch.randn(2, d, generator=generator) / math.sqrt(d)
    given = (
        torch.randn(batch, d, generator=generator),
        torch.rand(batch, generator=generator),
        a,
        torch.randn(d, d, generator=generator) / d if free else b,
    )
    best, spent = math.inf, 0.0
    while spent < least or best == math.inf:
        inputs = [each.clone().requires_grad_() for each in given]
        began = time.process_time()
        way(*inputs).square().sum().backward()
        took = time.process_time() - began
        best, spent = min(best, took), spent + took
    return best / batch


def constructed(d: int, least: float, batch: int = BATCH) -> float:
    """CPU seconds a vector of the dense construction; above ``WHOLE`` dimensions from the cost of one elementary rotation more."""
    if d <= WHOLE:
        return seconds(aguilera_perez, d, least, batch=batch)
    few, more = (seconds(lambda *given, k=k: aguilera_perez(*given, steps=k), d, least, batch=batch) for k in (1, 3))
    return few + (more - few) / 2 * (2 * d - 4)


def main() -> None:
    torch.set_num_threads(1)
    bench = Benchmark("rotation_cost", "What does a learned rotation cost, forward and backward, for each vector?")
    least = bench.pick(0.1, 1.0)
    limits = bench.pick({"dense": 512, "exp": 256}, {"dense": 1024, "exp": 1024})
    ours: dict[int, float] = {}
    one_t: dict[int, float] = {}
    own_t: dict[int, float] = {}
    for d in (16, 64, 256, 512, 1024, 4096):
        ours[d] = seconds(closed, d, least)
        if d <= limits["dense"]:
            dense, alone, last = constructed(d, least), constructed(d, least, batch=1), d
        else:
            dense, alone, last = dense * (d / last) ** 3, alone * (d / last) ** 3, d
        one_t[d], own_t[d] = dense / ours[d], alone / ours[d]
        small = d <= limits["exp"]
        bench.row(
            d=d,
            closed_form_us=1e6 * ours[d],
            matrix_formed_us=1e6 * seconds(formed, d, least) if d <= 1024 else None,
            aguilera_perez_us=1e6 * dense,
            matrix_exp_us=1e6 * seconds(exponential, d, least) if small else None,
            geotorch_style_us=1e6 * seconds(geotorch, d, least, free=True) if small else None,
            aguilera_perez_own_t_us=1e6 * alone,
            speedup_one_t=one_t[d],
            speedup_own_t=own_t[d],
        )
    bench.note(
        "speedup_one_t, the keys speedup_d: the batch turns by one t, so that a dense matrix serves 64 vectors. speedup_own_t: "
        "every vector has its own t, as our column has in both; a dense construction is then made, and timed, for each."
    )
    slope = math.log(ours[4096] / ours[256]) / math.log(16)
    bench.note(f"CPU microseconds a vector, one thread, batches of {BATCH}; all but the first build one d × d matrix a batch.")
    bench.note(
        f"The dense construction above {WHOLE} dimensions: one product more is timed and counted 2d - 4 times; above "
        f"{limits['dense']} its cost is scaled by d³, one power less than its number of operations."
    )
    bench.note(f"From 256 to 4096 dimensions the closed form grows as d^{slope:.2f}.")
    bench.note("Measured elsewhere, the seeds' own dense construction at 64 dimensions: 38.7 CPU ms a call, a closed form 0.97.")
    bench.finish(
        "generated: Gaussian vectors",
        **{f"speedup_{d}": one_t[d] for d in (64, 512, 4096)},
        speedup_64_own_t=own_t[64],
        growth=slope,
    )


if __name__ == "__main__":
    main()
