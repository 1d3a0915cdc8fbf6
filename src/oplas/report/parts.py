"""The sections of a certificate's page, each a function from the certificate to HTML; empty where there is nothing to say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from .words import AXIOMS, COLUMNS, CONTROLS, VERDICTS, figure, rule, share

if TYPE_CHECKING:
    from ..certificate import Certificate, Row


def verdict(certificate: Certificate) -> str:
    """The law, the verdict with its reason and rule, and four figures to begin with."""
    name, row, why = certificate.verdict, certificate.row, certificate.why
    sign, rules = VERDICTS.get(name, "?"), rule()
    told = "".join(
        f"<li{' class=own' if each == name else ''}><b>{escape(each)}</b>: {escape(words)}.</li>" for each, words in rules.items()
    )
    chance = share(certificate.chance.get("top1"))
    tiles = (
        ("R² of the law", figure(row.r2), f"1 is exact, 0 is the mean. Songs drawn anew: {interval(row)}"),
        ("missing part found first", share(row.top1), f"of {figure(certificate.candidates)} candidates; chance {chance}"),
        ("effective rank", figure(row.effective_rank, 1), f"dimensions in use, of {figure(certificate.encoder.get('width'))}"),
        ("a new song's defect", *_bound(certificate)),
    )
    items = "".join(f"<li><span>{label}</span><b>{value}</b><small>{note}</small></li>" for label, value, note in tiles)
    return (
        f'<p class="muted">The claim: <code>{escape(certificate.law)}</code>, judged on {figure(certificate.trials)} trials '
        f"from {figure(certificate.songs)} songs the space has not learned from.</p>"
        f'<div class="verdict {escape(name.replace(" ", "-"), quote=True)}">'
        f'<strong><span aria-hidden="true">{sign}</span> {escape(name)}</strong><p>{escape(why[:1].upper() + why[1:])}.</p>'
        '<p class="muted">How it is reached: the first of these that applies, at the lower ends of the 95 % intervals '
        "over songs.</p>"
        f'<ol class="muted">{told}</ol></div><ul class="tiles">{items}</ul>'
    )


def table(certificate: Certificate) -> str:
    """Every row under one head, then what columns and controls mean."""
    lines = []
    for row in certificate.rows:
        cells = [interval(row) if field == "interval" else figure(getattr(row, field), digits) for field, _, digits, _ in COLUMNS]
        lines.append((row.space, *cells))
    chance = certificate.chance
    caption = (
        "The first row is the space; the others are controls on the same evidence. "
        f"Chance: top-1 {share(chance.get('top1'))}, probe {share(chance.get('probe'))}. – means it could not be measured."
    )
    drawn = _table(("space", *(head for _, head, _, _ in COLUMNS)), lines, caption, own=True)
    columns = _terms((head, meaning) for _, head, _, meaning in COLUMNS)
    controls = _terms((row.space, CONTROLS[row.space]) for row in certificate.rows if row.space in CONTROLS)
    return f"{drawn}<h3>What the columns mean</h3>{columns}<h3>What the controls are for</h3>{controls}"


def counts(certificate: Certificate) -> str:
    """R² and top-1 for mixes of 2, 3, 4 … parts."""
    lines = [(str(k), *(figure(found.get(key)) for key in ("r2", "top1", "trials"))) for k, found in certificate.by_count.items()]
    caption = "A space learned on few parts should be asked about more."
    return _table(("parts", "R²", "top-1", "trials"), lines, caption, narrow=True) if lines else ""


def sentences(certificate: Certificate) -> str:
    """Homogeneity, the bound for a new song, and the way back, each in a sentence."""
    power, fit = figure(certificate.homogeneity.get("exponent"), 2), figure(certificate.homogeneity.get("r2"))
    bound, level = _above(certificate.conformal.get("bound")), share(certificate.conformal.get("level"))
    back = figure(certificate.code_r2)
    said = [
        "How a gain scales the space was not measured: –."
        if power == "–"
        else f"Turning a sound's gain up by g scales its latent by g<sup>{power}</sup> (R² {fit} of that fit). "
        "Where independent sources add their energies, an exponent near 2 is expected."
        if certificate.homogeneity["r2"] >= 0.5
        else f"No power of a gain g describes what it does to the space: the best, g<sup>{power}</sup>, fits with R² {fit}.",
        f"A new song from the same source has a defect below {bound} in {level} of cases (split conformal, "
        f"from {figure(certificate.conformal.get('songs'))} songs). It says nothing of songs from elsewhere."
        if bound != "–"
        else f"No bound for a new song: – ({figure(certificate.songs)} songs are too few to promise {level}).",
        f"Operating in the space and coming back, the encoder's own code of the mix is predicted with R² {back}."
        if back != "–"
        else "The way back to the encoder's codes was not measured: –.",
    ]
    return "".join(f"<p>{each}</p>" for each in said)


def residuals(certificate: Certificate) -> str:
    """Root mean square of every law's residual, as it is trained."""
    lines = [(law, figure(found.get("rms")), str(found.get("status", "–"))) for law, found in certificate.residuals.items()]
    caption = "Root mean square of each residual, in the law's own units: what learning makes small."
    return _table(("law", "residual", "status"), lines, caption, narrow=True) if lines else ""


