"""The mixing space, from songs to a saved folder: the recipe, learning with a way back after Ctrl-C, and loading."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch

from . import _artefact, actions, laws, operators
from ._errors import ArtefactError, DataError
from ._spelled import read
from ._watch import Watched, first_evidence
from .certificate import Certificate
from .data.stems import Stems
from .encoders.base import Encoder
from .encoders.cache import Cached
from .encoders.named import named
from .encoders.spectral import Spectral
from .laws.base import Law
from .learn import History, learn
from .projectors import MLP, Energies
from .space import Space

_GATHERS = 9  # eight shards to learn from, one to stop on


def mixing_law() -> laws.Equivariance:
    """The claim: a mix of two to four stems is their sum."""
    return laws.Equivariance(actions.Mix(2, 4), operators.Sum())


def mixing_space(encoder: Encoder, width: int = 64, *, seed: int = 0) -> Space:
    r"""An unlearned space that claims a mix to be the sum of its stems: :math:`h(f(\sum_i x_i))=\sum_i h(f(x_i))`.

    Codes are projected by :class:`oplas.projectors.Energies`; only where they are levels or powers of bands do their own
    coordinates have a say. Those add nearly as they are, so there the way back weighs less: it would bend what already holds.

    Args:
        width: dimensions of z. More keep more and obey less.
        seed: of the projectors' first weights.

    >>> from oplas.encoders import log_mel
    >>> mixing_space(log_mel(), 16).width
    16
    """
    bands = _has_bands(encoder)
    kept = [laws.RoundTrip(weight=0.01 if bands else 0.1), laws.VarianceFloor(weight=25.0), laws.Decorrelation(weight=0.1)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        projector = Energies(encoder.dim, width, own=bands)
        return Space(encoder, projector, MLP(width, encoder.dim), laws=[mixing_law(), *kept])


def _has_bands(encoder: Encoder) -> bool:
    while isinstance(encoder, Cached | Watched):
        encoder = encoder.encoder
    return isinstance(encoder, Spectral)


def learn_mixing(
    songs: Stems,
    valid: Stems,
    out: Path,
    spec: str,
    *,
    width: int = 64,
    steps: int = 3000,
    evidence: int = 16384,
    seed: int = 0,
    device: str = "cpu",
) -> tuple[Space, History]:
    """Learn a mixing space on the encoder that ``spec`` names and save it as the folder ``out``.

    Its state and the codes of its mixes are kept in ``out.run`` until :func:`forget_run`: killed or interrupted, the same
    call goes on from there, to the same result. The card keeps ``spec``, for :func:`load_space`, and a digest of every part
    learned from, for :func:`unheard`.

    Raises:
        ArtefactError: ``out`` cannot be written or is no space, or ``out.run`` is damaged or holds another run.
        DataError: what :func:`oplas.learn` raises.
    """
    check_writable(out)
    run, frozen = _run(out), named(spec)
    with first_evidence(_GATHERS) as tell:
        space = mixing_space(Watched(Cached(frozen, run / "codes"), tell), width, seed=seed)
        history = learn(space, songs, valid, seed=seed, steps=steps, evidence=evidence, folder=run / "state", device=device)
    space.card |= {"encoder_spec": spec, "heard": sorted(_digests(songs) | _digests(valid))}
    space.encoder = frozen
    space.to("cpu").save(out)
    return space, history


def forget_run(out: Path) -> None:
    """Remove what :func:`learn_mixing` kept beside ``out`` in order to go on after a stop."""
    shutil.rmtree(_run(out), ignore_errors=True)


def _run(out: Path) -> Path:
    return out.with_name(f"{out.name}.run")


def three_ways(songs: Stems, held_out: float = 0.2, seed: int = 0) -> tuple[Stems, Stems, Stems | None]:
    """Songs to learn from, to stop on, and to certify on: at least two of the last, none where ``held_out`` is 0.

    Raises:
        DataError: there are too few songs.
    """
    n = len(songs)
    test = max(2, round(held_out * n)) if held_out else 0
    valid = max(1, round(0.1 * (n - test)))
    if n - valid - test < 1:
        wanted = "1 to learn from, 1 to stop on" + (" and 2 to certify on" if held_out else "")
        raise DataError(
            f"{n} song(s) are too few: at least {wanted} are needed; add songs (ten show something, a hundred prove it)"
        )
    parts = songs.split(*((count + 1e-9) / (n + 1e-6) for count in (n - valid - test, valid, test) if count), seed=seed)
    return parts[0], parts[1], parts[2] if test else None


def check_writable(out: Path) -> None:
    """Find out before hours of work whether their result can be saved.

    Raises:
        ArtefactError: it cannot.
    """
    if out.exists() and not (out / "card.json").is_file():
        raise ArtefactError(f"{out} exists and is not a saved space, so it is not replaced; choose another name")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise ArtefactError(f"{out} could not be written ({error.strerror or error}); choose a folder you may write to") from error


def load_space(folder: str | Path, encoder: Encoder | None = None) -> Space:
    """A saved space with its laws, on ``encoder``, or on the one its card spells.

    Raises:
        ArtefactError: the folder is damaged, names no encoder, belongs to another one, or claims laws oplas does not know.
    """
    card = _artefact.load(Path(folder))[1]
    spec = card.get("encoder_spec")
    if encoder is None and spec is None:
        raise ArtefactError(f"{folder} does not say how its encoder {card['encoder']['name']} is made; name it with --encoder")
    words = {name: getattr(home, name) for home in (actions, operators, laws) for name in home.__all__}
    claimed = [read(text, words) for text in card["laws"]]
    if not all(isinstance(law, Law) for law in claimed):
        raise ArtefactError(f"{folder} claims {card['laws']}, not all of which are laws; get a fresh copy")
    return Space.load(folder, encoder or named(str(spec)), claimed)


def unheard(space: Space, songs: Stems) -> Stems:
    """The songs that share no part, sample for sample, with those the space has learned from.

    Raises:
        DataError: it has learned from all of them.
    """
    heard = set(space.card.get("heard", ()))  # type: ignore[call-overload]
    new = [song for song in songs.songs if not heard & {part.digest for part in song.parts}]
    if not new:
        raise DataError(f"the space has learned from all {len(songs)} songs given; certify it on songs it has not heard")
    return Stems(new)


def keep_certificate(space: Space, folder: str | Path, certificate: Certificate) -> None:
    """Save the space again with the certificate, less what only its page draws, in the card."""
    facts = certificate.to_dict()
    del facts["plots"]
    space.card["certificate"] = facts
    space.save(folder)


def _digests(songs: Stems) -> set[str]:
    return {part.digest for song in songs.songs for part in song.parts}
