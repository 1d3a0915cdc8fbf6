"""An index of latents: they and what is known of them, in LanceDB, safe from other spaces, other writers and sudden ends."""

from ._rows import where
from .answers import Added, Hit, Version
from .exchange import export, load
from .identity import Identity
from .index import Index

__all__ = ["Added", "Hit", "Identity", "Index", "Version", "export", "load", "where"]
