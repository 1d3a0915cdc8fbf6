"""oplas: operational latent spaces, learned, certified and used.

An action on data and an operator in the space; a law says the square commutes; ``learn`` makes it so, ``certify`` measures it.
"""

__version__ = "0.1.0.dev0"

from . import actions, data, encoders, laws, operators, projectors, translators
from ._errors import ArtefactError, DataError, MissingDependency, OplasError, ShapeError
from .bridge import Bridge
from .certificate import Certificate
from .certify import certify
from .crossing import Crossing, certify_bridge
from .discover import Discovery, discover
from .faders import FaderSet, learn_faders
from .learn import History, learn
from .space import Space
from .translate import translate

__all__ = [
    "ArtefactError",
    "Bridge",
    "Certificate",
    "Crossing",
    "DataError",
    "Discovery",
    "FaderSet",
    "History",
    "MissingDependency",
    "OplasError",
    "ShapeError",
    "Space",
    "actions",
    "certify",
    "certify_bridge",
    "data",
    "discover",
    "encoders",
    "laws",
    "learn",
    "learn_faders",
    "operators",
    "projectors",
    "translate",
    "translators",
]
