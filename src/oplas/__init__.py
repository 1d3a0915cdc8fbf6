"""oplas: operational latent spaces, learned, certified and used.

An action on data and an operator in the space; a law says the square commutes; ``learn`` makes it so, ``certify`` measures it.
"""

__version__ = "0.1.0.dev0"

from . import actions, data, encoders, laws, operators, projectors
from ._errors import ArtefactError, DataError, MissingDependency, OplasError, ShapeError
from .certificate import Certificate
from .certify import certify
from .learn import History, learn
from .space import Space

__all__ = [
    "ArtefactError",
    "Certificate",
    "DataError",
    "History",
    "MissingDependency",
    "OplasError",
    "ShapeError",
    "Space",
    "actions",
    "certify",
    "data",
    "encoders",
    "laws",
    "learn",
    "operators",
    "projectors",
]
