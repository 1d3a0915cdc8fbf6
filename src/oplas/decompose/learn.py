"""Parts of mixtures, learned from the mixtures alone."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from .._errors import DataError
from ..codecs import Codec, Mel
from ..codecs import codec as named
from ..data.stems import Stems
from . import _loop
from .decomposition import Decomposition
from .model import Composable, Decoder, Operator, Predict, View
from .objectives import Compose, Objective
from .prior import Prior
from .sizes import Size, preset
from .windows import Batch, Songs, draw, mixtures

_HELD = 0.1


def learn(
    songs: Songs,
    parts: int = 2,
    *,
    codec: Codec | str = "mel",
    size: Size = "M",
    operator: Operator = "mean",
    decoder: Decoder = "shared",
    view: View = "noisy",
    predict: Predict = "clean",
    numbers: int = 1,
    objectives: Sequence[Objective] = (Compose(),),
    steps: int | None = None,
    minutes: float | None = None,
    prior: bool = True,
    rate: int | None = None,
    seed: int = 0,
    start: Decomposition | None = None,
    folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Decomposition:
    r"""Learn a decomposition into so many parts by :math:`\sum w\,\text{objective}` on random windows of the songs; no labels.

    One song in ten, at least one, is held out to watch the loss.

    Args:
        songs: a folder or files; waves in memory, by name or in a row; or a dataset of songs, whose mixtures are their sums.
        codec: what parts are learned in, by name or as an object.
        operator, decoder, view, predict, numbers: see :class:`~oplas.decompose.Composable`.
        steps, minutes: how long; default the size's own number of steps.
        prior: also learn, in as many steps, what :meth:`~oplas.decompose.Decomposition.generate` and ``vary`` need.
        rate: of waves in memory, Hz; default the codec's.
        start: what to go on from, instead of chance: its codec and its model, whatever is asked of them here.
        folder: where the state is saved every minute and on Ctrl-C; found there, learning goes on to the same end.

    Raises:
        DataError: fewer than two different songs can be used; ``steps`` and ``minutes`` are both given; the loss diverges.
        ArtefactError: ``folder`` holds a damaged state, or that of another run.
    """
    if start is not None:
        codec, parts, size, view = start.codec, start.parts, start.model.size, start.model.view
    if steps is not None and minutes is not None:
        raise DataError("steps and minutes are both given; give one, the other follows")
    if view == "clean" and all(type(each) is Compose for each in objectives):
        raise DataError("a decoder that sees the mixture can copy it, so Compose alone teaches nothing; add an objective")
    if numbers > 1 and prior and view != "clean":
        raise DataError(f"a prior is of one number a frame and part, not of {numbers}; learn with prior=False")
    if (steps is not None and steps < 1) or (minutes is not None and not minutes > 0) or not objectives:
        raise DataError(f"nothing to do: steps={steps}, minutes={minutes}, {len(objectives)} objectives; give at least one of each")
    torch.manual_seed(seed)
    sizes = preset(size)
    frozen = (named(codec) if isinstance(codec, str) else codec).to(device).requires_grad_(False).eval()
    if start is not None:
        model = copy.deepcopy(start.model).to(device)
    else:
        model = Composable(frozen.channels, parts, size=size, operator=operator, decoder=decoder, view=view, predict=predict,
                           numbers=numbers, positive=isinstance(frozen, Mel)).to(device)  # fmt: skip
    data = mixtures(songs, frozen.rate, frozen.samples(sizes.frames) / frozen.rate, at=rate)
    held, heard = data.split(_HELD, 1 - _HELD, seed=seed)
    check = draw(held, frozen, 2 * sizes.batch, sizes.frames, Generator().manual_seed(seed - 1))
    if start is None:
        model.measure(draw(heard, frozen, 2 * sizes.batch, sizes.frames, Generator().manual_seed(seed - 2)).codes)

    def total(batch: Batch, generator: Generator) -> Tensor:
        return torch.stack([each.weight * each.loss(model, batch, frozen, generator) for each in objectives]).sum()

    def loss(generator: Generator) -> Tensor:
        return total(draw(heard, frozen, sizes.batch, sizes.frames, generator), generator)

    @torch.no_grad()
    def watch() -> float:
        return float(total(check, Generator().manual_seed(0)))

    for each in objectives:
        each.begin(model)
    began, place = time.monotonic(), Path(folder) if folder else None
    learned = [each for each in objectives if isinstance(each, nn.Module)]  # an objective may learn with the model
    trained = nn.ModuleDict({"model": model, "objectives": nn.ModuleList(learned)})
    if minutes is not None:
        budget = minutes * (0.75 if prior and view != "clean" else 1.0)
        steps = _loop.planned(place and place / "model", budget, lambda: loss(Generator().manual_seed(0)).backward())
    steps = steps or sizes.steps
    run = {
        "model": repr(model), "codec": frozen.identity, "objectives": [f"{o.weight:g} × {o!r}" for o in objectives],
        "steps": steps, "seed": seed, "songs": heard.fingerprint, "start": start and start.identity,
    }  # fmt: skip
    log = _loop.descend(trained, loss, watch, steps=steps, rate=sizes.rate, seed=seed, run=run, folder=place and place / "model",
                        title=f"learning {parts} parts", progress=progress)  # fmt: skip
    made = Decomposition(frozen, model, start.names if start else ())
    made.card = {**run, "loss": log, "songs": _told(heard, start), "held": _told(held)}
    made.card["gain"] = _gain(made, check.waves[:4].cpu())
    if prior and view != "clean":
        _imagine(made, heard, check, device, steps=steps, rate=sizes.rate, seed=seed, folder=place and place / "prior",
                 progress=progress, run={**run, "model_loss": log["held"][-1]})  # fmt: skip
    made.card["seconds"] = time.monotonic() - began
    return made


def _imagine(made: Decomposition, heard: Stems, check: Batch, device: str | torch.device, **how: Any) -> None:
    """Learn the prior of the latents."""
    model, codec, sizes = made.model.to(device), made.codec.to(device), preset(made.model.size)

    @torch.no_grad()
    def latents(seed: int, count: int = sizes.batch) -> Tensor:
        return model.latents(draw(heard, codec, count, sizes.frames, Generator().manual_seed(seed)).codes)

    torch.manual_seed(how["seed"])
    prior = Prior(made.parts, size=made.model.size).to(device)
    prior.measure(latents(how["seed"] - 2, 4 * sizes.batch))
    with torch.no_grad():
        z = model.latents(check.codes)

    def loss(generator: Generator) -> Tensor:
        return prior.loss(latents(int(torch.randint(2**62, (), generator=generator))), generator)

    @torch.no_grad()
    def watch() -> float:
        return float(prior.loss(z, Generator().manual_seed(0)))

    log = _loop.descend(prior, loss, watch, title="learning what parts are like", **how)
    made.card["prior_loss"] = log
    made.model, made.codec, made.prior = model.cpu(), codec.cpu(), prior.cpu()


def _gain(made: Decomposition, waves: Tensor) -> float:
    """What parts rendered alone lack in level, all together: a mean of many possible codes is weaker than each."""
    alone = made.split(waves, made.codec.rate, consistent=False).sum(1).norm(dim=1)
    return float((waves.norm(dim=1) / alone.clamp_min(1e-9)).median().clamp(0.1, 10))


def _told(data: Stems, start: Decomposition | None = None) -> dict[str, object]:
    """Which songs, and those that the model heard before it started here."""
    before = start.card.get("songs", {}).get("digests", ()) if start else ()
    digests = sorted({song.digest[:16] for song in data.songs}.union(before))
    return {"count": len(data), "fingerprint": data.fingerprint, "digests": digests}