def axioms(certificate: Certificate) -> str:
    """Where the projector inverts itself: the worst errors of its addition's axioms; else why there are none."""
    found = certificate.axioms
    errors = {name: value for name, value in found.items() if name != "status"}
    told = str(found.get("status", "not measured"))
    if not errors:
        told = told.removeprefix("none: ")
        return f'<p class="muted">– ({escape(told)})</p>'
    lines = [(AXIOMS.get(name, name), _power(value)) for name, value in errors.items()]
    caption = (
        "y ⊕ w = h⁻¹(h(y) + h(w)) is an addition on the encoder's own codes by construction. "
        f"Worst errors in double precision, in units of the codes' spread: {told}."
    )
    return _table(("axiom", "worst error"), lines, caption, narrow=True)


def provenance(certificate: Certificate) -> str:
    """What would have to be the same to measure the same."""
    encoder = certificate.encoder
    pairs = {
        "encoder": encoder.get("name", "–"),
        "its identity": encoder.get("identity", "–"),
        "dimensions": f"{figure(encoder.get('dim'))} of the encoder → {figure(encoder.get('width'))} of the space",
        "data": certificate.data,
        "evidence": f"{certificate.trials} trials, {certificate.songs} songs, {certificate.candidates} candidates",
        "seed": certificate.seed,
        "versions": " · ".join(f"{name} {version}" for name, version in certificate.versions.items()),
    }
    return _terms((name, str(value)) for name, value in pairs.items())


def interval(row: Row) -> str:
    """The interval of R², or – where it was not measured."""
    low, high = figure(row.r2_low), figure(row.r2_high)
    return "–" if "–" in (low, high) else f"{low} … {high}"


def _bound(certificate: Certificate) -> tuple[str, str]:
    bound, level = certificate.conformal.get("bound"), share(certificate.conformal.get("level"))
    if figure(bound) == "–":
        return "–", f"{figure(certificate.songs)} songs are too few to promise a bound in {level} of cases"
    return f"&lt; {_above(bound)}", f"in {level} of cases, in units of the space's scatter"


def _above(bound: Any) -> str:
    """Rounded up, since a bound rounded down would promise too much."""
    return "–" if figure(bound) == "–" else figure(math.ceil(1000 * bound) / 1000)


def _power(value: Any) -> str:
    if figure(value) == "–":
        return "–"
    return f"{value:.0e}".replace("-", "−") if 0 < value < 0.01 else figure(value, 2 if value else 0)


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in pairs) + "</dl>"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], caption: str, *, own: bool = False, narrow: bool = False) -> str:
    """A table in a box of its own that scrolls, by touch and by arrow keys, where the screen is narrow."""
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    rows = ""
    for i, (first, *rest) in enumerate(lines):
        cells = "".join(f"<td>{escape(each)}</td>" for each in rest)
        head_cell = escape(first).replace("(", "(<wbr>")
        rows += f'<tr{" class=own" if own and i == 0 else ""}><th scope="row">{head_cell}</th>{cells}</tr>'
    name = f"table-of-{head[0]}"
    kind = "scroll narrow" if narrow else "scroll"
    return (
        f'<p class="caption muted" id="{name}">{escape(caption)}</p>'
        f'<div class="{kind}" tabindex="0" role="region" aria-labelledby="{name}"><table aria-labelledby="{name}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
