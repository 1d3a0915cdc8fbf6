"""The map: points in two or three principal axes."""

from __future__ import annotations

import hashlib

import numpy as np

from .._download import cache_folder
from .._errors import DataError
from ..data.files import whole
from .library import Library


class Map:
    r"""Principal axes of a library's points, :math:`x\mapsto(z-\bar z)V`, kept in the user's cache.

    Attributes:
        mean: ``[width]``
        axes: ``[width, 3]``, zeros where the space has fewer dimensions
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        digest = hashlib.sha256(library.z.data)
        file = cache_folder() / "studio" / f"{digest.hexdigest()[:32]}.axes.npy"
        try:
            kept = np.load(file, allow_pickle=False)
            self.mean, self.axes = kept[0], kept[1:].T
            assert self.axes.shape == (library.z.shape[1], 3)
        except Exception:  # absent or damaged: made again
            self.mean, self.axes = principal(library.z)
            try:
                with whole(file) as fresh, fresh.open("wb") as out:
                    np.save(out, np.vstack([self.mean, self.axes.T]))
            except DataError:  # a cache that cannot be written only costs time
                pass
        self.centre = (self.mean @ self.axes).astype(np.float32)

    def place(self, z: np.ndarray, axes: int = 2) -> np.ndarray:
        """Latents ``[..., width]`` on the map, ``[..., axes]`` float32."""
        placed: np.ndarray = (z @ self.axes[:, :axes].astype(np.float32) - self.centre[:axes]).astype("<f4")
        return placed

    def points(self, axes: int) -> bytes:
        """Every point, ``[n, axes]`` little-endian float32."""
        return self.place(self.library.z, axes).tobytes()


def principal(z: np.ndarray, block: int = 1 << 15) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``[d]`` and the three leading axes ``[d, 3]``, from blocks: no copy of z is made."""
    mean = z.mean(0, dtype=np.float64)
    scatter = np.zeros((z.shape[1], z.shape[1]))
    for start in range(0, len(z), block):
        part = (z[start : start + block] - mean).astype(np.float64)
        scatter += part.T @ part
    even = scatter / max(float(np.trace(scatter)), 1e-300)
    axes = np.random.default_rng(0).standard_normal((len(even), min(8, len(even))))
    for _ in range(100):  # subspace iteration; a full eigendecomposition takes minutes where few points span few dimensions
        axes = np.linalg.qr(even @ axes)[0]
    axes = np.linalg.svd(even @ axes, full_matrices=False)[0][:, :3]
    axes = axes * np.where(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])] < 0, -1, 1)
    return mean, np.pad(axes, ((0, 0), (0, 3 - axes.shape[1])))
