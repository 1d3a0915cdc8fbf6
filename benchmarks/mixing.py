"""Additive spaces on frozen audio encoders: what a projector gains over the encoder's own space, on songs never heard."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _harness import SHARED, Benchmark
from _mixing import CACHE, divide, evidence, loops, songs
from torch import Tensor

from oplas import Space, certify, encoders, learn
from oplas._types import Trials
from oplas.actions import Gain, Mix
from oplas.certificate import Certificate, Row
from oplas.data.stems import Stems
from oplas.encoders import Encoder
from oplas.laws import Decorrelation, Equivariance, VarianceFloor
from oplas.measure import additivity, ranks
from oplas.mixing import mixing_space
from oplas.operators import FreeOperator, Sum
from oplas.projectors import Coupling, Identity

#: How to make each encoder, how many fresh mixes its projector is shown (as many as its speed allows), and for how many steps.
ENCODERS: dict[str, tuple[Callable[[], Encoder], int, int]] = {
    "power_mel": (encoders.power_mel, 16384, 200),
    "log_mel": (encoders.log_mel, 16384, 200),
    "mini": (encoders.mini, 32768, 1000),
    "musicnn": (lambda: encoders.jamendo("musicnn", SHARED / "encoders" / "jamendo_musicnn.pth"), 4096, 600),
    "fcn": (lambda: encoders.jamendo("fcn", SHARED / "encoders" / "jamendo_fcn.pth"), 512, 300),
}
INVERTIBLE_STEPS = 300


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", nargs="+", choices=list(ENCODERS), help="judge these encoders alone")
    own, rest = parser.parse_known_args()
    bench = Benchmark("mixing", "Is a mix the sum of its stems, on songs never heard?", arguments=rest)
    names = own.only or (["power_mel", "log_mel", "mini"] if bench.quick else list(ENCODERS))
    if own.only:
        bench.note(f"Judged with --only {' '.join(names)}.")
    if not SHARED.is_dir():
        names = [name for name in names if name not in ("musicnn", "fcn")]
    seeds = list(bench.seeds(3))
    source = songs(quick=bench.quick)[1]
    with ProcessPoolExecutor(2) as pool:  # one thread each: the table is the same however many cores there are
        for rows in pool.map(_judge, [(name, seeds, bench.quick) for name in names]):
            for row in rows:
                bench.row(**row)
    bench.note(
        "r2 and top1: means over seeds; r2_low: mean lower end of 95 % intervals over songs; raw has one row, nothing is drawn."
    )
    bench.note(
        "top1_of_ceiling: beside power mel's own space, bands in units of standard deviation, on windows of the same length."
    )
    bench.note("invertible: R² and top-1 in the latent space; code_r2 is R² of the mix's code against the ⊕ of its stems' codes.")
    bench.note(
        "oracle: networks free to combine the stems' codes; oracle_r2 predicts the mix's code, oracle_top1 the missing stem's."
    )
    best = {(row["encoder"], row["space"]): row for row in bench.rows if row["data"] == "songs"}
    bench.finish(
        source,
        **{f"{name}_{key}": best[name, "learned"][key] for name in names for key in ("r2", "top1_of_ceiling", "effective_rank")},
    )


def _judge(task: tuple[str, list[int], bool]) -> list[dict[str, Any]]:
    """Every row of one encoder; kept in the cache folder, so that a killed run goes on and a finished one is not repeated."""
    name, seeds, quick = task
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    make, count, steps = ENCODERS[name]
    encoder = make()
    file = CACHE / "mixing" / f"{name}-{encoder.identity}-{_code()}-{len(seeds)}{'-quick' if quick else ''}.json"
    if file.is_file():
        kept: list[dict[str, Any]] = json.loads(file.read_text())
        return kept
    train, stop, test = divide(songs(quick=quick)[0])
    mix, steps, count = Mix(2, 4), 60 if quick else steps, 1024 if quick else count
    unheard = {"songs": test} | ({} if quick or (other := loops()) is None else {"loops": other})
    tests = {
        where: (evidence(encoder, mix, data, 1000, 1, grid=True), evidence(encoder, Gain(), data, 300, 2, grid=True))
        for where, data in unheard.items()
    }
    drawn, held = evidence(encoder, mix, train, count, 4), evidence(encoder, mix, stop, 128 if quick else 512, 3)
    ceiling = {where: _ceiling(encoder, data) for where, data in unheard.items()}
    rows: list[dict[str, Any]] = []
    found: dict[tuple[str, str], list[tuple[Row, Certificate]]] = {}
    for seed in seeds:
        for kind in ("learned", "invertible"):
            torch.manual_seed(seed)
            space = _space(encoder, kind)
            learn(
                space,
                drawn,
                held,
                seed=seed,
                steps=steps if kind == "learned" else min(steps, INVERTIBLE_STEPS),
                progress=False,
                folder=CACHE / "mixing" / f"{file.stem}-{kind}-{seed}.run",
            )
            for where, (trials, gain) in tests.items():
                certificate = certify(space, trials, gain=gain)
                found.setdefault((where, kind), []).append((certificate.row, certificate))
                if kind == "learned":
                    controls = {row.space: row for row in certificate.rows}
                    found.setdefault((where, "untrained"), []).append((controls["untrained"], certificate))
                    if seed == seeds[0]:
                        found[where, "raw"] = [(controls["encoder's own"], certificate)]
            print(f"{name} {kind} seed {seed}: R² {found['songs', kind][-1][0].r2:.3f}", file=sys.stderr, flush=True)
    oracle = {where: _oracle(encoder, drawn, held, trials, min(steps, INVERTIBLE_STEPS)) for where, (trials, _) in tests.items()}
    for where in tests:
        for kind in ("raw", "untrained", "learned", "invertible"):
            rows.append(_row(name, where, kind, found[where, kind], ceiling[where], oracle[where]))
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(rows))
    beside.replace(file)
    return rows


def _space(encoder: Encoder, kind: str) -> Space:
    if kind == "learned":
        return mixing_space(encoder, width=max(encoder.dim // 3, 24), seed=torch.initial_seed())
    laws = [Equivariance(Mix(2, 4), Sum()), VarianceFloor(weight=25.0), Decorrelation(weight=0.1)]
    return Space(encoder, Coupling(encoder.dim), laws=laws)


def _ceiling(encoder: Encoder, data: Stems) -> float:
    """Top-1 in power mel's own space, on windows as long as the encoder's."""
    seconds = encoder.samples / encoder.rate
    power = encoders.power_mel(seconds=seconds, segments=max(round(seconds), 1))
    trials = evidence(power, Mix(2, 4), data, 1000, 1, grid=True)
    certificate = certify(Space(power, laws=[Equivariance(Mix(2, 4), Sum())]), trials)
    return next(row for row in certificate.rows if row.space == "encoder's own").top1


def _oracle(encoder: Encoder, drawn: Trials, held: Trials, test: Trials, steps: int) -> tuple[float, float]:
    """The limit of what codes say: R² of the mix's from its stems', top-1 of the missing stem from the mix and the others."""

    def free(data: Trials, stop: Trials, judged: Trials) -> tuple[Tensor, Tensor, Space]:
        torch.manual_seed(0)
        space = Space(encoder, Identity(encoder.dim), laws=[Equivariance(Mix(2, 4), FreeOperator(encoder.dim, 256))])
        learn(space, data, stop, steps=steps, progress=False)
        law = space.laws[0]
        assert isinstance(law, Equivariance)
        with torch.no_grad():
            seen = space.see(judged)
            return law.predict(seen), seen.after, space

    guess, after, _ = free(drawn, held, test)
    r2 = additivity(guess, after, test.count).r2()
    guess, _, space = free(*map(_asked, (drawn, held, test)))
    index = torch.full(test.present.shape, -1)
    index[test.present] = torch.arange(int(test.present.sum()))
    with torch.no_grad():
        found = ranks(guess, space.project(test.before[test.present]), index[:, 0])
    return r2, float((found == 0).double().mean())


def _asked(trials: Trials) -> Trials:
    """The missing stem as what comes out, the mix and the other stems as what goes in; theta tells them apart."""
    before, theta = trials.before.clone(), torch.full_like(trials.theta, -10.0)
    before[:, 0], theta[:, 0] = trials.after, 10.0
    return replace(trials, before=before, theta=theta, after=trials.before[:, 0])


def _row(
    name: str, where: str, kind: str, found: list[tuple[Row, Certificate]], ceiling: float, oracle: tuple[float, float]
) -> dict[str, Any]:
    def mean(read: Callable[[tuple[Row, Certificate]], float]) -> float:
        return sum(map(read, found)) / len(found)

    certificates = [certificate for _, certificate in found]
    own = kind in ("learned", "invertible")
    from_row = ("r2", "r2_low", "affinity", "top1", "top5", "effective_rank", "probe", "overlap")
    figures = {key: mean(lambda each, key=key: getattr(each[0], key)) for key in from_row}
    return {
        "encoder": name,
        "data": where,
        "space": kind,
        "seeds": len(found),
        **figures,
        "top1_of_ceiling": figures["top1"] / ceiling,
        "candidates": certificates[0].candidates,
        "code_r2": mean(lambda each: each[1].code_r2) if own else None,
        "gain_exponent": mean(lambda each: each[1].homogeneity["exponent"]) if own else None,
        "verdict": " / ".join(sorted({each.verdict for each in certificates})) if own else None,
        "oracle_r2": oracle[0],
        "oracle_top1": oracle[1],
        "ceiling": ceiling,
    }


def _code() -> str:
    """Hash of everything a row depends on besides encoder and songs."""
    source = Path(__file__).resolve().parents[1] / "src" / "oplas"
    parts = ("actions", "functional", "laws", "measure", "operators")
    singles = [source / f"{name}.py" for name in ("certify", "evidence", "learn", "mixing", "projectors", "settle", "space")]
    files = [Path(__file__), *singles, *(file for part in parts for file in sorted((source / part).glob("*.py")))]
    said = "".join(ast.dump(ast.parse(file.read_text(encoding="utf-8"))) for file in files)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
