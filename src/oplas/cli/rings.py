"""``oplas discover``, and the ring's side of ``oplas certify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shell import NO_OPERATOR, OK, PARTLY, Answer, Json, answers, say

if TYPE_CHECKING:
    from torch import Tensor

#: Exit code of each verdict on a ring.
CODES = {"ring": OK, "wound": PARTLY, "partly": PARTLY, "no ring": NO_OPERATOR}


def add(app: typer.Typer) -> None:
    """Put the command on the app."""
    answers(app, "discover")(discover)


def discover(
    latents: Annotated[Path, typer.Argument(help="Sequences of latents: .npy, .npz or .parquet, as 'oplas embed' writes them.")],
    after: Annotated[Path | None, typer.Option(help="What became of each row: then the rows are pairs, not sequences.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for plots: angles of the steps, eigenvalues.")] = None,
    longest: Annotated[int, typer.Option(min=2, help="Look for periods up to this.")] = 48,
    seed: Annotated[int, typer.Option(help="Seed of the folds and of the torn pairs.")] = 0,
    as_json: Json = False,
) -> Answer:
    """Say what kind of map takes each latent to the next: translation, rotation with its period, linear, or no such structure.

    Rows of one file (ids such as 'song.wav@12.000') are a sequence, one step a row. Exit code 4: no such structure.
    """
    from ..discover import NONE
    from ..discover import discover as find

    if after is None:
        z = sequences(latents)
        found = find(z, longest=longest, seed=seed)
    else:
        z = rows(latents)
        found = find(z, rows(after), longest=longest, seed=seed)
    facts: dict[str, object] = {"latents": str(latents), **found.to_dict()}
    text = str(found)
    if plots is not None:
        facts["plots"] = draw(found, z, plots)
        text += f"\nwritten: {', '.join(facts['plots'])}"  # type: ignore[arg-type]
    return Answer(text, facts, NO_OPERATOR if found.family == NONE else OK)


def ring(latents: Path, period: int | None, seed: int) -> Answer:
    """The certificate of a ring, of sequences in a file."""
    from ..rings import certify_ring

    found = certify_ring(sequences(latents), period=period, seed=seed)
    return Answer(str(found), {"latents": str(latents), **found.to_dict()}, CODES[found.verdict])


def rows(path: Path) -> Tensor:
    """A table of latents ``[n, d]``."""
    from ..encoders import load_embeddings

    return load_embeddings(path)[0]


def sequences(path: Path) -> Tensor:
    """Latents ``[n, steps, d]``: a file's own, or one sequence a source, cut to the shortest."""
    import numpy as np
    import torch

    from .._errors import DataError
    from ..encoders import load_embeddings

    if path.suffix == ".npy" and path.is_file():
        try:
            cube = np.load(path, allow_pickle=False)
        except ValueError as error:
            raise DataError(f"{path} could not be read as an array ({error}); save it again with numpy.save") from error
        if cube.ndim == 3:
            return torch.from_numpy(cube.astype(np.float64))
    z, ids = load_embeddings(path)
    sources = [name.rpartition("@")[0] for name in ids]
    named = list(dict.fromkeys(sources))
    picked = [z[torch.tensor([source == name for source in sources])] for name in named]
    least = min(map(len, picked))
    if len({len(each) for each in picked}) > 1:
        say(f"sequences have {least} to {max(map(len, picked))} rows; each is cut to {least}")
    return torch.stack([each[:least] for each in picked])


def draw(found, z, folder: Path) -> list[str]:  # type: ignore[no-untyped-def]
    """Write the plots; their paths."""
    from ..report.drawing import png
    from ..report.rings import angle_figure, eigenvalue_figure

    figures = {"eigenvalues": eigenvalue_figure(found), "angles": angle_figure(found, z) if z.ndim == 3 else None}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        if figure is not None:
            beside = folder / f".{name}.png.part"
            beside.write_bytes(png(figure))
            written.append(str(beside.replace(folder / f"{name}.png")))
    return written
