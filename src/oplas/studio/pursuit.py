"""A latent as a non-negative sum of other latents, found greedily."""

from __future__ import annotations

import numpy as np


def pursue(target: np.ndarray, atoms: np.ndarray, most: int, least: float = 0.01) -> tuple[list[int], np.ndarray, list[float]]:
    r"""Non-negative orthogonal matching pursuit: :math:`\min\|z-\sum_{i\in S} w_iz_i\|^2,\ w\ge0`, S grown one atom at a time.

    Each atom is the one whose direction explains most of what is left; then all weights are found anew, by coordinate descent.
    It ends after ``most`` atoms, or when the next one explains less than the share ``least`` of :math:`\|z\|^2`. Bruckstein,
    Elad & Zibulevsky 2008, https://doi.org/10.1109/TIT.2008.929920.

    Shape:
        - target: ``[d]`` · atoms: ``[n, d]``

    Returns:
        rows of atoms, weights ``[k]``, and the share of :math:`\|z\|^2` left after each.

    >>> pursue(np.array([2.0, 1.0]), np.eye(2), 2)
    ([0, 1], array([2., 1.]), [0.2, 0.0])
    """
    z = target.astype(np.float64)
    energy = float(z @ z) or 1.0
    lengths = np.linalg.norm(atoms, axis=1)
    chosen: list[int] = []
    weights, shares = np.zeros(0), [1.0]
    for _ in range(most):
        rest = z - weights @ atoms[chosen] if chosen else z
        score = (atoms @ rest) / np.where(lengths > 0, lengths, np.inf)
        score[chosen] = -np.inf
        best = int(score.argmax())
        if not score[best] > 0:
            break
        trial = [*chosen, best]
        found = non_negative(atoms[trial].astype(np.float64), z)
        left = float(np.square(z - found @ atoms[trial]).sum()) / energy
        if shares[-1] - left < least:
            break
        chosen, weights = trial, found
        shares.append(left)
    return chosen, weights, shares[1:]


def non_negative(atoms: np.ndarray, z: np.ndarray, sweeps: int = 200) -> np.ndarray:
    """Weights ``[k]`` of least squares that are not negative, for the few atoms of a pursuit."""
    gram, aim = atoms @ atoms.T, atoms @ z
    w = np.zeros(len(atoms))
    for _ in range(sweeps):
        before = w.copy()
        for i in range(len(w)):
            w[i] = max(0.0, w[i] + (aim[i] - gram[i] @ w) / max(gram[i, i], 1e-300))
        if np.abs(w - before).max() < 1e-9 * max(1.0, np.abs(w).max()):
            break
    return w
