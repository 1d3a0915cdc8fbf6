"""Six ways to an additive space on mini's codes, side by side: what each gains, and what it pays in what can be found again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import torch
from _harness import Benchmark
from _mixing import divide, evidence, songs
from mixing import _ceiling as ceiling
from torch import Generator, Tensor
from torch.nn import functional as F

from oplas import Space, certify, encoders, learn
from oplas._types import Trials
from oplas.actions import Mix
from oplas.laws import Decorrelation, RoundTrip, VarianceFloor
from oplas.mixing import mixing_law, mixing_space
from oplas.projectors import MLP, Energies, Headed, Projector

WIDTH = 85


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    bench = Benchmark("mini_ways", "Which way to an additive space on mini's codes keeps what is found, and which the sum?")
    data, source = songs(quick=bench.quick)
    train, stop, test = divide(data)
    mix, encoder, steps = Mix(2, 4), encoders.mini(), bench.pick(40, 600)
    drawn = evidence(encoder, mix, train, bench.pick(1024, 32768), 4)
    held = evidence(encoder, mix, stop, bench.pick(128, 512), 3)
    unheard = evidence(encoder, mix, test, 1000, 1, grid=True)
    powers, levels = (evidence(make(), mix, train, bench.pick(1024, 16384), 4) for make in (encoders.power_mel, encoders.log_mel))
    best = ceiling(encoder, test)

    def own(projector: Projector) -> Space:
        laws = [mixing_law(), RoundTrip(0.1), VarianceFloor(weight=25.0), Decorrelation(weight=0.1)]
        return Space(encoder, projector, MLP(projector.width, encoder.dim), laws=laws)

    def taught() -> Space:
        space = own(Energies(encoder.dim, WIDTH, own=False))
        assert isinstance(space.projector, Energies)
        teach(space.projector, drawn, powers, steps=bench.pick(60, 2000))
        return space

    ways: dict[str, tuple[Callable[[], Space], int]] = {  # and how many steps of learning
        "energies (the recipe)": (lambda: mixing_space(encoder, WIDTH, seed=torch.initial_seed()), steps),
        "energies, 48 wide": (lambda: mixing_space(encoder, 48, seed=torch.initial_seed()), steps),
        "energies and own exponentials": (lambda: own(Energies(encoder.dim, WIDTH)), steps),
        "plain MLP": (lambda: own(MLP(encoder.dim, WIDTH)), steps),
        "levels read linearly, then undone": (lambda: own(Read(encoder.dim, WIDTH, drawn, levels)), 1),
        "taught by power mel": (taught, 1),
    }
    for name, (make, most) in ways.items():
        found = []
        for seed in bench.seeds(3):
            torch.manual_seed(seed)
            space = make()
            learn(space, drawn, held, seed=seed, steps=most, progress=False)
            found.append(certify(space, unheard).row)

        def mean(key: str, rows: list = found) -> float:
            return sum(getattr(row, key) for row in rows) / len(rows)

        figures = {key: mean(key) for key in ("r2", "r2_low", "top1", "effective_rank", "probe")}
        bench.row(way=name, steps=most, **figures, top1_of_ceiling=figures["top1"] / best)
    bench.note(f"Unseen songs, {int(unheard.present.sum())} candidates; top-1 in power mel's own space, the ceiling: {best:.3f}.")
    bench.note("levels read linearly: ridge from mini's code to 288 levels in dB, each then undone; only the head is solved.")
    bench.note("taught: 2000 steps towards power mel's whitened components, which add by nature; then only the head is solved.")
    best_of = {f"best_{key}": max(row[key] for row in bench.rows) for key in ("r2", "top1_of_ceiling")}
    bench.finish(source, **best_of)


class Read(Headed):
    r"""Levels in dB read off a code by ridge regression, undone: :math:`z=A^\top 10^{(Wy+b)/10}`."""

    def __init__(self, dim: int, width: int, codes: Trials, levels: Trials) -> None:
        super().__init__()
        self.dim, self.width = dim, width
        y, aim = pairs(codes, levels)
        self.mean, self.unit = y.mean(0), y.std(0).clamp_min(1e-6)
        x = self._ones(y).double()
        gram = x.T @ x + 1e-4 * len(x) * torch.eye(dim + 1, dtype=torch.float64)
        self.weight = torch.linalg.solve(gram, x.T @ aim.double()).float()
        self.head = torch.nn.Parameter(torch.zeros(aim.shape[1], width))

    def _ones(self, y: Tensor) -> Tensor:
        return F.pad((y - self.mean) / self.unit, (0, 1), value=1.0)

    def features(self, y: Tensor) -> Tensor:
        return 10 ** (self._ones(y) @ self.weight / 10)

    def forward(self, y: Tensor) -> Tensor:
        return self.features(y) @ self.head


def pairs(codes: Trials, other: Trials) -> tuple[Tensor, Tensor]:
    """The same sounds as two encoders code them; drawn with one seed, the shorter evidence is the start of the longer."""
    n = min(len(codes), len(other))
    assert torch.equal(codes.theta[:n], other.theta[:n])
    heard = codes.present[:n]
    return torch.cat([codes.before[:n][heard], codes.after[:n]]), torch.cat([other.before[:n][heard], other.after[:n]])


def teach(projector: Energies, codes: Trials, powers: Trials, *, steps: int, batch: int = 400, rate: float = 5e-4) -> None:
    """Let the projector tell power mel's whitened principal components."""
    y, power = pairs(codes, powers)
    projector.prepare(y)
    cov = torch.cov(power.double().T)
    unit = cov.diagonal().clamp_min(cov.diagonal().max() * 1e-8).sqrt()
    value, axes = torch.linalg.eigh(cov / unit / unit[:, None] + 1e-3 * torch.eye(len(cov), dtype=torch.float64))
    aim = power @ (axes / value.sqrt() / unit[:, None]).flip(1)[:, : projector.width].float()
    with torch.no_grad():
        projector.head.mul_(0.1)
    optimiser = torch.optim.AdamW(projector.parameters(), rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.05)
    generator = Generator().manual_seed(torch.initial_seed())
    for _ in range(steps):
        rows = torch.randint(len(y), (batch,), generator=generator)
        loss = F.smooth_l1_loss(projector(y[rows]), aim[rows], beta=2.0)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(projector.parameters(), 1.0)
        optimiser.step()
        schedule.step()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
