"""Maps between spaces, against truths that are known: is the right one found, as fast as anywhere, in how much memory?

latentis 0.0.8 is measured beside when it is there: pip install --no-deps latentis==0.0.8 GitPython gitdb smmap python-dotenv
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # every contestant gets one core

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import torch
from _harness import Benchmark
from torch import Generator, Tensor

from oplas.functional.maps import RidgePath
from oplas.translators import (
    Affine,
    LOrtho,
    Orthogonal,
    PairStatistics,
    PaperAffine,
    PaperLinear,
    PaperOrtho,
    Ridge,
    Translator,
    gather,
)

torch.set_num_threads(1)
EXACT = 1e-9
Fit = Callable[[Tensor, Tensor], Callable[[Tensor], Tensor]]

PEAK = """
import pathlib, resource, sys, torch
from oplas.translators import Ridge, gather
torch.set_num_threads(1)
n, d, e = int(sys.argv[1]), 128, 96
w = torch.randn(d, e)
def batches():
    for _ in range(n // 2000):
        x = torch.randn(2000, d)
        yield x, x @ w + torch.randn(2000, e)
held = list(batches()) if sys.argv[2] == "held" else batches()
Ridge().fit_statistics(gather(held))
status = pathlib.Path("/proc/self/status")  # rusage counts the parent's peak too, on Linux
own = [line for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else []
print(own[0].split()[1] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def truth(d: int, e: int, n: int, noise: float = 0.0, seed: int = 0, orthogonal: bool = True) -> tuple[Tensor, ...]:
    """Anchors and 1000 more pairs of :math:`y = 1.7\\,xQ + b` plus noise in units of y's deviation."""
    generator = Generator().manual_seed(seed)
    turn = torch.randn(max(d, e), max(d, e), generator=generator, dtype=torch.float64)
    turn = (torch.linalg.qr(turn).Q if orthogonal else turn / max(d, e) ** 0.5)[:d, :e]
    x = torch.randn(n + 1000, d, generator=generator, dtype=torch.float64)
    y = 1.7 * x @ turn
    y = y + noise * y.std() * torch.randn(n + 1000, e, generator=generator, dtype=torch.float64)
    x, y = x + 0.4, y - 0.8
    return x[:n], y[:n], x[n:], y[n:]


def r2(told: Tensor, y: Tensor) -> float:
    return float(1 - (y - told).square().sum() / (y - y.mean(0)).square().sum())


def ours(translator: Translator) -> Fit:
    return lambda x, y: translator.fit(x, y).transform


def by_matrix(solve: Callable[[Any, Any], Any]) -> Fit:
    """A peer that gives a matrix for centred arrays; the centring is in its price, as it is in ours."""

    def fit(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        mean_x, mean_y = x.mean(0), y.mean(0)
        w = torch.as_tensor(solve(x - mean_x, y - mean_y))
        return lambda rows: mean_y + (rows - mean_x) @ w

    return fit


def rotation(x: Tensor, y: Tensor) -> np.ndarray:
    """Procrustes by scipy, with the scale its caller must work out."""
    a, b = x.numpy(), y.numpy()
    turn, nuclear = scipy.linalg.orthogonal_procrustes(a, b)
    return turn * nuclear / (a * a).sum()


def by_hand(x: Tensor, y: Tensor) -> np.ndarray:
    """Procrustes in numpy."""
    a, b = x.numpy(), y.numpy()
    u, size, vt = np.linalg.svd(a.T @ b)
    return u @ vt * (size.sum() / (a * a).sum())


def normal_equations(x: Tensor, y: Tensor) -> np.ndarray:
    a, b = x.numpy(), y.numpy()
    return np.linalg.solve(a.T @ a, a.T @ b)


def latentis() -> tuple[dict[str, Fit], str | None]:
    """What latentis offers for these questions; or why it is not measured."""
    try:
        from latentis.transform.translate import Procrustes
        from latentis.transform.translate.functional import lstsq_align_state, svd_align_state
    except Exception as error:  # it is a peer, not a requirement: whatever keeps it from loading is the reason to tell
        return {}, f"latentis 0.0.8 was not measured: {type(error).__name__}: {error}"

    def whole(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        made = Procrustes().fit(x, y)
        return lambda rows: made.transform(rows)[0]

    def scaled(x: Tensor, y: Tensor) -> Tensor:
        turn = svd_align_state(x, y)["matrix"]
        return turn * ((x @ turn) * y).sum() / x.square().sum()

    return {
        "latentis Procrustes": whole,
        "latentis svd_align, centred, scaled": by_matrix(scaled),
        "latentis lstsq_align, centred": by_matrix(lambda x, y: lstsq_align_state(x, y)["matrix"]),
    }, None


def main() -> None:
    bench = Benchmark("translate_truth", "Are known maps between spaces found, exactly, quickly and in little memory?")
    peers, why_not = latentis()
    if why_not:
        bench.note(why_not)
    n = bench.pick(2000, 10_000)
    figures = {**exactness(bench, peers, n), **as_many_as_dimensions(bench), "stream_gap": streaming(bench)}
    figures |= {**speed(bench, peers), "memory_ratio": memory(bench)}
    bench.note("lost: 1 - R² on 1000 new pairs. time: CPU seconds of the fit on one core, least of the runs, over ours.")
    bench.note("Peers' times hold the centring that they need; ours hold the checks of the input (NaN, repeats, what varies).")
    bench.note("Adam's 300 steps are measured on fewer and multiplied: every step costs the same.")
    bench.finish("generated: Gaussian rows and maps drawn at random", **figures)


def exactness(bench: Benchmark, peers: dict[str, Fit], n: int) -> dict[str, float]:
    """Noise-free orthogonal and affine truths, and a noisy wide source."""
    found: dict[str, float] = {}
    scipys: dict[str, Fit] = {"scipy orthogonal_procrustes, centred, scaled": by_matrix(rotation)}
    for key, d in (("same", 768), ("down", 1024), ("up", 512)):
        x, y, new_x, new_y = truth(d, 768, n)
        rivals: dict[str, Fit] = {"PaperOrtho()": ours(PaperOrtho()), **peers}
        rivals |= scipys if d == 768 else {}
        for name, fit in {"Orthogonal()": ours(Orthogonal()), **rivals}.items():
            if ("svd_align" in name and d != 768) or (bench.quick and "lstsq" in name):
                continue
            score = r2(fit(x, y)(new_x), new_y)
            found.setdefault(f"r2_ortho_{key}", score)
            bench.row(truth=f"orthogonal {d} → 768, no noise", n=n, method=name, r2=score, lost=1 - score)
    x, y, new_x, new_y = truth(128, 96, 2000, orthogonal=False)
    for made in (Affine(), Ridge(), PaperLinear(), PaperAffine()):
        score = made.fit(x, y).score(new_x, new_y)
        bench.row(truth="affine 128 → 96, no noise", n=2000, method=repr(made), r2=score, lost=1 - score)
    for count in (300, 3000):
        x, y, new_x, new_y = truth(128, 96, count, noise=0.1)
        for made in (Orthogonal(), PaperOrtho(), Affine(), LOrtho(), Ridge()):
            score = made.fit(x, y).score(new_x, new_y)
            bench.row(truth="orthogonal 128 → 96, noise 0.1", n=count, method=repr(made), r2=score, lost=1 - score)
    return found


def as_many_as_dimensions(bench: Benchmark) -> dict[str, float]:
    """Noise, and as many anchors as dimensions: how far is the penalty chosen from the best one?"""
    d = bench.pick(256, 768)
    gaps = []
    for seed in bench.seeds(3):
        x, y, new_x, new_y = truth(d, d, d, noise=0.7, seed=seed)
        path = RidgePath.of(PairStatistics.of(x, y))
        told = ((new_x - x.mean(0)) @ path.weight(float(each)) + y.mean(0) for each in path.penalties(241))
        best = max(r2(each, new_y) for each in told)
        chosen = {repr(made): made.fit(x, y).score(new_x, new_y) for made in (Ridge(), Ridge("loo"), Affine(), Orthogonal())}
        gaps.append(best - chosen["Ridge()"])
        for name, score in {"best penalty, found on the new pairs": best, **chosen}.items():
            bench.row(truth=f"orthogonal {d} → {d}, noise 0.7, seed {seed}", n=d, method=name, r2=score, lost=1 - score)
    return {"r2_nd_ridge_gap": max(gaps)}


def streaming(bench: Benchmark) -> float:
    """Batches of odd sizes by four workers, against all rows at once; and what float32 would have lost."""
    x, y, *_ = truth(256, 192, 20_000, noise=0.5)
    x, y = (x + 30).float(), (y - 20).float()
    whole = PairStatistics.of(x, y)
    cuts = torch.randint(1, 400, (4000,), generator=Generator().manual_seed(1)).cumsum(0)
    parts = list(zip(x.tensor_split(cuts[cuts < len(x)]), y.tensor_split(cuts[cuts < len(x)]), strict=True))
    workers = [gather(parts[i::4]) for i in range(4)]
    merged = sum(workers[1:], workers[0])

    def gap(found: Tensor, exact: Tensor) -> float:
        return float((found.double() - exact).abs().max() / exact.abs().max())

    moved = max(gap(getattr(merged, name), getattr(whole, name)) for name in ("mean_x", "mean_y", "xx", "xy", "yy"))
    direct = x.double() - x.double().mean(0)
    bench.row(truth="moments, 20 000 × (256 + 192)", n=len(x), method="streamed by four workers, merged", lost=moved)
    single = x.T @ x - len(x) * torch.outer(x.mean(0), x.mean(0))
    bench.row(truth="moments, 20 000 × (256 + 192)", n=len(x), method="float32, about zero", lost=gap(single, direct.T @ direct))
    return moved


def speed(bench: Benchmark, peers: dict[str, Fit]) -> dict[str, float]:
    """The same 10 000 × 768 pairs for everyone, in turns."""
    x, y, new_x, new_y = truth(768, 768, 10_000)
    tasks: dict[str, dict[str, Fit]] = {
        "rotation": {
            "Orthogonal()": ours(Orthogonal()),
            "scipy orthogonal_procrustes": by_matrix(rotation),
            "numpy svd": by_matrix(by_hand),
            **{name: fit for name, fit in peers.items() if "lstsq" not in name},
        },
        "affine": {
            "Affine()": ours(Affine()),
            "numpy normal equations": by_matrix(normal_equations),
            "numpy lstsq": by_matrix(lambda a, b: np.linalg.lstsq(a.numpy(), b.numpy(), rcond=None)[0]),
            "torch lstsq": by_matrix(lambda a, b: torch.linalg.lstsq(a, b).solution),
            **{name: fit for name, fit in peers.items() if "lstsq" in name and not bench.quick},
            "Ridge()": ours(Ridge()),
        },
    }
    ratios, spent = {}, {}
    for task, fits in tasks.items():
        for turn in range(bench.pick(2, 5)):
            for name, fit in fits.items():
                if turn and spent.get(name, 0) > bench.pick(1, 20):
                    continue
                began = time.process_time()
                made = fit(x, y)
                took = time.process_time() - began
                spent[name] = min(took, spent.get(name, took))
                if turn == 0:
                    ratios[name] = 1 - r2(made(new_x), new_y)
        own, *others = fits
        for name in fits:
            bench.row(truth=f"speed, {task} 768 → 768", n=len(x), method=name, lost=ratios[name], time=spent[name] / spent[own])
        exact = [spent[name] for name in others if ratios[name] <= EXACT and not name.startswith("Ridge")]
        ratios[task] = min(exact) / spent[own]
    steps = bench.pick(2, 20)
    began = time.process_time()
    PaperAffine(steps=steps).fit(x, y)
    middle = time.process_time()
    PaperAffine(steps=2 * steps).fit(x, y)
    adam = 300 / steps * max((time.process_time() - middle) - (middle - began), 0)
    bench.row(truth="speed, affine 768 → 768", n=len(x), method="Adam, 300 steps, float32", time=adam / spent["Affine()"])
    return {"speed_vs_best_exact": min(ratios["rotation"], ratios["affine"]), "speed_vs_sgd": adam / spent["Affine()"]}


def memory(bench: Benchmark) -> float:
    """Peak of a process that streams ten thousand anchors, and of one that streams a million."""
    peaks = {}
    for n, way in ((10_000, "streamed"), (1_000_000, "streamed"), (1_000_000, "held"))[: bench.pick(2, 3)]:
        said = subprocess.run([sys.executable, "-c", PEAK, str(n), way], check=True, capture_output=True, text=True)
        peaks[n, way] = int(said.stdout)
        bench.row(truth="memory, ridge 128 → 96", n=n, method=f"Ridge(), rows {way}", megabytes=peaks[n, way] / 1024)
    return peaks[1_000_000, "streamed"] / peaks[10_000, "streamed"]


if __name__ == "__main__":
    main()
