"""The few kinds of failure oplas knows. Every message says the fact, what was seen, and what to do next."""


class OplasError(Exception):
    """Base of every error oplas raises on purpose."""


class DataError(OplasError, ValueError):
    """The data cannot support the question: silent, NaN, empty, too few songs, all identical."""


class ShapeError(OplasError, ValueError):
    """A tensor has another shape, rate or width than the receiver needs."""


class ArtefactError(OplasError, RuntimeError):
    """A saved file is damaged, tampered with, truncated, or from another version."""


class MissingDependency(OplasError, ImportError):
    """An optional package or system program is not installed."""
