"""oplas: operational latent spaces, learned, certified and used.

An action on data and an operator in the space; a law says the square commutes; ``learn`` makes it so, ``certify`` measures it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

if TYPE_CHECKING:
    from . import actions, data, encoders, laws, operators, projectors
    from ._errors import ArtefactError, DataError, MissingDependency, OplasError, ShapeError
    from .certificate import Certificate
    from .certify import certify
    from .learn import History, learn
    from .space import Space

__all__ = [
    "ArtefactError", "Certificate", "DataError", "History", "MissingDependency", "OplasError", "ShapeError", "Space",
    "actions", "certify", "data", "encoders", "laws", "learn", "operators", "projectors",
]  # fmt: skip

_HOMES = {
    "Space": "space", "learn": "learn", "History": "learn", "certify": "certify", "Certificate": "certificate",
    "OplasError": "_errors", "DataError": "_errors", "ShapeError": "_errors", "ArtefactError": "_errors",
    "MissingDependency": "_errors",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"oplas has no {name!r}; its names are {', '.join(__all__)}")
